//! The core on a virtual clock.

mod brake;
mod discovery;
mod identity;
mod liveness;
mod model;
mod watch;

use std::collections::HashMap;
use std::time::Duration;

use pas_types::id::{LeaseId, ServiceId};
use pas_types::registry::{
    DiscoveryQuery, Heartbeat, Registered, Registration, Role, ServiceType, Status, StatusFilter, Transition,
    TransitionKind,
};
use pas_types::time::{Now, WireTime};
use uuid::Uuid;

use super::{Batch, Fresh, Loaded, Registry, Row, Tombstone, Tuning, next_epoch};
use crate::error::Refusal;

pub(crate) fn id(n: u64) -> ServiceId {
    ServiceId(Uuid::from_u64_pair(0x0199_0000_0000_7000, n))
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A model that beats every 60 s.
fn model(name: &str) -> Registration {
    Registration {
        service_id: None,
        name: name.to_owned(),
        service_type: ServiceType::Model,
        role: Role::Experimental,
        url: Some(format!("http://127.0.0.1:9000/{name}")),
        caps: vec!["infer".to_owned()],
        labels: Default::default(),
        ctx_limit: Some(32_768),
        cost_hint_usd_per_1k: None,
        heartbeat_interval_s: 60,
        ttl_s: 90,
        boot_id: Some("first".to_owned()),
    }
}

fn everything() -> DiscoveryQuery {
    DiscoveryQuery { status: Some(StatusFilter::Any), limit: Some(1000), ..DiscoveryQuery::default() }
}

/// What is written, as the store would keep it.
#[derive(Debug, Default, Clone)]
struct Disk {
    rows: HashMap<ServiceId, Row>,
    gone: HashMap<ServiceId, Tombstone>,
    transitions: Vec<Transition>,
    epoch: u64,
}

impl Disk {
    fn write(&mut self, batch: &Batch) {
        for row in &batch.rows {
            self.gone.remove(&row.id());
            self.rows.insert(row.id(), row.clone());
        }
        for row in &batch.beats {
            let stored =
                self.rows.get_mut(&row.id()).expect("a beat is written only for a row that is there");
            (stored.life.last_beat, stored.life.measures) = (row.life.last_beat, row.life.measures);
        }
        for tombstone in &batch.gone {
            self.rows.remove(&tombstone.row.id());
            self.gone.insert(tombstone.row.id(), tombstone.clone());
        }
        for id in &batch.forgotten {
            self.rows.remove(id);
            self.gone.remove(id);
        }
        self.transitions.extend(batch.transitions.iter().cloned());
    }
}

/// A registry on a virtual clock, with a disk.
struct World {
    registry: Registry,
    tuning: Tuning,
    disk: Disk,
    now: Now,
    ids: u64,
}

impl World {
    fn new(tuning: Tuning) -> Self {
        let wall = WireTime::from_millis(1_762_425_000_000).timestamp();
        let now = Now { monotonic: seconds(1_000), wall };
        let disk = Disk { epoch: next_epoch(0, 0, now), ..Disk::default() };
        let registry = Registry::new(tuning.clone(), Loaded { epoch: disk.epoch, ..Loaded::default() }, now);
        let mut world = Self { registry, tuning, disk, now, ids: 0 };
        world.registry.sweep(0, now);
        world
    }

    fn fresh(&mut self) -> Fresh {
        self.ids += 1;
        let lease_id = LeaseId(Uuid::from_u64_pair(0x0199_1111_1111_7000, self.ids));
        Fresh { service_id: id(self.ids), lease_id }
    }

    fn register(&mut self, registration: Registration) -> Result<(Registered, bool), Refusal> {
        let fresh = self.fresh();
        self.registry.register(registration, fresh, self.now)
    }

    fn registered(&mut self, registration: Registration) -> Registered {
        let (registered, _) = self.register(registration).expect("the registration is accepted");
        self.commit();
        registered
    }

    fn beat(&mut self, service_id: ServiceId, lease: Option<LeaseId>) -> Result<(), Refusal> {
        self.registry.beat(&Heartbeat::plain(service_id, lease), self.now).map(|_| ())
    }

    /// Lets time pass, with a sweep at each period.
    fn pass(&mut self, time: Duration) {
        for _ in 0..time.as_millis() / self.tuning.sweep_period.as_millis() {
            self.now = self.now.plus(self.tuning.sweep_period);
            self.registry.sweep(self.ids, self.now);
        }
    }

    /// The registry stands still for as long; then it sweeps.
    fn stall(&mut self, time: Duration) {
        self.now = self.now.plus(time);
        self.registry.sweep(self.ids, self.now);
    }

    fn commit(&mut self) -> Batch {
        let batch = self.registry.batch();
        self.disk.write(&batch);
        self.registry.committed(&batch);
        batch
    }

    /// The process dies, is away for a while, and starts again with what is on the disk.
    fn restart(&mut self, away: Duration) {
        self.now = self.now.plus(away);
        let last_seq = self.disk.transitions.last().map_or(0, |transition| transition.seq);
        self.disk.epoch = next_epoch(self.disk.epoch, last_seq, self.now);
        let loaded = Loaded {
            epoch: self.disk.epoch,
            rows: self.disk.rows.values().cloned().collect(),
            tombstones: self.disk.gone.values().cloned().collect(),
        };
        self.registry = Registry::new(self.tuning.clone(), loaded, self.now);
        self.registry.sweep(self.ids, self.now);
    }

    /// What happened since the last commit: kind, status after, beats missed.
    fn happened(&mut self) -> Vec<(TransitionKind, Option<Status>, u32)> {
        let batch = self.commit();
        batch.transitions.iter().map(|it| (it.kind, it.to_status, it.missed_beats)).collect()
    }

    fn status(&self, id: ServiceId) -> Option<Status> {
        self.registry.get(id).map(|row| row.life.status())
    }

    fn offered(&self, id: ServiceId) -> bool {
        let page = self.registry.discover(&DiscoveryQuery::default()).expect("the query is legal");
        page.into_answer(self.now).services.iter().any(|service| service.service_id == id)
    }
}
