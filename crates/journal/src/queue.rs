//! What waits for the writer: bounded, and full is an answer, not a wait.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use pas_types::time::WireTime;
use thiserror::Error;

use crate::payload::Payload;
use crate::shared::lock;

/// What one write takes along at the most.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Where a group of records stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The epoch in which the numbers are valid.
    pub epoch: u64,
    /// The first record's number.
    pub first_seq: u64,
    /// The last one's.
    pub last_seq: u64,
}

/// A group could not be written; the journal is as it was before, and tries again with the next.
#[derive(Debug, Clone, Error)]
#[error("the journal can't write now")]
pub struct AppendError(#[source] pub(crate) Arc<io::Error>);

/// A group was not taken; its callback is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// As much waits as may.
    #[error("the journal's queue is full")]
    Full,
    /// Bigger than all that may wait: it would never be taken.
    #[error("a group of {bytes} bytes in {records} records is more than the journal's queue holds")]
    TooLarge {
        /// How many bytes it has.
        bytes: usize,
        /// How many records it has.
        records: usize,
    },
    /// A group without records.
    #[error("a group has at least one record")]
    Empty,
    /// The journal is closed.
    #[error("the journal is closed")]
    Closed,
}

/// Told, in the writer's thread, what became of a group.
pub(crate) type Done = Box<dyn FnOnce(Result<Appended, AppendError>) + Send>;

/// Records that are written together or not at all.
pub(crate) struct Group {
    pub(crate) payloads: Vec<Payload>,
    pub(crate) now: WireTime,
    pub(crate) done: Done,
}

impl Group {
    fn bytes(&self) -> usize {
        self.payloads.iter().map(|payload| payload.as_bytes().len()).sum()
    }
}

/// What the writer is to do next.
pub(crate) struct Work {
    pub(crate) groups: Vec<Group>,
    /// Somebody has told the time, and waits until it is heard.
    pub(crate) told: Option<Told>,
    /// Nothing comes after this.
    pub(crate) last: bool,
}

/// The time. Dropping it lets the one who told it go on.
pub(crate) struct Told {
    pub(crate) now: WireTime,
    _heard: Sender<()>,
}

#[derive(Default)]
struct State {
    groups: std::collections::VecDeque<Group>,
    records: usize,
    bytes: usize,
    told: Option<Told>,
    closed: bool,
}

pub(crate) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    max_records: usize,
    max_bytes: usize,
}

impl Queue {
    pub(crate) fn new(max_records: usize, max_bytes: usize) -> Self {
        Self { state: Mutex::default(), filled: Condvar::new(), max_records, max_bytes }
    }

    /// Adds a group, or says at once why not. Nobody is woken: see [`Self::wake`].
    pub(crate) fn push(&self, group: Group) -> Result<(), Refused> {
        let (records, bytes) = (group.payloads.len(), group.bytes());
        if records == 0 {
            return Err(Refused::Empty);
        }
        if records > self.max_records || bytes > self.max_bytes {
            return Err(Refused::TooLarge { bytes, records });
        }
        let mut state = lock(&self.state);
        if state.closed {
            return Err(Refused::Closed);
        }
        if state.records + records > self.max_records || state.bytes + bytes > self.max_bytes {
            return Err(Refused::Full);
        }
        state.records += records;
        state.bytes += bytes;
        state.groups.push_back(group);
        Ok(())
    }

    /// Wakes the writer's thread, should it sleep.
    pub(crate) fn wake(&self) {
        self.filled.notify_one();
    }

    /// Tells the writer the time, and waits until it has acted on it, or is gone.
    pub(crate) fn tell(&self, now: WireTime) {
        let (heard, hears) = channel();
        let mut state = lock(&self.state);
        if state.closed {
            return;
        }
        state.told = Some(Told { now, _heard: heard });
        drop(state);
        self.filled.notify_one();
        // Nothing is ever sent; the end of the sender is the answer.
        let _ended = hears.recv();
    }

    /// Takes no more; what waits is still done.
    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
        self.filled.notify_one();
    }

    /// Records and bytes that wait.
    pub(crate) fn depth(&self) -> (usize, usize) {
        let state = lock(&self.state);
        (state.records, state.bytes)
    }

    /// Waits for something to do.
    pub(crate) fn wait(&self) {
        let idle = |state: &mut State| state.groups.is_empty() && state.told.is_none() && !state.closed;
        drop(self.filled.wait_while(lock(&self.state), idle).unwrap_or_else(PoisonError::into_inner));
    }

    /// What is to be done now, if anything.
    pub(crate) fn take(&self) -> Work {
        let mut state = lock(&self.state);
        let groups = state.batch();
        let last = state.closed && state.groups.is_empty();
        Work { groups, told: state.told.take(), last }
    }

    /// The groups that one write takes along.
    pub(crate) fn take_groups(&self) -> Vec<Group> {
        lock(&self.state).batch()
    }

    /// Whether no group waits.
    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.state).groups.is_empty()
    }

    /// Takes no more, and gives up what waits: nobody shall wait in a queue that nobody empties.
    pub(crate) fn abandon(&self) {
        self.close();
        while !self.take().groups.is_empty() {}
    }
}

impl State {
    fn batch(&mut self) -> Vec<Group> {
        let mut groups = Vec::with_capacity(self.groups.len());
        let mut taken = 0;
        while let Some(group) = self.groups.pop_front_if(|_| taken < BATCH_BYTES) {
            taken += group.bytes();
            self.records -= group.payloads.len();
            groups.push(group);
        }
        self.bytes -= taken;
        groups
    }
}
