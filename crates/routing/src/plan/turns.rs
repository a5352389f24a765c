//! Whose turn it is among those who are as good as each other: smooth weighted round robin.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Turns that are remembered.
const KEPT: usize = 4_096;

/// Keys are hashes already.
#[derive(Debug, Clone, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// Who is how far ahead of its share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turns {
    ahead: HashMap<u64, i64, BuildHasherDefault<AsItIs>>,
    rounds: u32,
}

impl Turns {
    /// Another place to begin with at each call, so that of very many equals not always the same few are looked at.
    pub(super) fn next_beginning(&mut self, of: usize) -> usize {
        self.rounds = self.rounds.wrapping_add(1);
        if of == 0 { 0 } else { self.rounds as usize % of }
    }

    /// The place of the one whose turn it is, of those with these keys and weights. Over many calls each gets its share,
    /// and nobody gets his all at once.
    pub(super) fn take(&mut self, group: impl Iterator<Item = (u64, u32)> + Clone) -> usize {
        if self.ahead.len() > KEPT {
            // Nobody is owed anything for ever.
            self.ahead.clear();
        }
        let (mut total, mut best) = (0, None::<(usize, u64, i64)>);
        for (place, (key, weight)) in group.enumerate() {
            let due = self.ahead.entry(key).or_default();
            *due = due.saturating_add(weight.into());
            total += i64::from(weight);
            if best.is_none_or(|(_, _, most)| *due > most) {
                best = Some((place, key, *due));
            }
        }
        let Some((place, key, _)) = best else { return 0 };
        if let Some(due) = self.ahead.get_mut(&key) {
            *due = due.saturating_sub(total);
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(turns: &mut Turns, weights: &[u32], count: usize) -> Vec<usize> {
        let group = weights.iter().enumerate().map(|(place, weight)| (place as u64, *weight));
        (0..count).map(|_| turns.take(group.clone())).collect()
    }

    #[test]
    fn each_gets_its_share_and_nobody_all_of_it_at_once() {
        assert_eq!(sequence(&mut Turns::default(), &[5, 1, 1], 7), [0, 0, 1, 0, 2, 0, 0]);
        assert_eq!(sequence(&mut Turns::default(), &[1, 1, 1], 6), [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut turns = Turns::default();
        for key in 0..20_000 {
            turns.take([(key, 1), (key + 1, 1)].into_iter());
        }
        assert!(turns.ahead.len() <= KEPT + 2);
    }
}
