//! A trained model: a weight for each feature and label, and how far its scores are to be trusted.

use super::features::{ByKey, Features, Key, Kind, kind};

/// How much a pair of words, and a piece of one, count beside a word.
const PAIR_SHARE: f32 = 0.6;
const PIECE_SHARE: f32 = 0.35;

/// A model.
#[derive(Debug, Clone)]
pub struct Model {
    pub(super) labels: Vec<String>,
    /// The features that it knows, and the row of each.
    pub(super) rows: ByKey<u32>,
    pub(super) rarity: Rarity,
    pub(super) weights: Weights,
    /// What scores are multiplied by so that probabilities mean what they say.
    pub(super) sharpness: f64,
}

/// How rare features are.
#[derive(Debug, Clone)]
pub(super) struct Rarity {
    /// By row; 0 for a row that isn't known.
    pub(super) rows: Vec<f32>,
    /// That of what isn't known.
    pub(super) unknown: f32,
}

/// What features say for each label.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    /// A weight for each label, row by row.
    pub(super) rows: Vec<f32>,
    /// What each label begins with.
    pub(super) bias: Vec<f32>,
}

/// A text as a vector of length 1: what it has of each row, by row. What is not known has a part in the length, so the more of
/// it there is, the less a text says.
pub(super) type Vector = Vec<(u32, f32)>;

/// What a text is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The probability of each label, in their order.
    pub probabilities: Vec<f64>,
    /// The words of the text.
    pub words: usize,
    /// Those that occur in an example.
    pub known_words: usize,
}

impl Judgement {
    /// The most probable label; of several, the first.
    pub fn label(&self) -> usize {
        let probability = |label: &usize| self.probabilities[*label];
        let labels = (0..self.probabilities.len()).rev();
        labels.max_by(|a, b| probability(a).total_cmp(&probability(b))).unwrap_or_default()
    }
}

impl Model {
    /// The labels, sorted.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// How many features it knows.
    pub fn features(&self) -> usize {
        self.rows.len()
    }

    /// What `text` is about.
    pub fn judge(&self, text: &str) -> Judgement {
        let features = Features::of(text);
        let known_words = features.words.iter().filter(|word| self.rows.contains_key(word)).count();
        let of = |(key, count): (&Key, &u32)| {
            (self.rows.get(key).copied().unwrap_or(UNKNOWN), share(*key, *count))
        };
        let mut shares: Vec<(u32, f32)> = features.counts.iter().map(of).collect();
        shares.sort_unstable_by_key(|(row, _)| *row);
        let scores = self.weights.scores(&self.rarity.vector(&shares));
        Judgement {
            probabilities: probabilities(&scores, self.sharpness),
            words: features.words.len(),
            known_words,
        }
    }
}

/// The row of what isn't known; no model has as many.
const UNKNOWN: u32 = u32::MAX;

impl Rarity {
    /// The vector of a text of which these are the shares, by row.
    pub(super) fn vector(&self, shares: &[(u32, f32)]) -> Vector {
        let mut vector = Vec::with_capacity(shares.len());
        let mut square = 0.0_f64;
        for (row, share) in shares {
            let known = self.rows.get(*row as usize).copied().filter(|rarity| *rarity > 0.0);
            let size = share * known.unwrap_or(self.unknown);
            square += f64::from(size * size);
            vector.extend(known.map(|_| (*row, size)));
        }
        let length = square.sqrt() as f32;
        vector.iter_mut().for_each(|(_, size)| *size /= length);
        vector
    }
}

impl Weights {
    /// How much the text speaks for each label.
    pub(super) fn scores(&self, vector: &[(u32, f32)]) -> Vec<f32> {
        let mut scores = self.bias.clone();
        let labels = scores.len();
        for (row, size) in vector {
            let row = *row as usize * labels;
            for (score, weight) in scores.iter_mut().zip(&self.rows[row..row + labels]) {
                *score += size * weight;
            }
        }
        scores
    }
}

/// What a feature counts for that is so often in a text, however rare it is elsewhere.
pub(super) fn share(key: Key, count: u32) -> f32 {
    let share = match kind(key) {
        Kind::Word => 1.0,
        Kind::Pair => PAIR_SHARE,
        Kind::Piece => PIECE_SHARE,
    };
    share * (1.0 + (count as f32).ln())
}

/// What scores say as probabilities, which together are 1.
pub(super) fn probabilities(scores: &[f32], sharpness: f64) -> Vec<f64> {
    let most = scores.iter().copied().fold(f32::MIN, f32::max);
    let raised: Vec<f64> = scores.iter().map(|score| (f64::from(score - most) * sharpness).exp()).collect();
    let sum: f64 = raised.iter().sum();
    raised.into_iter().map(|raised| raised / sum).collect()
}
