//! What writer, readers and retention share: which segments there are, the head, and figures.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::segment::Segment;

/// Locks; what a panic left behind is still consistent, since no lock here is held over a call to others.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Known to all.
#[derive(Debug)]
pub(crate) struct Shared {
    /// By first number. The last is the one that grows.
    segments: Mutex<BTreeMap<u64, Arc<Segment>>>,
    head: Mutex<Head>,
    moved: Condvar,
    pub(crate) counts: Counts,
}

/// The number of the last record that may be seen, and how many wait for a higher one.
#[derive(Debug, Default)]
struct Head {
    seq: u64,
    waiting: usize,
}

impl Shared {
    pub(crate) fn new(segments: BTreeMap<u64, Arc<Segment>>, head: u64) -> Self {
        Self {
            segments: Mutex::new(segments),
            head: Mutex::new(Head { seq: head, waiting: 0 }),
            moved: Condvar::new(),
            counts: Counts::default(),
        }
    }

    /// The segments; held for moments only, also while one file is replaced by another.
    pub(crate) fn segments(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Segment>>> {
        lock(&self.segments)
    }

    /// The segment behind the one that begins with `first_seq`.
    pub(crate) fn successor(&self, first_seq: u64) -> Option<Arc<Segment>> {
        self.segments().range((Excluded(first_seq), Unbounded)).next().map(|(_, segment)| Arc::clone(segment))
    }

    /// The number of the last record that may be seen.
    pub(crate) fn head(&self) -> u64 {
        lock(&self.head).seq
    }

    /// Lets `segment` be seen up to `len`, where the record `head` ends, and wakes who waits for it.
    pub(crate) fn publish(&self, segment: &Segment, len: u64, head: u64) {
        let mut shown = lock(&self.head);
        segment.show(len);
        shown.seq = head;
        // To wake nobody is a call into the system, too.
        let is_awaited = shown.waiting > 0;
        drop(shown);
        if is_awaited {
            self.moved.notify_all();
        }
    }

    /// The head, and how much of `segment` may be seen at it.
    pub(crate) fn seen(&self, segment: &Segment) -> (u64, u64) {
        let head = lock(&self.head);
        (head.seq, segment.seen())
    }

    /// Waits until the head is at `seq`; answers whether it is.
    pub(crate) fn wait_for(&self, seq: u64, timeout: Duration) -> bool {
        let mut head = lock(&self.head);
        head.waiting += 1;
        let waited = self.moved.wait_timeout_while(head, timeout, |head| head.seq < seq);
        let (mut head, _) = waited.unwrap_or_else(PoisonError::into_inner);
        head.waiting -= 1;
        head.seq >= seq
    }

    /// The lowest number that was not dropped with its whole segment.
    pub(crate) fn oldest(&self) -> u64 {
        let first = self.segments().keys().next().copied();
        first.unwrap_or_else(|| self.head() + 1)
    }

    /// What all segments hold.
    pub(crate) fn bytes(&self) -> u64 {
        self.segments().values().map(|segment| segment.seen()).sum()
    }
}

/// One figure that only grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Figures since the start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) appended_records: Count,
    pub(crate) appended_bytes: Count,
    pub(crate) write_errors: Count,
    pub(crate) fsyncs: Count,
    pub(crate) fsync_errors: Count,
    pub(crate) skipped_lines: Count,
    pub(crate) dropped_segments: Count,
    pub(crate) compacted_segments: Count,
    pub(crate) merged_segments: Count,
    pub(crate) freed_bytes: Count,
}
