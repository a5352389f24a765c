//! What is known when a call comes in: taken once for each, and never changed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use pas_routing::{Fleet, Table};
use pas_service::clock;
use pas_types::receipt::{RegistryPlace, SnapshotUsed};
use pas_types::registry::ServiceType;

use crate::lane::{Lane, Lanes};

/// How far the registry was heard, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// Up to there; none if never.
    pub registry: Option<RegistryPlace>,
    /// On the monotonic clock. What an earlier run heard was taken up then.
    pub at: Duration,
    /// How old it was already.
    pub aged: Duration,
}

/// What is known at one time.
#[derive(Debug)]
pub struct Snapshot {
    /// Who can be called.
    pub fleet: Arc<Fleet>,
    lanes: Vec<Option<Arc<Lane>>>,
    /// When this was last known to be so.
    pub heard: Heard,
    /// The versions, as receipts name them.
    pub matrix: Arc<str>,
    /// That of the policies.
    pub policies: Arc<str>,
    /// That of the prices.
    pub prices: Arc<str>,
}

impl Snapshot {
    /// The table by which is chosen.
    pub fn table(&self) -> &Table {
        self.fleet.table()
    }

    /// The way to the candidate at this place.
    pub fn lane(&self, index: u32) -> Option<&Arc<Lane>> {
        self.lanes.get(index as usize)?.as_ref()
    }

    /// Whether an agent of this name is paused.
    pub fn is_paused(&self, agent: &str) -> bool {
        let places = self.fleet.named(agent).iter();
        places
            .filter_map(|place| self.fleet.candidate(*place))
            .any(|candidate| candidate.service.paused && candidate.service.service_type == ServiceType::Agent)
    }

    /// What the receipt says of it.
    pub fn used(&self) -> SnapshotUsed {
        let age = clock::monotonic().saturating_sub(self.heard.at) + self.heard.aged;
        SnapshotUsed {
            registry: self.heard.registry,
            matrix: Some(Arc::clone(&self.matrix)),
            age_ms: u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// The current one.
#[derive(Debug)]
pub struct Snapshots {
    current: ArcSwap<Snapshot>,
    lanes: Mutex<Lanes>,
}

impl Snapshots {
    /// Begins with this.
    pub fn new(fleet: Arc<Fleet>, heard: Heard) -> Self {
        let mut lanes = Lanes::default();
        let first = of(&mut lanes, fleet, heard);
        Self { current: ArcSwap::from_pointee(first), lanes: Mutex::new(lanes) }
    }

    /// The current one, for one call.
    pub fn take(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes connections that have been idle for too long.
    pub fn shed_idle(&self) {
        self.lanes().shed();
    }

    /// Something has changed, or was heard again.
    pub fn replace(&self, fleet: Arc<Fleet>, heard: Heard) {
        let mut lanes = self.lanes();
        let next = of(&mut lanes, fleet, heard);
        // Under the lock, so that none overtakes another.
        self.current.store(Arc::new(next));
    }
}

fn of(lanes: &mut Lanes, fleet: Arc<Fleet>, heard: Heard) -> Snapshot {
    let versions = fleet.table().versions();
    let (matrix, policies, prices) =
        (versions.matrix.as_str().into(), versions.policies.as_str().into(), versions.prices.as_str().into());
    Snapshot { lanes: lanes.lead_to(fleet.candidates()), fleet, heard, matrix, policies, prices }
}
