//! The newest events, in memory: what nearly every subscriber reads.

use std::collections::VecDeque;
use std::sync::Arc;

use pas_types::event::{Header, RawEvent};

/// Bytes of lines that are held.
const BYTES: usize = 6 * 1024 * 1024;
/// What an entry takes besides its line, about.
const OVERHEAD: usize = 200;

/// An event as the journal has it.
#[derive(Debug)]
pub struct Entry {
    /// Its place.
    pub seq: u64,
    /// What tells whether it is wanted.
    pub header: Header<'static>,
    /// Its line.
    pub line: RawEvent,
}

/// The newest events, without a gap.
#[derive(Debug, Default)]
pub struct Recent {
    entries: VecDeque<Arc<Entry>>,
    bytes: usize,
    /// The place before the first of them.
    before: u64,
}

impl Recent {
    /// Nothing, after the place `before`.
    pub fn after_place(before: u64) -> Self {
        Self { before, ..Self::default() }
    }

    /// The next one.
    pub fn push(&mut self, entry: Arc<Entry>) {
        self.bytes += entry.line.get().len() + OVERHEAD;
        self.entries.push_back(entry);
        while self.bytes > BYTES
            && let Some(oldest) = self.entries.pop_front()
        {
            self.bytes -= oldest.line.get().len() + OVERHEAD;
            self.before = oldest.seq;
        }
    }

    /// Those after the place `after`: at most `records`, and no more once they have `bytes`. None when that is further back
    /// than is held.
    pub fn after(&self, after: u64, records: usize, bytes: usize) -> Option<Vec<Arc<Entry>>> {
        if after < self.before {
            return None;
        }
        let start = self.entries.partition_point(|entry| entry.seq <= after);
        let mut room = bytes;
        let fits = |entry: &&Arc<Entry>| {
            let there_is = room > 0;
            room = room.saturating_sub(entry.line.get().len());
            there_is
        };
        Some(self.entries.range(start..).take(records).take_while(fits).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64, bytes: usize) -> Arc<Entry> {
        let line = format!(r#"{{"event_type":"log","message":"{}"}}"#, "x".repeat(bytes));
        let header = Header::read(line.as_bytes()).unwrap().into_owned();
        Arc::new(Entry {
            seq,
            header,
            line: RawEvent::from(serde_json::value::RawValue::from_string(line).unwrap()),
        })
    }

    #[test]
    fn those_after_a_place_are_handed_out_and_what_is_further_back_is_not_here() {
        let mut recent = Recent::after_place(10);
        for seq in [11, 12, 15] {
            recent.push(entry(seq, 10));
        }
        let seqs = |after, limit| {
            recent
                .after(after, limit, 1_000)
                .map(|entries| entries.iter().map(|entry| entry.seq).collect::<Vec<_>>())
        };
        assert_eq!(seqs(9, 9), None);
        assert_eq!(seqs(10, 2), Some(vec![11, 12]));
        assert_eq!(seqs(13, 9), Some(vec![15]));
        assert_eq!(seqs(15, 9), Some(vec![]));
        assert_eq!(recent.after(10, 9, 1).unwrap().len(), 1, "one at least, however few the bytes");
    }

    #[test]
    fn its_bytes_are_bounded() {
        let mut recent = Recent::after_place(0);
        for seq in 1..=20 {
            recent.push(entry(seq, BYTES / 10));
        }
        assert!(recent.bytes <= BYTES);
        let first = recent.after(recent.before, 1, 1).unwrap()[0].seq;
        assert_eq!(first, recent.before + 1);
        assert!(recent.after(recent.before - 1, 1, 1).is_none());
    }
}
