//! What is registered, as the registry's watch tells it: whole at first, then change by change, over every break.
//!
//! What always holds:
//!
//! - What is known stays known while the registry is away, and when it comes back with less: only an authoritative
//!   snapshot, or the word that a service is gone, removes one.
//! - A stream that breaks is taken up from the last place that was whole.
//! - A message that can't be understood breaks the stream, and nothing of it counts.

mod link;
mod watcher;
mod wire;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use pas_types::health::HealthStatus;
use pas_types::id::ServiceId;
use pas_types::registry::ListedService;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::Swarm;
use crate::{Health, Running, clock};
use link::Link;

/// The check that says whether the registry is heard.
const CHECK: &str = "fleet";

/// A place in the registry's change log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The start of the registry that the index belongs to.
    pub epoch: u64,
    /// The index.
    pub index: u64,
}

/// What a message of the registry says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Learned {
    /// Services that are there, new or changed.
    pub seen: Vec<Arc<ListedService>>,
    /// Services that are gone.
    pub gone: Vec<ServiceId>,
    /// Services other than these are gone too.
    pub only: Option<HashSet<ServiceId>>,
    /// The registry has started anew; it may have forgotten what it was told.
    pub new_epoch: bool,
    /// What is known now is true for this place; none in the middle of a snapshot.
    pub at: Option<Cursor>,
}

/// Something of the watch.
#[derive(Debug)]
pub enum News {
    /// The registry spoke.
    Learned(Learned),
    /// It is away, or what it said can't be understood. It is tried again by and by.
    Broke(String),
}

/// Everything that is registered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Snapshot {
    /// The place that it is true for; none if the registry was never heard.
    pub at: Option<Cursor>,
    /// The services, by their ids. The same list as long as nothing changed.
    pub services: Arc<[Arc<ListedService>]>,
    /// When the registry was last heard by this process.
    #[serde(skip)]
    pub heard: Option<Duration>,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self { at: None, services: Arc::new([]), heard: None }
    }
}

/// Hears the registry at `url` until `shutdown`, and tells what it says, in order.
pub async fn follow(url: String, mut hear: impl FnMut(News), shutdown: CancellationToken) {
    match Link::new(&url) {
        Ok(link) => link.run(&mut hear, &shutdown).await,
        Err(error) => hear(News::Broke(format!("{error:#}"))),
    }
}

/// Keeps everything that is registered at hand until `running` stops. It begins with `seed`, which may be what was known
/// when this service last ran; while the registry is away, the service is less well, and goes on with what is known.
pub fn spawn(
    swarm: &Swarm,
    seed: Snapshot,
    health: &Health,
    running: &Running,
) -> watch::Receiver<Arc<Snapshot>> {
    let (tell, told) = watch::channel(Arc::new(seed.clone()));
    let mut known = Known::from(seed);
    let health = health.clone();
    let hear = move |news: News| match news {
        News::Learned(learned) => {
            known.learn(learned);
            health.ok(CHECK);
            tell.send_replace(Arc::new(known.snapshot.clone()));
        }
        News::Broke(error) => {
            let reason = format!("the registry is not heard, what was known goes on to hold: {error}");
            health.set(CHECK, HealthStatus::Degraded, reason);
        }
    };
    running.tasks().spawn(follow(swarm.registry_url.clone(), hear, running.shutdown().clone()));
    told
}

/// What is known so far.
#[derive(Debug)]
struct Known {
    services: BTreeMap<ServiceId, Arc<ListedService>>,
    snapshot: Snapshot,
}

impl From<Snapshot> for Known {
    fn from(snapshot: Snapshot) -> Self {
        let services = snapshot.services.iter().map(|it| (it.service_id, Arc::clone(it))).collect();
        Self { services, snapshot }
    }
}

impl Known {
    fn learn(&mut self, Learned { seen, gone, only, new_epoch: _, at }: Learned) {
        let mut changed = false;
        for service in seen {
            let known = self.services.get(&service.service_id);
            if known.is_none_or(|known| **known != *service) {
                self.services.insert(service.service_id, service);
                changed = true;
            }
        }
        for service_id in gone {
            changed |= self.services.remove(&service_id).is_some();
        }
        if let Some(only) = only {
            let before = self.services.len();
            self.services.retain(|service_id, _| only.contains(service_id));
            changed |= self.services.len() != before;
        }
        if changed {
            self.snapshot.services = self.services.values().cloned().collect();
        }
        self.snapshot.at = at.or(self.snapshot.at);
        self.snapshot.heard = Some(clock::monotonic());
    }
}

#[cfg(test)]
mod tests;
