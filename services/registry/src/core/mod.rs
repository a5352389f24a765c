//! The registry as a pure state: what exists, how it is, and every rule about it. Time, ids and seeds are told to it.
//!
//! What it holds in memory is the truth; the store follows, one [`Batch`] at a time. Commands of clients are undone when
//! their batch can't be written; what was observed (beats, probes, silence) is not, for it stays true all the same.

mod admin;
mod brake;
mod changes;
mod clock;
mod directory;
mod discovery;
mod events;
mod figures;
mod liveness;
mod pending;
mod register;
mod row;
mod storing;
mod tombstones;
mod watch;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use pas_types::id::{LeaseId, ServiceId};
use pas_types::registry::{ServiceType, Status, Transition, TransitionKind};
use pas_types::time::Now;

pub use changes::Cursor;
pub use discovery::Page;
pub use events::event_of;
pub use figures::{Figures, Tally};
pub use pending::Batch;
pub use row::{Life, Measures, Probed, Record, Row};
pub use storing::next_epoch;
pub use tombstones::Tombstone;
pub use watch::{Changes, Room, Snapshot};

use brake::Brake;
use changes::{Change, ChangeLog};
use clock::Clock;
use directory::Directory;
use pending::{Extent, Origin, Pending};
use row::Identity;
use storing::first_seq;
use tombstones::Tombstones;

/// The numbers in the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuning {
    /// The time between sweeps.
    pub sweep_period: Duration,
    /// After a start, the least time that a service has to beat again.
    pub grace: Duration,
    /// The share of the services that may be evicted within a window.
    pub brake_percent: usize,
    /// The window of the eviction brake.
    pub brake_window: Duration,
    /// When the brake was on for so long, it lets everyone go.
    pub brake_opens_after: Duration,
    /// Services on the list, at the most.
    pub max_services: usize,
    /// Services remembered after they are gone, at the most.
    pub max_tombstones: usize,
    /// How long they are remembered.
    pub tombstone_age: Duration,
    /// Transitions that may wait for the store; beyond, the oldest are dropped and counted.
    pub max_pending_transitions: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            sweep_period: Duration::from_millis(500),
            grace: Duration::from_secs(60),
            brake_percent: 15,
            brake_window: Duration::from_secs(10),
            brake_opens_after: Duration::from_secs(600),
            max_services: pas_types::limits::SERVICES,
            max_tombstones: 10_000,
            tombstone_age: Duration::from_secs(24 * 3600),
            max_pending_transitions: 50_000,
        }
    }
}

/// What the store remembers of earlier starts.
#[derive(Debug, Default)]
pub struct Loaded {
    /// This start of the registry; greater than that of every earlier one.
    pub epoch: u64,
    /// The services on the list.
    pub rows: Vec<Row>,
    /// The services that are gone.
    pub tombstones: Vec<Tombstone>,
}

/// New ids, for a command that may need them.
#[derive(Debug, Clone, Copy)]
pub struct Fresh {
    /// For a new service.
    pub service_id: ServiceId,
    /// For a new lease.
    pub lease_id: LeaseId,
}

/// The state. The modules beside this one hold its commands, one group each.
#[derive(Debug)]
pub struct Registry {
    tuning: Tuning,
    epoch: u64,
    /// It began with nothing, and those that were there before may still register again.
    unsure: bool,
    /// On the liveness clock: until then loaded services may still be on their way.
    grace_until: Duration,
    clock: Clock,
    services: HashMap<ServiceId, Row>,
    identities: HashMap<Identity, ServiceId>,
    directory: Directory,
    /// When which service misses its next beat. Those that missed their last one are with the brake.
    deadlines: BTreeSet<(Duration, ServiceId)>,
    brake: Brake,
    tombstones: Tombstones,
    changes: ChangeLog,
    pending: Pending,
    unverified: usize,
    tally: Tally,
}

impl Registry {
    /// The state after a start at `now`, with what the store remembers. Nobody is aged by the time that the registry
    /// was away: every deadline begins anew, by the grace and a little jitter.
    pub fn new(tuning: Tuning, loaded: Loaded, now: Now) -> Self {
        let clock = Clock::new(tuning.sweep_period);
        let start = clock.read(now.monotonic);
        let mut registry = Self {
            epoch: loaded.epoch,
            unsure: loaded.rows.is_empty(),
            grace_until: start + tuning.grace + tuning.grace / 10,
            clock,
            services: HashMap::new(),
            identities: HashMap::new(),
            directory: Directory::default(),
            deadlines: BTreeSet::new(),
            brake: Brake::new(),
            tombstones: Tombstones::default(),
            changes: ChangeLog::new(tuning.max_tombstones),
            pending: Pending::new(first_seq(loaded.epoch), tuning.max_pending_transitions),
            unverified: 0,
            tally: Tally::default(),
            tuning,
        };
        for mut row in loaded.rows {
            let wait = row.record.ttl().max(registry.tuning.grace);
            row.life.deadline = start + wait + row::share(row.id(), wait / 10);
            row.life.verified = false;
            registry.deadlines.insert((row.life.deadline, row.id()));
            registry.enlist(row);
        }
        for tombstone in loaded.tombstones {
            registry.tombstones.insert(tombstone);
        }
        registry
    }

