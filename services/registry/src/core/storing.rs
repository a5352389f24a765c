//! How the store follows: what it lacks, and what becomes of that when it has it, or refuses it.

use pas_types::id::ServiceId;
use pas_types::time::Now;

use super::pending::{Batch, Before, Extent};
use super::{Record, Registry, Row, Tombstone};

/// Transitions that fit into a millisecond of epochs.
const SEQ_BITS: u32 = 12;

/// The place of the first transition of an epoch. Epochs are milliseconds, and no registry makes 4,096 transitions a
/// millisecond for long: a place is never used twice, and places are in order across restarts.
pub(super) fn first_seq(epoch: u64) -> u64 {
    epoch << SEQ_BITS
}

/// The epoch of a start at `now`: the milliseconds since 2025, unless the clock went back behind the `last` epoch or
/// the `last_seq` of the transitions. A registry that lost its database begins after its former life all the same.
pub fn next_epoch(last: u64, last_seq: u64, now: Now) -> u64 {
    const START_OF_2025_MS: i64 = 1_735_689_600_000;
    let since = u64::try_from(now.wall.as_millisecond() - START_OF_2025_MS).unwrap_or(0);
    since.max(last + 1).max((last_seq >> SEQ_BITS) + 1)
}

impl Registry {
    /// What the store lacks.
    pub fn batch(&self) -> Batch {
        let (mut batch, dirty) = self.pending.batch();
        for (id, extent) in dirty {
            match (self.services.get(&id), self.tombstones.get(id)) {
                (Some(row), _) if extent == Extent::Beat => batch.beats.push(row.clone()),
                (Some(row), _) => batch.rows.push(row.clone()),
                (None, Some(tombstone)) => batch.gone.push(tombstone.clone()),
                (None, None) => batch.forgotten.push(id),
            }
        }
        batch
    }

    /// The store has `batch` now: the commands in it can be acknowledged, and everything can be shown.
    pub fn committed(&mut self, batch: &Batch) {
        self.pending.committed(batch);
        self.changes.settle();
    }

    /// The store refused the batch: undoes the commands in it. What was observed meanwhile stays.
    pub fn failed(&mut self) {
        let undo = self.pending.failed();
        for (id, before) in undo.services {
            match before {
                Before::Absent => self.undo_registration(id, None),
                Before::Gone(tombstone) => self.undo_registration(id, Some(tombstone)),
                Before::Live(row) => self.undo_change(id, row),
            }
            self.changed(id);
        }
        if let Some(mark) = undo.brake {
            self.brake.undo_release(mark);
        }
        self.changes.settle();
    }

    fn undo_registration(&mut self, id: ServiceId, buried: Option<Tombstone>) {
        self.delist(id);
        self.tombstones.remove(id);
        if let Some(tombstone) = buried {
            self.tombstones.insert(tombstone);
        }
    }

    fn undo_change(&mut self, id: ServiceId, before: Row) {
        match self.tombstones.remove(id) {
            // It fell silent while the write was tried. That is no less true.
            Some(gone) if gone.evicted => {
                let row = Row { record: before.record, life: gone.row.life };
                self.tombstones.insert(Tombstone { row, ..gone });
            }
            // A command had taken it off the list.
            Some(_) => {
                let deadline = before.life.deadline;
                self.enlist(before);
                self.await_beat(id, deadline);
            }
            None => self.undo_description(id, before),
        }
    }

    fn undo_description(&mut self, id: ServiceId, before: Row) {
        let Some(row) = self.services.get_mut(&id) else { return };
        if row.record.lease_id != before.record.lease_id {
            row.life.probe = before.life.probe;
        }
        let missed = row.life.missed;
        let deadline =
            (row.life.deadline + before.record.patience(missed)).saturating_sub(row.record.patience(missed));
        self.replace_record(id, Record::clone(&before.record));
        self.await_beat(id, deadline);
    }
}
