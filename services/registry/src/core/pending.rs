//! What the store doesn't have yet, and how to take back what it will never have.

use std::collections::{HashMap, VecDeque};

use pas_types::id::ServiceId;
use pas_types::registry::Transition;

use super::brake;
use super::row::Row;
use super::tombstones::Tombstone;

/// Where a change comes from, which decides whether a failed write takes it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A client asked for it, and is told only when it is durable.
    Command,
    /// It was observed. It stays true when the disk is full.
    Fact,
}

/// How much of a row the store lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Extent {
    /// The last beat and what it measured.
    Beat,
    /// All of it.
    Whole,
}

/// What a service was before the commands that are not durable yet.
#[derive(Debug)]
pub(crate) enum Before {
    /// Not there.
    Absent,
    /// There.
    Live(Row),
    /// Gone.
    Gone(Tombstone),
}

/// What is to be written in one transaction.
#[derive(Debug, Default)]
pub struct Batch {
    /// Services to write wholly.
    pub rows: Vec<Row>,
    /// Services of which only the last beat and its measures changed.
    pub beats: Vec<Row>,
    /// Services that are gone.
    pub gone: Vec<Tombstone>,
    /// Services of which nothing is to be kept.
    pub forgotten: Vec<ServiceId>,
    /// What happened, in order.
    pub transitions: Vec<Transition>,
    stamp: u64,
}

impl Batch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        let Self { rows, beats, gone, forgotten, transitions, stamp: _ } = self;
        rows.is_empty()
            && beats.is_empty()
            && gone.is_empty()
            && forgotten.is_empty()
            && transitions.is_empty()
    }

    /// The last transition in it.
    pub fn last_seq(&self) -> Option<u64> {
        self.transitions.last().map(|transition| transition.seq)
    }
}

#[derive(Debug, Clone, Copy)]
struct Dirty {
    extent: Extent,
    stamp: u64,
}

#[derive(Debug)]
pub(crate) struct Pending {
    dirty: HashMap<ServiceId, Dirty>,
    stamp: u64,
    transitions: VecDeque<(Transition, Origin)>,
    max_transitions: usize,
    dropped: u64,
    next_seq: u64,
    undo: HashMap<ServiceId, Before>,
    brake: Option<brake::Mark>,
}

/// What a failed write takes back.
pub(crate) struct Undo {
    pub(crate) services: HashMap<ServiceId, Before>,
    pub(crate) brake: Option<brake::Mark>,
}

impl Pending {
    pub(crate) fn new(first_seq: u64, max_transitions: usize) -> Self {
        Self {
            dirty: HashMap::new(),
            stamp: 0,
            transitions: VecDeque::new(),
            max_transitions,
            dropped: 0,
            next_seq: first_seq,
            undo: HashMap::new(),
            brake: None,
        }
    }

    /// The store lacks this much of a service.
    pub(crate) fn mark(&mut self, id: ServiceId, extent: Extent) {
        self.stamp += 1;
        let dirty = self.dirty.entry(id).or_insert(Dirty { extent, stamp: 0 });
        *dirty = Dirty { extent: dirty.extent.max(extent), stamp: self.stamp };
    }

    /// Something happened. Gives it its place among all transitions.
    pub(crate) fn push(&mut self, transition: Transition, origin: Origin) {
        self.transitions.push_back((Transition { seq: self.next_seq, ..transition }, origin));
        self.next_seq += 1;
        if self.transitions.len() > self.max_transitions {
            self.transitions.pop_front();
            self.dropped += 1;
        }
    }

    /// A command is about to change a service, which was like this.
    pub(crate) fn remember(&mut self, id: ServiceId, before: impl FnOnce() -> Before) {
        self.undo.entry(id).or_insert_with(before);
    }

    /// A command is about to release the brake, which was like this.
    pub(crate) fn remember_brake(&mut self, mark: brake::Mark) {
        self.brake.get_or_insert(mark);
    }

    /// What each service was before the commands that are not durable yet.
    pub(crate) fn undoable(&self) -> &HashMap<ServiceId, Before> {
        &self.undo
    }

    /// Everything that the store lacks, as far as `Pending` knows it by itself, and whose rows it lacks.
    pub(crate) fn batch(&self) -> (Batch, impl Iterator<Item = (ServiceId, Extent)>) {
        let transitions = self.transitions.iter().map(|(transition, _)| transition.clone()).collect();
        let batch = Batch { transitions, stamp: self.stamp, ..Batch::default() };
        (batch, self.dirty.iter().map(|(id, dirty)| (*id, dirty.extent)))
    }

    /// The store has it now.
    pub(crate) fn committed(&mut self, batch: &Batch) {
        self.dirty.retain(|_, dirty| dirty.stamp > batch.stamp);
        if let Some(last) = batch.last_seq() {
            while self.transitions.front().is_some_and(|(transition, _)| transition.seq <= last) {
                self.transitions.pop_front();
            }
        }
        self.undo.clear();
        self.brake = None;
    }

    /// The store refused it: forgets what commands did, and answers what they must be undone to.
    pub(crate) fn failed(&mut self) -> Undo {
        self.transitions.retain(|(_, origin)| *origin == Origin::Fact);
        Undo { services: std::mem::take(&mut self.undo), brake: self.brake.take() }
    }

    pub(crate) fn rows(&self) -> usize {
        self.dirty.len()
    }

    pub(crate) fn transitions(&self) -> usize {
        self.transitions.len()
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}
