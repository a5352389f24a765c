//! A service's place in the registry: it registers, beats, comes back when it was forgotten, and leaves.

use std::time::Duration;

use http::Method;
use pas_types::health::{Health as Report, HealthStatus};
use pas_types::id::{LeaseId, ServiceId};
use pas_types::registry::{
    Deregister, Deregistered, Heartbeat, HeartbeatAnswer, Labels, Registered, Registration, Role,
    ServiceType, Status, path,
};
use pas_types::{catalog, limits};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::client::{CallError, Client};
use crate::measures::Measured;
use crate::{Health, Running, Swarm, clock};

/// Time for one call to the registry.
const CALL: Duration = Duration::from_secs(5);
/// Time for a call that is under way when the service stops.
const LAST_WORD: Duration = Duration::from_secs(1);
/// The first pause after a failure, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// What changes at the same time is told together.
const SETTLE: Duration = Duration::from_millis(50);
/// PAS's own services beat often, so that their death is seen soon.
const INTERVAL_S: u32 = 10;
const TTL_S: u32 = 15;

/// How a part of PAS registers itself: as `entry` is called, type `service`, role `production`. It is a value like any other:
/// who is something else (an adapter is a model), has another name or more labels, changes it before it is [`spawn`]ed.
pub fn registration(entry: &catalog::Entry, url: &str, caps: &[&str]) -> Registration {
    Registration {
        service_id: None,
        name: entry.name.to_owned(),
        service_type: ServiceType::Service,
        role: Role::Production,
        url: Some(url.to_owned()),
        caps: caps.iter().map(|cap| (*cap).to_owned()).collect(),
        labels: Labels::from([("health_path".to_owned(), Some("/health".to_owned()))]),
        ctx_limit: None,
        cost_hint_usd_per_1k: None,
        heartbeat_interval_s: INTERVAL_S,
        ttl_s: TTL_S,
        boot_id: Some(clock::new_id().to_string()),
    }
}

/// Keeps `registration` in the registry until `running` stops, then takes it off.
pub fn spawn(swarm: &Swarm, registration: Registration, health: &Health, running: &Running) {
    spawn_measured(swarm, registration, health, running, Measured::default);
}

/// The same, where each beat says what `measure` answers then, as [`Measures::read`](crate::Measures::read) does.
pub fn spawn_measured(
    swarm: &Swarm,
    registration: Registration,
    health: &Health,
    running: &Running,
    measure: impl Fn() -> Measured + Send + Sync + 'static,
) {
    spawn_changing(swarm, watch::Sender::new(Some(registration)).subscribe(), health, running, measure);
}

/// The same for who finds out what it offers while it runs: it registers when there is a registration, and each takes the
/// place of the one before.
pub fn spawn_changing(
    swarm: &Swarm,
    registrations: watch::Receiver<Option<Registration>>,
    health: &Health,
    running: &Running,
    measure: impl Fn() -> Measured + Send + Sync + 'static,
) {
    let presence = Presence {
        registry: swarm.registry_url.trim_end_matches('/').to_owned(),
        client: Client::default(),
        registrations,
        health: health.clone(),
        measure: Box::new(measure),
        lease: None,
    };
    running.tasks().spawn(presence.run(running.shutdown().clone()));
}

/// What a beat says of a service that is as `report` says.
pub fn word(report: Report) -> (Status, Option<String>) {
    match report.status {
        HealthStatus::Ok => (Status::Ok, None),
        HealthStatus::Recovering => (Status::Degraded, Some("recovering".to_owned())),
        HealthStatus::Degraded => (Status::Degraded, report.reason.map(shortened)),
        HealthStatus::Down => (Status::Down, report.reason.map(shortened)),
    }
}

/// As much of a reason as a beat may carry.
fn shortened(mut reason: String) -> String {
    reason.truncate(reason.floor_char_boundary(limits::REASON_BYTES));
    reason
}

struct Presence {
    registry: String,
    client: Client,
    registrations: watch::Receiver<Option<Registration>>,
    health: Health,
    measure: Box<dyn Fn() -> Measured + Send + Sync>,
    lease: Option<(ServiceId, LeaseId)>,
}

