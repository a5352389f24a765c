//! What watchers are told: what exists, then what changes.

use pas_types::id::ServiceId;

use super::changes::{Change, Cursor};
use super::pending::Before;
use super::{Registry, Row};

/// Changes in one answer, at the most.
const CHANGES_AT_ONCE: usize = 500;

/// Everything that exists.
#[derive(Debug)]
pub struct Snapshot {
    /// Where the changes begin that are not in it.
    pub at: Cursor,
    /// Every service, with the index of its latest change.
    pub rows: Vec<(u64, Row)>,
    /// Whether what is not in it does not exist. A registry that began with nothing can't know that until those that
    /// were there before had time to register again; then every watcher gets a second snapshot.
    pub authoritative: bool,
}

/// What changed.
#[derive(Debug)]
pub struct Changes {
    /// Where the next changes begin.
    pub at: Cursor,
    /// The services that are there, with the index of their latest change.
    pub upserted: Vec<(u64, Row)>,
    /// The services that are gone.
    pub removed: Vec<ServiceId>,
    /// There are more, from `at` on.
    pub more: bool,
}

impl Registry {
    /// How far watchers may see: everything up to here can't be undone any more.
    pub fn head(&self) -> Cursor {
        Cursor { epoch: self.epoch, index: self.changes.settled() }
    }

    /// Everything that exists. Of what is not durable yet it tells the state before.
    pub fn snapshot(&self) -> Snapshot {
        let undoable = self.pending.undoable();
        let settled = self.services.values().filter(|row| !undoable.contains_key(&row.id())).cloned();
        let before = undoable.values().filter_map(|before| match before {
            Before::Live(row) => Some(row.clone()),
            Before::Absent | Before::Gone(_) => None,
        });
        let rows = settled.chain(before).map(|row| (self.changes.index_of(row.id()), row)).collect();
        Snapshot { at: self.head(), rows, authoritative: !self.unsure }
    }

    /// What changed after `from`, oldest first; none when only a snapshot can tell.
    pub fn changes_after(&self, from: Cursor) -> Option<Changes> {
        if from.epoch != self.epoch {
            return None;
        }
        let mut news = self.changes.after(from.index)?;
        let mut changes = Changes { at: from, upserted: Vec::new(), removed: Vec::new(), more: false };
        for (index, change) in news.by_ref().take(CHANGES_AT_ONCE) {
            changes.at.index = index;
            match change {
                Change::Upserted(id) => {
                    changes.upserted.extend(self.services.get(&id).map(|row| (index, row.clone())))
                }
                Change::Removed(id) => changes.removed.push(id),
            }
        }
        changes.more = news.next().is_some();
        Some(changes)
    }
}
