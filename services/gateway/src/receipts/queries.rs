//! What is asked of receipts. In threads that may wait.

use std::sync::Arc;
use std::time::Duration;

use pas_types::id::CallId;
use pas_types::receipt::{ReceiptPage, ReceiptQuery, ReceiptStats, StatsQuery};
use serde_json::value::RawValue;

use super::index::{Cursor, Reader};
use super::line::{Kind, kind};
use super::shared::{Shared, lock};
use super::{Receipts, index};
use crate::error::Error;

/// How long a list waits for what was settled before it was asked for.
const PATIENCE: Duration = Duration::from_millis(500);
/// Records that are passed by rather than looked for, between two that are wanted.
const PASSED_BY: u64 = 64;

impl Receipts {
    /// One receipt, as the journal has it; also when no index has it yet.
    pub fn receipt(&self, run_id: &CallId) -> Result<Box<RawValue>, Error> {
        if let Some(receipt) = self.look(run_id)? {
            return Ok(receipt);
        }
        // Between what the index has and what is remembered may lie what nobody can tell, after a start or under load.
        if let Some(place) = self.unknown_up_to() {
            self.shared.wait_for_index(place, PATIENCE);
            if let Some(receipt) = self.look(run_id)? {
                return Ok(receipt);
            }
            if let Some(place) = self.unknown_up_to() {
                return Err(Error::IndexBehind(place - self.shared.indexed()));
            }
        }
        Err(Error::UnknownCall(run_id.clone()))
    }

    /// Looks among the newest, and in the index.
    fn look(&self, run_id: &CallId) -> Result<Option<Box<RawValue>>, Error> {
        let mut places = self.shared.state().recent.find(run_id.as_str());
        if let Some(index) = self.index_if_any()? {
            places.extend(index.find(run_id.as_str()).map_err(|error| unreadable(&error))?);
        }
        for seq in places {
            // The journal may have dropped it meanwhile.
            if let Some(receipt) = read(&self.shared, [seq])?.pop().filter(|receipt| is_of(receipt, run_id)) {
                return Ok(Some(receipt));
            }
        }
        Ok(None)
    }

    /// The end of the part of the journal that is neither in the index nor remembered, if there is one.
    fn unknown_up_to(&self) -> Option<u64> {
        if !self.shared.config.index {
            return None;
        }
        let head = self.shared.journal.head();
        let remembered = self.shared.state().recent.oldest().unwrap_or(head + 1);
        Some(remembered - 1).filter(|place| *place > self.shared.indexed())
    }

    /// A page of receipts, the newest first.
    pub fn page(&self, query: &ReceiptQuery) -> Result<ReceiptPage, Error> {
        let before: Option<Cursor> =
            query.cursor.as_deref().map(str::parse).transpose().map_err(|()| Error::UnknownCursor)?;
        let (index, behind) = self.index()?;
        let (seqs, next) = index.page(query, before).map_err(|error| unreadable(&error))?;
        let receipts = read(&self.shared, seqs)?;
        Ok(ReceiptPage { receipts, next_cursor: next.map(|next| next.to_string()), behind })
    }

    /// Sums of receipts.
    pub fn stats(&self, query: &StatsQuery) -> Result<ReceiptStats, Error> {
        let (index, behind) = self.index()?;
        let stats = index.stats(query).map_err(|error| unreadable(&error))?;
        Ok(ReceiptStats { behind, ..stats })
    }

    /// The index, with what was settled before it was asked for, if it gets there soon; and how much it lacks if not.
    fn index(&self) -> Result<(Arc<Reader>, Option<u64>), Error> {
        let (shared, head) = (&self.shared, self.shared.journal.head());
        shared.wait_for_index(head, PATIENCE);
        let behind = head.checked_sub(shared.indexed()).filter(|behind| *behind > 0);
        self.index_if_any()?.map(|index| (index, behind)).ok_or(Error::NoIndex)
    }

    fn index_if_any(&self) -> Result<Option<Arc<Reader>>, Error> {
        let index = lock(&self.shared.index).clone();
        if index.is_none() && self.shared.config.index {
            return Err(Error::IndexUnreadable);
        }
        Ok(index)
    }
}

/// The receipts at these places, in their order; one that is gone, or can't be read any more, is left out.
fn read(shared: &Shared, seqs: impl Into<Vec<u64>>) -> Result<Vec<Box<RawValue>>, Error> {
    let seqs: Vec<u64> = seqs.into();
    let mut order: Vec<usize> = (0..seqs.len()).collect();
    order.sort_unstable_by_key(|place| seqs[*place]);
    let mut found: Vec<Option<Box<RawValue>>> = seqs.iter().map(|_| None).collect();
    let mut reader = shared.journal.reader(0);
    for place in order {
        let seq = seqs[place];
        if reader.after() + PASSED_BY < seq || reader.after() >= seq {
            reader = shared.journal.reader(seq - 1);
        }
        let count = usize::try_from(seq - reader.after()).unwrap_or(1);
        let records = reader.read(count, usize::MAX).unwrap_or_else(|_| {
            // Retention has taken it; what comes next may be there.
            reader = shared.journal.reader(seq);
            Vec::new()
        });
        let record = records.into_iter().find(|record| record.seq == seq);
        found[place] =
            record.and_then(|record| RawValue::from_string(String::from_utf8(record.line).ok()?).ok());
    }
    Ok(found.into_iter().flatten().collect())
}

/// Whether a line is the receipt of this call: two ids may have one hash.
fn is_of(receipt: &RawValue, run_id: &CallId) -> bool {
    kind(receipt.get().as_bytes()) == Kind::Receipt(run_id.as_str())
}

fn unreadable(error: &rusqlite::Error) -> Error {
    tracing::error!(%error, damaged = index::is_damaged(error), "the index of receipts can't be read");
    Error::IndexUnreadable
}
