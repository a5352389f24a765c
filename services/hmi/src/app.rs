//! What the HMI answers: what it has heard of the registry, and what it asks of the other owners.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use http::Response;
use hyper::body::Incoming;
use pas_service::fleet::{Learned, News as Heard};
use pas_service::publisher::Publisher;
use pas_service::{Health, clock};
use pas_types::catalog;
use pas_types::event::{Event, Log, LogLevel};
use pas_types::health::HealthStatus;

use crate::client::{Call, Owner, Owners};
use crate::core::changes::{self, Changes, Cursor};
use crate::core::deed::Deed;
use crate::core::tree::{Agent, Tree};
use crate::error::Error;
use crate::http::answers::{Hello, How, ServicesPage, Urls};

/// The check that says whether the registry is heard.
const CHECK: &str = "fleet";

/// The HMI.
#[derive(Debug)]
pub struct App {
    /// Where it is itself.
    url: String,
    demo: bool,
    owners: Owners,
    health: Health,
    publisher: Publisher,
    fleet: Mutex<Fleet>,
}

/// What was heard of the registry.
#[derive(Debug)]
struct Fleet {
    changes: Changes,
    /// When it was last heard.
    heard: Option<Duration>,
    /// Why it is not heard.
    broken: Option<String>,
}

impl App {
    /// The HMI at `url`, which has heard nothing yet.
    pub fn new(url: String, demo: bool, owners: Owners, health: Health, publisher: Publisher) -> Self {
        // No other start has a log of this number.
        let changes = Changes::new(clock::random(), changes::KEPT);
        let fleet = Mutex::new(Fleet { changes, heard: None, broken: None });
        Self { url, demo, owners, health, publisher, fleet }
    }

    /// The way to the owners.
    pub fn owners(&self) -> &Owners {
        &self.owners
    }

    fn fleet(&self) -> MutexGuard<'_, Fleet> {
        self.fleet.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what the registry said, or why it is not heard.
    pub fn hear(&self, heard: Heard) {
        let mut fleet = self.fleet();
        match heard {
            Heard::Learned(Learned { seen, gone, only, .. }) => {
                fleet.changes.learn(seen, gone, only.as_ref());
                (fleet.heard, fleet.broken) = (Some(clock::monotonic()), None);
                self.health.ok(CHECK);
            }
            Heard::Broke(error) => {
                let reason =
                    format!("the registry is not heard, what was known goes on to be shown: {error}");
                self.health.set(CHECK, HealthStatus::Degraded, reason);
                fleet.broken = Some(error);
            }
        }
    }

    /// Who answers, and where everything is.
    pub fn hello(&self) -> Hello {
        let url = |owner| self.owners.url(owner).to_owned();
        Hello {
            version: env!("CARGO_PKG_VERSION"),
            demo: self.demo,
            events_url: url(Owner::Events),
            urls: Urls {
                registry: url(Owner::Registry),
                event_stream: url(Owner::Events),
                heartbeat_monitor: url(Owner::Monitor),
                provider_router: url(Owner::Router),
                gateway: url(Owner::Gateway),
            },
        }
    }

    /// What is registered, as far as it isn't known at that place.
    pub fn services(&self, since: Option<Cursor>) -> ServicesPage {
        let now = clock::monotonic();
        let fleet = self.fleet();
        let changes::News { cursor, reset, services, gone } = fleet.changes.since(since);
        let age = |heard| u64::try_from(now.saturating_sub(heard).as_millis()).unwrap_or(u64::MAX);
        ServicesPage {
            cursor: cursor.to_string(),
            reset,
            heard_age_ms: fleet.heard.map(age),
            broken: fleet.broken.clone(),
            services,
            gone,
        }
    }

    /// The agents as a tree, in JSON.
    pub async fn tree(&self) -> Result<Vec<u8>, Error> {
        let agents = self.owners.agents().await?;
        Ok(Tree::new(agents.iter().map(Agent::from).collect()).to_json()?)
    }

    /// How each part of the control plane says that it is, the HMI first.
    pub async fn health(&self) -> Vec<How> {
        let own = self.health.report(clock::now());
        let own = How::new(catalog::HMI.name, &self.url, Ok(own), Duration::ZERO);
        let asked = Owner::ALL.map(async |owner| {
            let begun = clock::monotonic();
            let health = self.owners.health(owner).await;
            let took = clock::monotonic().saturating_sub(begun);
            How::new(owner.entry().name, self.owners.url(owner), health, took)
        });
        let asked = join_all(asked).await;
        std::iter::once(own).chain(asked).collect()
    }

    /// Passes a call on. What its owner does not tell the event stream itself is told here, once it has accepted.
    pub async fn pass(&self, call: Call, deed: Option<Deed>) -> Result<Response<Incoming>, Error> {
        let answer = self.owners.pass(call).await?;
        if let Some(deed) = deed.filter(|_| answer.status().is_success()) {
            let log = Log { message: deed.to_string(), level: Some(LogLevel::Info) };
            self.publisher.publish(Event::new(clock::now().wall.into(), log));
        }
        Ok(answer)
    }
}
