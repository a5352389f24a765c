//! Which calls are open, what the journal knows of each, and up to where in the journal that is true. Pure: told what became
//! of what was handed to the journal, in the journal's order.

use std::collections::HashMap;

use pas_types::id::CallId;

use super::line::Opened;

/// Calls that may be open at once; far more than the gateway carries.
const MOST: usize = 65_536;

/// The open calls.
#[derive(Debug, Default)]
pub(super) struct Calls {
    open: HashMap<CallId, Call>,
    /// All that the journal holds up to here has been taken into account.
    at: u64,
}

#[derive(Debug)]
struct Call {
    record: Record,
    /// Its receipt is on its way.
    settling: bool,
}

/// What the journal knows of a call's beginning.
#[derive(Debug)]
enum Record {
    /// Nothing, for the call is young.
    Waits,
    /// Nothing, for it could not be told.
    Untold(Box<Opened>),
    /// It is on its way.
    Handed(Box<Opened>),
    /// It is there.
    Written(u64),
}

/// Whether a receipt can be handed to the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settle {
    /// At once.
    Now,
    /// As soon as nobody is about to hand over the record of its beginning: that must stand before it.
    AfterRecord,
    /// It is on its way already.
    Twice,
}

/// More calls are open than may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany;

impl Calls {
    /// None; the journal's head is `at`.
    pub(super) fn new(at: u64) -> Self {
        Self { at, ..Self::default() }
    }

    /// A call begins.
    pub(super) fn begin(&mut self, run_id: CallId) -> Result<(), TooMany> {
        if self.open.len() >= MOST {
            return Err(TooMany);
        }
        self.open.insert(run_id, Call { record: Record::Waits, settling: false });
        Ok(())
    }

    /// A call of an earlier run, whose record stands at `seq`.
    pub(super) fn adopt(&mut self, run_id: CallId, seq: u64) {
        self.open.insert(run_id, Call { record: Record::Written(seq), settling: false });
    }

    /// A call goes on: whether the journal is to be told of its beginning now, which is so once.
    pub(super) fn tell(&mut self, opened: &Opened) -> bool {
        // One that is over has its receipt alone.
        let Some(call) = self.open.get_mut(&opened.run_id).filter(|call| !call.settling) else {
            return false;
        };
        let tell = matches!(call.record, Record::Waits);
        if tell {
            call.record = Record::Handed(Box::new(opened.clone()));
        }
        tell
    }

    /// What the journal could not be told of calls that still go on, and is told now: at most `most` of them.
    pub(super) fn untold(&mut self, most: usize) -> Vec<Opened> {
        let untold = self.open.values_mut().filter(|call| !call.settling).filter_map(|call| {
            let Record::Untold(opened) = &call.record else { return None };
            let opened = Opened::clone(opened);
            call.record = Record::Handed(Box::new(opened.clone()));
            Some(opened)
        });
        untold.take(most).collect()
    }

    /// The journal has the records of these calls, the first at `first_seq`.
    pub(super) fn opened(&mut self, calls: &[CallId], first_seq: u64) {
        for (seq, run_id) in (first_seq..).zip(calls) {
            if let Some(call) = self.open.get_mut(run_id) {
                call.record = Record::Written(seq);
            }
            self.at = seq;
        }
    }

    /// The journal could not take the records of these calls: it is to be told again, when it can be.
    pub(super) fn not_opened(&mut self, calls: &[CallId]) {
        for run_id in calls {
            if let Some(call) = self.open.get_mut(run_id)
                && let Record::Handed(opened) = &call.record
            {
                call.record = Record::Untold(opened.clone());
            }
        }
    }

    /// The receipt of a call is handed to the journal next.
    pub(super) fn settle(&mut self, run_id: &CallId) -> Settle {
        let Some(call) = self.open.get_mut(run_id) else { return Settle::Now };
        match (std::mem::replace(&mut call.settling, true), &call.record) {
            (true, _) => Settle::Twice,
            (false, Record::Handed(_)) => Settle::AfterRecord,
            (false, Record::Waits | Record::Untold(_) | Record::Written(_)) => Settle::Now,
        }
    }

    /// The journal has the receipt of a call, at `seq`.
    pub(super) fn settled(&mut self, run_id: &CallId, seq: u64) {
        self.open.remove(run_id);
        self.at = seq;
    }

    /// The journal has something else, up to `seq`.
    pub(super) fn passed(&mut self, seq: u64) {
        self.at = seq;
    }

    /// Calls that are open.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Up to where in the journal everything is accounted for, and where the records of those stand that are open.
    pub(super) fn standing(&self) -> (u64, Vec<u64>) {
        let written = |call: &Call| match call.record {
            Record::Written(seq) => Some(seq),
            Record::Waits | Record::Untold(_) | Record::Handed(_) => None,
        };
        let mut open: Vec<u64> = self.open.values().filter_map(written).collect();
        open.sort_unstable();
        (self.at, open)
    }
}

#[cfg(test)]
mod tests;
