//! The newest receipts, by place in the journal: whoever has an answer finds its receipt, before the index has it.

use std::collections::VecDeque;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

/// Receipts that are remembered; beyond it the oldest go.
const MOST: usize = 131_072;

/// Where the newest receipts stand. What it names must be looked at: two ids may have one hash.
#[derive(Debug, Default)]
pub(super) struct Recent {
    places: VecDeque<Place>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    seq: u64,
    hash: u64,
}

impl Recent {
    /// The receipt of `run_id` stands at `seq`, behind all others.
    pub(super) fn push(&mut self, run_id: &str, seq: u64) {
        if self.places.len() == MOST {
            self.places.pop_front();
        }
        self.places.push_back(Place { seq, hash: hash(run_id) });
    }

    /// The index has all up to `seq`.
    pub(super) fn forget(&mut self, seq: u64) {
        let known = self.places.partition_point(|place| place.seq <= seq);
        self.places.drain(..known);
        // What a burst took is given back; what a usual second needs is kept.
        if self.places.is_empty() && self.places.capacity() > MOST / 16 {
            self.places.shrink_to(MOST / 64);
        }
    }

    /// Where the receipt of `run_id` may stand, the newest first.
    pub(super) fn find(&self, run_id: &str) -> Vec<u64> {
        let wanted = hash(run_id);
        self.places.iter().rev().filter(|place| place.hash == wanted).map(|place| place.seq).collect()
    }

    /// The oldest place that is remembered.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.places.front().map(|place| place.seq)
    }
}

fn hash(run_id: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(run_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_found_until_the_index_has_it() {
        let mut recent = Recent::default();
        for seq in [3, 5, 9] {
            recent.push(&format!("gw-{seq}"), seq);
        }
        assert_eq!([3, 5, 9].map(|seq| recent.find(&format!("gw-{seq}"))), [vec![3], vec![5], vec![9]]);
        recent.forget(5);
        assert_eq!([3, 5, 9].map(|seq| recent.find(&format!("gw-{seq}"))), [vec![], vec![], vec![9]]);
        assert_eq!(recent.oldest(), Some(9));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_what_a_burst_took_is_given_back() {
        let mut recent = Recent::default();
        for seq in 1..=2 * MOST as u64 {
            recent.push("gw-1", seq);
        }
        assert_eq!((recent.places.len(), recent.oldest()), (MOST, Some(MOST as u64 + 1)));
        recent.forget(u64::MAX);
        assert!(recent.places.capacity() <= MOST / 16);
    }
}
