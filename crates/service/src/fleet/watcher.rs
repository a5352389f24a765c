//! Follows the watch from message to message, and from one connection to the next.

use std::collections::HashSet;
use std::sync::Arc;

use pas_types::id::ServiceId;
use pas_types::registry::ListedService;

use super::{Cursor, Learned};

/// A message of the registry's watch.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Watched {
    /// A part of all that exists.
    Snapshot {
        /// The place that the whole snapshot is true for.
        at: Cursor,
        services: Vec<Arc<ListedService>>,
        /// Whether this is the last part.
        last: bool,
        /// Whether what is not in it does not exist.
        authoritative: bool,
    },
    /// What changed.
    Changes {
        /// The place after the changes.
        at: Cursor,
        upserted: Vec<Arc<ListedService>>,
        removed: Vec<ServiceId>,
    },
    /// Nothing changed up to here.
    Progress { at: Cursor },
}

/// Where the watch stands.
#[derive(Debug, Default)]
pub(super) struct Watcher {
    cursor: Option<Cursor>,
    /// The services of the snapshot that is arriving.
    snapshot: HashSet<ServiceId>,
}

impl Watcher {
    /// A connection begins. From where to ask: none asks for a snapshot.
    pub(super) fn connect(&mut self) -> Option<Cursor> {
        self.snapshot.clear();
        self.cursor
    }

    /// Takes the next message.
    pub(super) fn take(&mut self, message: Watched) -> Learned {
        match message {
            Watched::Snapshot { at, services, last, authoritative } => {
                self.snapshot.extend(services.iter().map(|service| service.service_id));
                let mut learned = Learned { seen: services, ..Learned::default() };
                if last {
                    let all = std::mem::take(&mut self.snapshot);
                    learned.only = authoritative.then_some(all);
                    // Only a whole snapshot is a place to go on from.
                    self.advance(at, &mut learned);
                }
                learned
            }
            Watched::Changes { at, upserted, removed } => {
                let mut learned = Learned { seen: upserted, gone: removed, ..Learned::default() };
                self.advance(at, &mut learned);
                learned
            }
            Watched::Progress { at } => {
                let mut learned = Learned::default();
                self.advance(at, &mut learned);
                learned
            }
        }
    }

    fn advance(&mut self, at: Cursor, learned: &mut Learned) {
        let before = self.cursor.replace(at);
        learned.new_epoch = before.is_some_and(|before| before.epoch != at.epoch);
        learned.at = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::wire::tests::listed;

    fn at(epoch: u64, index: u64) -> Cursor {
        Cursor { epoch, index }
    }

    fn id(n: u128) -> ServiceId {
        ServiceId(uuid::Uuid::from_u128(n))
    }

    fn part(at: Cursor, service: u128, last: bool, authoritative: bool) -> Watched {
        Watched::Snapshot { at, services: vec![Arc::new(listed(service))], last, authoritative }
    }

    #[test]
    fn only_an_authoritative_snapshot_removes_what_is_not_in_it() {
        let mut watcher = Watcher::default();
        assert_eq!(watcher.take(part(at(1, 5), 1, false, true)).only, None);
        assert_eq!(watcher.take(part(at(1, 5), 2, true, true)).only, Some(HashSet::from([id(1), id(2)])));
        assert_eq!(watcher.take(part(at(1, 6), 3, true, false)).only, None);
        assert_eq!(watcher.take(part(at(1, 7), 4, true, true)).only, Some(HashSet::from([id(4)])));
    }

    #[test]
    fn a_snapshot_that_was_cut_is_no_place_to_go_on_from() {
        let mut watcher = Watcher::default();
        watcher.take(part(at(1, 5), 1, false, true));
        assert_eq!(watcher.connect(), None);
        assert_eq!(watcher.take(part(at(1, 6), 2, true, true)).only, Some(HashSet::from([id(2)])));
        assert_eq!(watcher.connect(), Some(at(1, 6)));
    }

    #[test]
    fn a_new_epoch_is_noticed_once() {
        let mut watcher = Watcher::default();
        let new_epoch = [at(1, 5), at(1, 6), at(2, 1), at(2, 1)]
            .map(|at| watcher.take(Watched::Progress { at }).new_epoch);
        assert_eq!(new_epoch, [false, false, true, false]);
    }
}
