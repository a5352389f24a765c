//! What the model sees of a text: its words, its pairs of neighbouring words, and pieces of its words, each as a number.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::words;

/// Lengths of the pieces of a word.
const PIECES: std::ops::RangeInclusive<usize> = 3..=5;

/// A feature: the hash of what it stands for. Two that share a number are taken for one, which is rare among 2^64.
pub type Key = u64;

/// A map by features, which are hashes already.
pub type ByKey<T> = HashMap<Key, T, BuildHasherDefault<AsItIs>>;

/// How often each feature is in a text.
#[derive(Debug, Default)]
pub struct Features {
    /// The features with their counts.
    pub counts: ByKey<u32>,
    /// The words among them, in order, once for each time that they are in the text.
    pub words: Vec<Key>,
}

impl Features {
    /// Those of `text`.
    pub fn of(text: &str) -> Self {
        let mut features = Self::default();
        let mut before = START;
        let mut framed = Vec::new();
        words::each(text, |word| {
            let key = key_of(word);
            features.words.push(key);
            features.add(key);
            features.add(pair(before, key));
            before = key;
            framed.clear();
            framed.push('^');
            framed.extend(word.chars());
            framed.push('$');
            if framed.len() > *PIECES.end() {
                for length in PIECES {
                    for piece in framed.windows(length) {
                        features.add(hash_piece(piece));
                    }
                }
            }
        });
        features
    }

    fn add(&mut self, key: Key) {
        *self.counts.entry(key).or_default() += 1;
    }
}

/// The kinds of features, which a key carries in its last two bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A word.
    Word = 0,
    /// Two words in a row, or the first one.
    Pair = 1,
    /// Some letters of a word in a row.
    Piece = 2,
}

/// What kind of feature it is.
pub fn kind(key: Key) -> Kind {
    match key & 3 {
        0 => Kind::Word,
        1 => Kind::Pair,
        _ => Kind::Piece,
    }
}

/// Where FNV-1a hashes begin.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
/// And what they are multiplied by.
const PRIME: u64 = 0x0000_0100_0000_01b3;
/// What stands before the first word.
const START: Key = 0x9e37_79b9_7f4a_7c15;

/// The feature that stands for a word.
pub fn key_of(word: &str) -> Key {
    let hash = word.bytes().fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    of_kind(Kind::Word, hash)
}

fn hash_piece(letters: &[char]) -> Key {
    let fold = |hash: u64, letter: &char| (hash ^ u64::from(u32::from(*letter))).wrapping_mul(PRIME);
    of_kind(Kind::Piece, letters.iter().fold(BASIS, fold))
}

fn pair(before: Key, key: Key) -> Key {
    of_kind(Kind::Pair, before.rotate_left(23) ^ key.wrapping_mul(PRIME))
}

fn of_kind(kind: Kind, hash: u64) -> Key {
    (mix(hash) & !3) | kind as u64
}

/// Spreads what differs over all bits, since maps look at some of them alone.
fn mix(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// A hasher for what is a hash already.
#[derive(Debug, Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
