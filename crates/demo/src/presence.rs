//! A place in the registry: register, beat, come back when forgotten, leave.

use std::time::Duration;

use http::Method;
use pas_service::client::{CallError, Client};
use pas_service::clock;
use pas_types::id::{LeaseId, ServiceId};
use pas_types::registry::{
    Deregister, Deregistered, Heartbeat, HeartbeatAnswer, Registered, Registration, Role, ServiceType, Work,
    path,
};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::out::Link;
use crate::story::{BEAT_S, TTL_S};

/// Time for one call to the registry.
const CALL: Duration = Duration::from_secs(3);
/// Time for a call that is under way at the end, and for the farewell.
const LAST_WORD: Duration = Duration::from_millis(500);
/// The first pause after a failure, and the longest: a demo should be back soon.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(4));

/// What all services of the demo say of themselves.
pub(crate) fn registration(
    name: &str,
    service_type: ServiceType,
    role: Role,
    labels: &[(&str, &str)],
) -> Registration {
    let labels = labels.iter().chain(&[("figures", "scripted")]);
    Registration {
        service_id: None,
        name: name.to_owned(),
        service_type,
        role,
        url: None,
        caps: Vec::new(),
        labels: labels.map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned()))).collect(),
        ctx_limit: None,
        cost_hint_usd_per_1k: None,
        heartbeat_interval_s: BEAT_S,
        ttl_s: TTL_S,
        boot_id: None,
    }
}

/// One service of the demo, as the registry knows it.
pub(crate) struct Presence<F> {
    pub(crate) registry: String,
    pub(crate) client: Client,
    pub(crate) link: Link,
    pub(crate) registration: Registration,
    /// What its beats say; none while it is silent.
    pub(crate) work: F,
    lease: Option<(ServiceId, LeaseId)>,
    /// That of the one before, which died: it is on the list until its beats are missed.
    dead: Option<(ServiceId, LeaseId)>,
}

impl<F: Fn() -> Option<Work>> Presence<F> {
    pub(crate) fn new(
        registry: &str,
        client: &Client,
        link: &Link,
        registration: Registration,
        work: F,
    ) -> Self {
        let (registry, client, link) = (registry.to_owned(), client.clone(), link.clone());
        Self { registry, client, link, registration, work, lease: None, dead: None }
    }

    /// Keeps it registered until `shutdown`, then takes it off.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        // Not all at the same moment.
        let mut wait = clock::jittered(Duration::from_secs(1), 1.0);
        let mut pause = PAUSES.0;
        while shutdown.run_until_cancelled(sleep(wait)).await.is_some() {
            let Some(acted) = self.act_unless(&shutdown).await else { break };
            wait = match acted {
                Ok(next_beat) => {
                    self.link.works();
                    pause = PAUSES.0;
                    next_beat
                }
                Err(error) => {
                    self.link.fails(&error);
                    let wait = clock::jittered(pause, 0.5);
                    pause = (pause * 2).min(PAUSES.1);
                    wait
                }
            };
        }
        self.leave().await;
    }

    /// A registration that is under way at the end may come to its own: one that nobody knows of could not be taken back.
    async fn act_unless(&mut self, shutdown: &CancellationToken) -> Option<Result<Duration, CallError>> {
        let mut act = std::pin::pin!(self.act());
        tokio::select! {
            acted = &mut act => Some(acted),
            () = shutdown.cancelled() => {
                drop(timeout(LAST_WORD, act).await);
                None
            }
        }
    }

    /// Registers or beats, and answers when to do so again.
    async fn act(&mut self) -> Result<Duration, CallError> {
        let Some(work) = (self.work)() else {
            // It died: what comes after it is another process, with another lease.
            self.dead = self.lease.take().or(self.dead);
            self.registration.boot_id = None;
            return Ok(Duration::from_millis(500));
        };
        if let Some(lease) = self.lease {
            match self.beat(lease, work).await {
                // Forgotten, or taken off the list by somebody.
                Err(CallError::Refused { status: 404 | 409, .. }) => self.lease = None,
                other => return other,
            }
        }
        self.register().await
    }

    async fn beat(
        &self,
        (service_id, lease_id): (ServiceId, LeaseId),
        work: Work,
    ) -> Result<Duration, CallError> {
        let Work { progress, activity, run_id, current_call, token_usage, resources } = work;
        let beat = Heartbeat {
            progress,
            activity,
            run_id,
            current_call,
            token_usage,
            resources,
            ..Heartbeat::plain(service_id, Some(lease_id))
        };
        let answer: HeartbeatAnswer = self.call(Method::PUT, path::HEARTBEAT, &beat, CALL).await?;
        Ok(Duration::from_millis(answer.next_beat_ms))
    }

    async fn register(&mut self) -> Result<Duration, CallError> {
        self.registration.boot_id.get_or_insert_with(|| clock::new_id().to_string());
        let answer: Registered = self.call(Method::POST, path::REGISTER, &self.registration, CALL).await?;
        self.lease = Some((answer.service_id, answer.lease_id));
        // What it does is seen at once.
        Ok(Duration::from_millis(100))
    }

    async fn leave(&mut self) {
        for (service_id, lease_id) in [self.lease, self.dead].into_iter().flatten() {
            let reason = Some("the demo is over".to_owned());
            let farewell = Deregister { service_id, lease_id: Some(lease_id), reason };
            let told: Result<Deregistered, _> =
                self.call(Method::POST, path::DEREGISTER, &farewell, LAST_WORD).await;
            // Who can't be told, or has been taken off the list by now, sees its beats end.
            drop(told);
        }
    }

    async fn call<B: serde::Serialize, A: serde::de::DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &B,
        within: Duration,
    ) -> Result<A, CallError> {
        self.client.call(method, &format!("{}{path}", self.registry), body, within).await
    }
}
