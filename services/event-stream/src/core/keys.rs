//! The idempotency keys of the latest events, so that one that is published again is not kept twice.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

/// What is known of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// An event with it is being written.
    Underway,
    /// The event with it has this place.
    At(u64),
}

/// The keys of as many events as there is room for; the oldest go.
#[derive(Debug)]
pub struct Keys {
    room: usize,
    // Half a key's hash each: a key itself may have 256 bytes.
    hashers: [RandomState; 2],
    known: HashMap<u128, Known>,
    order: VecDeque<u128>,
}

impl Keys {
    /// Room for `room` keys.
    pub fn new(room: usize) -> Self {
        Self { room, hashers: Default::default(), known: HashMap::new(), order: VecDeque::new() }
    }

    fn digest(&self, key: &str) -> u128 {
        let [high, low] = &self.hashers;
        (u128::from(high.hash_one(key)) << 64) | u128::from(low.hash_one(key))
    }

    /// What is known of `key`.
    pub fn get(&self, key: &str) -> Option<Known> {
        self.known.get(&self.digest(key)).copied()
    }

    /// An event with `key` is about to be written.
    pub fn begin(&mut self, key: &str) {
        self.known.insert(self.digest(key), Known::Underway);
    }

    /// It has its place.
    pub fn place(&mut self, key: &str, seq: u64) {
        let digest = self.digest(key);
        if !matches!(self.known.insert(digest, Known::At(seq)), Some(Known::At(_))) {
            self.order.push_back(digest);
        }
        while self.order.len() > self.room {
            let oldest = self.order.pop_front();
            oldest.and_then(|oldest| self.known.remove(&oldest));
        }
    }

    /// It could not be written.
    pub fn give_up(&mut self, key: &str) {
        let digest = self.digest(key);
        if self.known.get(&digest) == Some(&Known::Underway) {
            self.known.remove(&digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_from_its_beginning_to_its_place() {
        let mut keys = Keys::new(10);
        assert_eq!(keys.get("a"), None);
        keys.begin("a");
        assert_eq!(keys.get("a"), Some(Known::Underway));
        keys.place("a", 7);
        assert_eq!((keys.get("a"), keys.get("b")), (Some(Known::At(7)), None));
        keys.give_up("a");
        assert_eq!(keys.get("a"), Some(Known::At(7)), "what has a place is not given up");
    }

    #[test]
    fn what_could_not_be_written_may_come_again() {
        let mut keys = Keys::new(10);
        keys.begin("a");
        keys.give_up("a");
        assert_eq!(keys.get("a"), None);
    }

    #[test]
    fn the_oldest_keys_make_room() {
        let mut keys = Keys::new(3);
        for (seq, key) in ["a", "b", "c", "d"].into_iter().enumerate() {
            keys.begin(key);
            keys.place(key, seq as u64);
        }
        keys.place("d", 3);
        assert_eq!(["a", "b", "c", "d"].map(|key| keys.get(key).is_some()), [false, true, true, true]);
    }
}
