//! What is registered, with a place for each change, so that a reader is told what it doesn't know yet and no more.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::str::FromStr;
use std::sync::Arc;

use pas_types::Error;
use pas_types::id::ServiceId;
use pas_types::registry::ListedService;

/// Removals that are remembered.
pub const KEPT: usize = 10_000;

/// A place in the log: everything up to it is known. On the wire it is `epoch:index`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The life of the log. Places in different ones can't be compared.
    pub epoch: u64,
    /// How many changes there were.
    pub index: u64,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.epoch, self.index)
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (epoch, index) = text.split_once(':').unwrap_or_default();
        if let (Ok(epoch), Ok(index)) = (epoch.parse(), index.parse()) {
            return Ok(Self { epoch, index });
        }
        let message =
            format!("`{text}` is not a cursor: use one as it was answered, or leave it out for all");
        Err(Error::invalid("since", message))
    }
}

/// What a reader is told.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// The place after it.
    pub cursor: Cursor,
    /// Whether this is everything, and what the reader knew is to be forgotten.
    pub reset: bool,
    /// Services that are new or changed, by their ids.
    pub services: Vec<Arc<ListedService>>,
    /// Services that are gone, by their ids.
    pub gone: Vec<ServiceId>,
}

/// The log.
#[derive(Debug)]
pub struct Changes {
    at: Cursor,
    /// Each service, and the place of its last change.
    services: BTreeMap<ServiceId, (Arc<ListedService>, u64)>,
    /// Removals by place. Who came back since is still in it.
    gone: VecDeque<(u64, ServiceId)>,
    kept: usize,
    /// Removals up to here are forgotten.
    horizon: u64,
}

impl Changes {
    /// An empty log that remembers so many removals; `epoch` is another one for each.
    pub fn new(epoch: u64, kept: usize) -> Self {
        let at = Cursor { epoch, index: 0 };
        Self { at, services: BTreeMap::new(), gone: VecDeque::new(), kept, horizon: 0 }
    }

    /// Takes what was learned at once: these were seen, these are gone, and where `only` is said, so are all others.
    pub fn learn(
        &mut self,
        seen: Vec<Arc<ListedService>>,
        gone: Vec<ServiceId>,
        only: Option<&HashSet<ServiceId>>,
    ) {
        let place = self.at.index + 1;
        for service in seen {
            let known = self.services.get(&service.service_id);
            if known.is_none_or(|(known, _)| *known != service) {
                self.services.insert(service.service_id, (service, place));
                self.at.index = place;
            }
        }
        let others = |id: &&ServiceId| only.is_some_and(|only| !only.contains(id));
        let others: Vec<_> = self.services.keys().filter(others).copied().collect();
        for id in gone.into_iter().chain(others) {
            if self.services.remove(&id).is_some() {
                self.gone.push_back((place, id));
                self.at.index = place;
            }
        }
        while self.gone.len() > self.kept {
            if let Some((place, _)) = self.gone.pop_front() {
                self.horizon = place;
            }
        }
    }

    /// What happened since a place; everything where that is no place of this log, or too long ago.
    pub fn since(&self, cursor: Option<Cursor>) -> News {
        let is_known =
            |at: &Cursor| at.epoch == self.at.epoch && (self.horizon..=self.at.index).contains(&at.index);
        let Some(Cursor { index, .. }) = cursor.filter(is_known) else {
            let services = self.services.values().map(|(service, _)| Arc::clone(service)).collect();
            return News { cursor: self.at, reset: true, services, gone: Vec::new() };
        };
        let changed = self.services.values().filter(|(_, place)| *place > index);
        let services = changed.map(|(service, _)| Arc::clone(service)).collect();
        let gone = self.gone.iter().rev().take_while(|(place, _)| *place > index).map(|(_, id)| *id);
        let gone: BTreeSet<_> = gone.filter(|id| !self.services.contains_key(id)).collect();
        News { cursor: self.at, reset: false, services, gone: gone.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests;