impl Presence {
    async fn run(mut self, shutdown: CancellationToken) {
        let known = self.registrations.wait_for(Option::is_some);
        if !matches!(shutdown.run_until_cancelled(known).await, Some(Ok(_))) {
            return;
        }
        let mut pause = PAUSES.0;
        let mut changes = self.health.changes();
        loop {
            changes.mark_unchanged();
            let Some(acted) = self.act_unless(&shutdown).await else { break };
            let is_told = acted.is_ok();
            let wait = match acted {
                Ok(next_beat) => {
                    self.health.ok("registry");
                    pause = PAUSES.0;
                    next_beat
                }
                Err(error) => {
                    self.health.set("registry", HealthStatus::Degraded, error.to_string());
                    let wait = clock::jittered(pause, 0.5);
                    tracing::warn!(%error, again_in_ms = wait.as_millis() as u64, "the registry can't be told");
                    pause = (pause * 2).min(PAUSES.1);
                    wait
                }
            };
            // Who could not be told is tried again after the pause, whatever changes meanwhile.
            let changed = async {
                tokio::select! {
                    Ok(()) = changes.changed() => {}
                    Ok(()) = self.registrations.changed() => self.registrations.mark_changed(),
                    else => std::future::pending().await,
                }
                tokio::time::sleep(SETTLE).await;
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = changed, if is_told => {}
                () = shutdown.cancelled() => break,
            }
        }
        self.leave().await;
    }

    /// Registers or beats; nothing comes of it after `shutdown`. Yet a registration that is under way then may end, for
    /// one that the registry has and this service doesn't know of could not be taken back.
    async fn act_unless(&mut self, shutdown: &CancellationToken) -> Option<Result<Duration, CallError>> {
        let mut act = std::pin::pin!(self.act());
        tokio::select! {
            acted = &mut act => Some(acted),
            () = shutdown.cancelled() => {
                let _ = tokio::time::timeout(LAST_WORD, act).await;
                None
            }
        }
    }

    /// Registers or beats, and answers when to do so again.
    async fn act(&mut self) -> Result<Duration, CallError> {
        let is_new = self.registrations.has_changed().unwrap_or_default();
        let Some((service_id, lease_id)) = self.lease.filter(|_| !is_new) else {
            return self.register().await;
        };
        match self.beat(service_id, lease_id).await {
            // The registry has forgotten this service, or given its lease to another process of the same name and url.
            Err(CallError::Refused { status: 404 | 409, .. }) => {
                self.lease = None;
                self.register().await
            }
            other => other,
        }
    }

    async fn register(&mut self) -> Result<Duration, CallError> {
        let registration = self.registrations.borrow_and_update().clone();
        let told = self.call(Method::POST, path::REGISTER, &registration).await;
        let answer: Registered = told.inspect_err(|_| self.registrations.mark_changed())?;
        let lease = (answer.service_id, answer.lease_id);
        if self.lease.replace(lease) != Some(lease) {
            tracing::info!(service_id = %answer.service_id, "registered");
        }
        // It is taken for well until it says otherwise.
        let is_well = self.health.report(clock::now()).status == HealthStatus::Ok;
        Ok(if is_well { Duration::from_millis(answer.next_beat_ms) } else { Duration::ZERO })
    }

    async fn beat(&self, service_id: ServiceId, lease_id: LeaseId) -> Result<Duration, CallError> {
        let (status, reason) = word(self.health.report(clock::now()));
        let Measured { p95_ms, queue_depth, load } = (self.measure)();
        let plain = Heartbeat::plain(service_id, Some(lease_id));
        let beat = Heartbeat { status: Some(status), reason, p95_ms, queue_depth, load, ..plain };
        let answer: HeartbeatAnswer = self.call(Method::PUT, path::HEARTBEAT, &beat).await?;
        Ok(Duration::from_millis(answer.next_beat_ms))
    }

    async fn leave(&self) {
        let Some((service_id, lease_id)) = self.lease else { return };
        let goodbye = Deregister { service_id, lease_id: Some(lease_id), reason: Some("stopped".to_owned()) };
        if let Err(error) = self.call::<_, Deregistered>(Method::POST, path::DEREGISTER, &goodbye).await {
            // With a whole swarm that stops, it may be gone already.
            tracing::info!(%error, "the registry could not be told of the stop");
        }
    }

    async fn call<B: serde::Serialize, A: serde::de::DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &B,
    ) -> Result<A, CallError> {
        self.client.call(method, &format!("{}{path}", self.registry), body, CALL).await
    }
}
