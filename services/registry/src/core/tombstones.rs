//! What is gone, kept for a while: so that it is known again when it comes back, and can be looked up meanwhile.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use pas_types::id::ServiceId;
use pas_types::registry::Deregistered;
use pas_types::time::{Now, WireTime};

use super::row::{Identity, Row};

/// A service that is gone.
#[derive(Debug, Clone, PartialEq)]
pub struct Tombstone {
    /// The service as it was at its end.
    pub row: Row,
    /// Since when it is gone.
    pub ts: WireTime,
    /// Why.
    pub reason: Option<String>,
    /// It stayed silent, and nobody took it off the list.
    pub evicted: bool,
}

impl Tombstone {
    /// As it is told.
    pub fn view(&self) -> Deregistered {
        Deregistered { service_id: self.row.id(), ts: self.ts, reason: self.reason.clone() }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Tombstones {
    by_id: HashMap<ServiceId, Tombstone>,
    by_identity: HashMap<Identity, ServiceId>,
    by_age: BTreeSet<(WireTime, ServiceId)>,
}

impl Tombstones {
    pub(crate) fn get(&self, id: ServiceId) -> Option<&Tombstone> {
        self.by_id.get(&id)
    }

    /// The service of this name and url that went last.
    pub(crate) fn find(&self, identity: &Identity) -> Option<&Tombstone> {
        self.by_id.get(self.by_identity.get(identity)?)
    }

    pub(crate) fn insert(&mut self, tombstone: Tombstone) {
        let id = tombstone.row.id();
        self.remove(id);
        self.by_identity.insert(tombstone.row.record.identity(), id);
        self.by_age.insert((tombstone.ts, id));
        self.by_id.insert(id, tombstone);
    }

    pub(crate) fn remove(&mut self, id: ServiceId) -> Option<Tombstone> {
        let tombstone = self.by_id.remove(&id)?;
        self.by_age.remove(&(tombstone.ts, id));
        let identity = tombstone.row.record.identity();
        if self.by_identity.get(&identity) == Some(&id) {
            self.by_identity.remove(&identity);
        }
        Some(tombstone)
    }

    /// Forgets the oldest: those beyond `max`, and those older than `age`.
    pub(crate) fn expire(&mut self, now: Now, max: usize, age: Duration) -> Vec<ServiceId> {
        let cutoff = WireTime::from_millis(WireTime::from(now.wall).as_millis() - age.as_millis() as i64);
        let mut expired = Vec::new();
        while let Some(&(ts, id)) = self.by_age.first()
            && (self.by_age.len() > max || ts < cutoff)
        {
            self.remove(id);
            expired.push(id);
        }
        expired
    }
}