    /// The service, if it is on the list.
    pub fn get(&self, id: ServiceId) -> Option<&Row> {
        self.services.get(&id)
    }

    /// Its name, if it is an agent.
    pub fn agent(&self, id: ServiceId) -> Option<Arc<str>> {
        let record = &self.services.get(&id)?.record;
        (record.service_type == ServiceType::Agent).then(|| Arc::clone(&record.name))
    }

    /// The service, if it is gone and still remembered.
    pub fn gone(&self, id: ServiceId) -> Option<&Tombstone> {
        self.tombstones.get(id)
    }

    /// Every service on the list that has this name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Row> {
        self.directory.named(name).filter_map(|id| self.services.get(&id))
    }

    /// Whether loaded services may still be on their way.
    pub fn recovering(&self, now: Now) -> bool {
        self.unverified > 0 && self.clock.read(now.monotonic) < self.grace_until
    }

    /// Services that have not beaten since the registry started.
    pub fn unverified(&self) -> usize {
        self.unverified
    }

    /// The time on the liveness clock. Every command that depends on it begins here, so that a stall is taken off
    /// before anything is decided by it.
    fn tick(&mut self, now: Now) -> Duration {
        if let Some(gap) = self.clock.notice_stall(now.monotonic) {
            self.tally.stalls += 1;
            let reason = format!("stood still for {:.1} s; every deadline moved by that", gap.as_secs_f64());
            let stalled = Transition { reason: Some(reason), ..of_registry(TransitionKind::Stalled, now) };
            self.pending.push(stalled, Origin::Fact);
        }
        self.clock.read(now.monotonic)
    }

    /// Puts a service on the list, and into every index but the deadlines.
    fn enlist(&mut self, row: Row) {
        self.unverified += usize::from(!row.life.verified);
        self.identities.insert(row.record.identity(), row.id());
        self.directory.insert(&row.record);
        self.services.insert(row.id(), row);
    }

    /// Takes a service off the list, and out of every index.
    fn delist(&mut self, id: ServiceId) -> Option<Row> {
        let row = self.services.remove(&id)?;
        self.unverified -= usize::from(!row.life.verified);
        self.forget_identity(&row.record);
        self.directory.remove(&row.record);
        self.deadlines.remove(&(row.life.deadline, id));
        self.brake.let_stay(id);
        Some(row)
    }

    /// Gives a service another record, in every index too.
    fn replace_record(&mut self, id: ServiceId, mut record: Record) {
        self.directory.share_words(&mut record.caps);
        let Some(row) = self.services.get_mut(&id) else { return };
        let old = std::mem::replace(&mut row.record, Arc::new(record));
        let new = row.record.clone();
        self.forget_identity(&old);
        self.identities.insert(new.identity(), id);
        self.directory.remove(&old);
        self.directory.insert(&new);
    }

    fn forget_identity(&mut self, record: &Record) {
        let identity = record.identity();
        if self.identities.get(&identity) == Some(&record.service_id) {
            self.identities.remove(&identity);
        }
    }

    /// A service changed in a way that watchers are told, and the store has to have.
    fn changed(&mut self, id: ServiceId) {
        self.show(id);
        self.pending.mark(id, Extent::Whole);
    }

    /// A service changed in a way that watchers are told.
    fn show(&mut self, id: ServiceId) {
        let gone = !self.services.contains_key(&id);
        self.changes.enter(if gone { Change::Removed(id) } else { Change::Upserted(id) });
    }
}

/// A transition of a service, as it is now. Its place is given when it is recorded.
fn of_service(kind: TransitionKind, row: &Row, from: impl Into<Option<Status>>, now: Now) -> Transition {
    let Row { record, life } = row;
    Transition {
        service_id: Some(record.service_id),
        service_name: Some(record.name.as_ref().to_owned()),
        service_type: Some(record.service_type),
        from_status: from.into(),
        to_status: Some(life.status()),
        to_role: Some(record.role),
        missed_beats: life.missed,
        last_seen: Some(life.last_beat),
        ..of_registry(kind, now)
    }
}

/// A transition of the registry itself.
fn of_registry(kind: TransitionKind, now: Now) -> Transition {
    Transition {
        seq: 0,
        ts: now.wall.into(),
        kind,
        service_id: None,
        service_name: None,
        service_type: None,
        from_status: None,
        to_status: None,
        from_role: None,
        to_role: None,
        missed_beats: 0,
        last_seen: None,
        reason: None,
    }
}
