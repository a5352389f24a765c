//! What watchers are told: what exists, then what changes.

use pas_types::id::ServiceId;

use super::changes::{Change, Cursor};
use super::pending::Before;
use super::{Registry, Row};

/// Services in one message to watchers, at the most.
const ROWS: usize = 500;
/// When an answer weighs so much, it is full. With the heaviest service on top it stays below the 4 MiB that readers of
/// messages take by default.
const FULL_BYTES: usize = 1024 * 1024;

/// The room in one answer.
#[derive(Debug)]
pub struct Room {
    rows: usize,
    bytes: usize,
}

impl Room {
    /// That of an answer of at most so many services.
    pub fn new(rows: usize) -> Self {
        Self { rows, bytes: FULL_BYTES }
    }

    /// That of a message to watchers.
    pub fn of_message() -> Self {
        Self::new(ROWS)
    }

    /// Whether another service fits.
    pub fn is_left(&self) -> bool {
        self.rows > 0 && self.bytes > 0
    }

    /// A service of this weight goes in.
    pub fn take(&mut self, weight: usize) {
        self.rows = self.rows.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(weight);
    }
}

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
        let mut news = self.changes.after(from.index)?.peekable();
        let mut room = Room::of_message();
        let mut changes = Changes { at: from, upserted: Vec::new(), removed: Vec::new(), more: false };
        while room.is_left()
            && let Some((index, change)) = news.next()
        {
            changes.at.index = index;
            match change {
                Change::Upserted(id) => {
                    let row = self.services.get(&id);
                    room.take(row.map_or(0, Row::weight));
                    changes.upserted.extend(row.map(|row| (index, row.clone())));
                }
                Change::Removed(id) => {
                    room.take(0);
                    changes.removed.push(id);
                }
            }
        }
        changes.more = news.peek().is_some();
        Some(changes)
    }
}
