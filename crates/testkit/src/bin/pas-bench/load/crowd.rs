//! Services that exist only as registrations and beats: to the registry they are like any other.

use anyhow::{Context, ensure};
use pas_types::id::ServiceId;
use pas_types::registry::{Heartbeat, Registered, Registration, Role, ServiceType, path};
use tokio::time::Instant;

use super::connection::{Connection, request};

/// Capabilities of which each service of a crowd has one, evenly spread.
pub(crate) const SKILLS: usize = 200;

/// A service that is registered.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) service_id: ServiceId,
    /// The request that is its beat.
    pub(crate) beat: Vec<u8>,
    /// Just before it gave its last sign of life by registering.
    pub(crate) registered: Instant,
}

/// The registration of a service of its own kind: model, `infer`, `chat` and one of [`SKILLS`].
pub(crate) fn registration(name: &str, number: usize, interval_s: u32, ttl_s: u32) -> Registration {
    Registration {
        service_id: None,
        name: format!("{name}-{number:05}"),
        service_type: ServiceType::Model,
        role: Role::RUNGS[number % Role::RUNGS.len()],
        // Nobody listens on this port, and nobody has to: probes find out and leave it at that.
        url: Some("http://127.0.0.1:9".to_owned()),
        caps: vec!["infer".to_owned(), "chat".to_owned(), skill(number)],
        labels: [("tier", "standard"), ("locality", "local"), ("provider", "bench")]
            .map(|(key, value)| (key.to_owned(), Some(value.to_owned())))
            .into(),
        ctx_limit: Some(32_768),
        cost_hint_usd_per_1k: Some(0.002),
        heartbeat_interval_s: interval_s,
        ttl_s,
        boot_id: None,
    }
}

/// The capability that this service has, as one in [`SKILLS`].
pub(crate) fn skill(number: usize) -> String {
    format!("skill-{:03}", number % SKILLS)
}

/// Registers all of them over as many connections at the same time.
pub(crate) fn register(
    port: u16,
    registrations: &[Registration],
    connections: usize,
) -> anyhow::Result<Vec<Member>> {
    let mut open = (0..connections).map(|_| Connection::open(port)).collect::<Result<Vec<_>, _>>()?;
    let mut members = Vec::with_capacity(registrations.len());
    for round in registrations.chunks(connections) {
        let begun = Instant::now();
        for (connection, registration) in open.iter_mut().zip(round) {
            connection.send(&registering(registration)?)?;
        }
        for (connection, registration) in open.iter_mut().zip(round) {
            let status = connection.receive()?;
            let body = connection.body();
            let text = || String::from_utf8_lossy(body);
            ensure!((200..300).contains(&status), "{} is refused: {status} {}", registration.name, text());
            let registered = serde_json::from_slice(body).with_context(|| text().into_owned())?;
            members.push(Member::new(&registered, begun)?);
        }
    }
    Ok(members)
}

/// The request that registers a service.
pub(crate) fn registering(registration: &Registration) -> anyhow::Result<Vec<u8>> {
    Ok(request("POST", path::REGISTER, &serde_json::to_string(registration)?))
}

impl Member {
    /// The service that got this answer when it registered.
    pub(crate) fn new(answer: &Registered, registered: Instant) -> anyhow::Result<Self> {
        let beat = Heartbeat::plain(answer.service_id, Some(answer.lease_id));
        let beat = request("PUT", path::HEARTBEAT, &serde_json::to_string(&beat)?);
        Ok(Self { service_id: answer.service_id, beat, registered })
    }
}
