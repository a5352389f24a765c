//! The change log: which service changed when, counted by an index. A watcher is a cursor into it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound::{Excluded, Included};

use pas_types::id::ServiceId;

/// A place in the change log. Indices of different epochs can't be compared; every start of the registry is an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The start of the registry.
    pub epoch: u64,
    /// The change.
    pub index: u64,
}

/// What became of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is there, and not as it was.
    Upserted(ServiceId),
    /// It is gone.
    Removed(ServiceId),
}

impl Change {
    fn id(self) -> ServiceId {
        match self {
            Self::Upserted(id) | Self::Removed(id) => id,
        }
    }
}

/// The latest change of each service, by index. Removals are remembered up to a bound, behind which (the horizon)
/// a watcher needs a snapshot.
#[derive(Debug)]
pub(crate) struct ChangeLog {
    by_index: BTreeMap<u64, Change>,
    by_id: HashMap<ServiceId, u64>,
    removals: BTreeSet<u64>,
    max_removals: usize,
    latest: u64,
    settled: u64,
    horizon: u64,
}

impl ChangeLog {
    pub(crate) fn new(max_removals: usize) -> Self {
        Self {
            by_index: BTreeMap::new(),
            by_id: HashMap::new(),
            removals: BTreeSet::new(),
            max_removals,
            latest: 0,
            settled: 0,
            horizon: 0,
        }
    }

    /// Enters a change, in place of the earlier one of the same service.
    pub(crate) fn enter(&mut self, change: Change) {
        self.latest += 1;
        if let Some(earlier) = self.by_id.insert(change.id(), self.latest) {
            self.by_index.remove(&earlier);
            self.removals.remove(&earlier);
        }
        self.by_index.insert(self.latest, change);
        if let Change::Removed(_) = change {
            self.removals.insert(self.latest);
        }
        while self.removals.len() > self.max_removals {
            self.drop_oldest_removal();
        }
    }

    fn drop_oldest_removal(&mut self) {
        let Some(index) = self.removals.pop_first() else { return };
        if let Some(change) = self.by_index.remove(&index) {
            self.by_id.remove(&change.id());
        }
        self.horizon = self.horizon.max(index);
    }

    /// Whoever has read the log up to here needs a snapshot.
    pub(crate) fn start_over(&mut self) {
        self.latest += 1;
        self.horizon = self.latest;
    }

    /// Everything entered so far may be shown: nothing of it can be undone any more.
    pub(crate) fn settle(&mut self) {
        self.settled = self.latest;
    }

    /// The greatest index that may be shown.
    pub(crate) fn settled(&self) -> u64 {
        self.settled
    }

    /// The index of the latest change of a service; 0 when it hasn't changed since the start.
    pub(crate) fn index_of(&self, id: ServiceId) -> u64 {
        self.by_id.get(&id).copied().unwrap_or(0)
    }

    /// The settled changes after `index`, oldest first; none when something that was removed since is forgotten, or
    /// when the index was never given out.
    pub(crate) fn after(&self, index: u64) -> Option<impl Iterator<Item = (u64, Change)>> {
        if index < self.horizon || index > self.latest {
            return None;
        }
        let news = self.by_index.range((Excluded(index), Included(self.settled.max(index))));
        Some(news.map(|(index, change)| (*index, *change)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::tests::id;

    fn shown(log: &ChangeLog, index: u64) -> Option<Vec<(u64, Change)>> {
        log.after(index).map(Iterator::collect)
    }

    #[test]
    fn changes_of_one_service_coalesce() {
        let mut log = ChangeLog::new(10);
        for change in [Change::Upserted(id(1)), Change::Upserted(id(2)), Change::Upserted(id(1))] {
            log.enter(change);
        }
        log.settle();
        assert_eq!(shown(&log, 0), Some(vec![(2, Change::Upserted(id(2))), (3, Change::Upserted(id(1)))]));
        assert_eq!(shown(&log, 3), Some(vec![]));
    }

    #[test]
    fn what_is_not_settled_is_not_shown() {
        let mut log = ChangeLog::new(10);
        log.enter(Change::Upserted(id(1)));
        log.settle();
        log.enter(Change::Upserted(id(2)));
        assert_eq!(shown(&log, 0), Some(vec![(1, Change::Upserted(id(1)))]));
        assert_eq!(shown(&log, 2), Some(vec![]));
    }

    #[test]
    fn behind_the_oldest_remembered_removal_a_snapshot_is_needed() {
        let mut log = ChangeLog::new(1);
        log.enter(Change::Removed(id(1)));
        log.enter(Change::Removed(id(2)));
        log.settle();
        assert_eq!(shown(&log, 0), None);
        assert_eq!(shown(&log, 1), Some(vec![(2, Change::Removed(id(2)))]));
    }

    #[test]
    fn after_a_new_beginning_everyone_needs_a_snapshot_once() {
        let mut log = ChangeLog::new(10);
        log.enter(Change::Upserted(id(1)));
        log.start_over();
        log.settle();
        assert_eq!(shown(&log, 1), None);
        assert_eq!(shown(&log, log.settled()), Some(vec![]));
    }

    #[test]
    fn forgetting_an_old_removal_does_not_take_back_a_new_beginning() {
        let mut log = ChangeLog::new(1);
        log.enter(Change::Removed(id(1)));
        log.start_over();
        log.enter(Change::Removed(id(2)));
        log.settle();
        assert_eq!(shown(&log, 1), None);
    }

    #[test]
    fn an_index_that_was_never_given_out_needs_a_snapshot() {
        assert_eq!(shown(&ChangeLog::new(1), 7), None);
    }
}
