//! Training: multinomial logistic regression by stochastic gradients, in an order that is always the same. Before, a part of the
//! examples at a time is left out, to learn how often such a model is right about what it has not seen, and how far its
//! scores are to be trusted.

use super::corpus::{Corpus, Example};
use super::features::{ByKey, Features};
use super::model::{Model, Rarity, Weights, probabilities, share};

/// Times that each example is learned from.
const EPOCHS: usize = 6;
/// How far a step goes, at first.
const RATE: f32 = 0.1;
/// How much of a weight is given up at each step, so that none rests on few examples.
const DECAY: f32 = 0.02;
/// The same for what a label begins with.
const BIAS_DECAY: f32 = 0.01;
/// Parts of the examples, each of which is left out once.
const PARTS: usize = 5;

/// A model, and how good it is.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The model.
    pub model: Model,
    /// The examples that it was made from.
    pub examples: usize,
    /// How many of them it is right about when it has not seen them.
    pub right_unseen: usize,
}

/// Texts as rows of numbers, end to end, since many small lists would leave the memory in shreds.
#[derive(Default)]
struct Texts {
    rows: Vec<(u32, f32)>,
    /// Where each text ends.
    ends: Vec<usize>,
    labels: Vec<usize>,
}

impl Texts {
    fn push(&mut self, rows: impl IntoIterator<Item = (u32, f32)>, label: usize) {
        self.rows.extend(rows);
        self.ends.push(self.rows.len());
        self.labels.push(label);
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.ends.clear();
        self.labels.clear();
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    /// The rows of the text at `place`, and its label.
    fn get(&self, place: usize) -> (&[(u32, f32)], usize) {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        (&self.rows[start..self.ends[place]], self.labels[place])
    }
}

/// A text that a model has not seen: the scores of its labels, and the one that is right.
type Unseen = (Vec<f32>, usize);

/// Makes a model from `corpus`.
pub fn train(corpus: &Corpus) -> Trained {
    let (rows, texts) = count(corpus);
    let mut learner = Learner::new(rows.len(), corpus.labels().len());
    let mut unseen: Vec<Unseen> = Vec::with_capacity(texts.len());
    for part in 0..PARTS {
        learner.learn(&texts, |place| place % PARTS != part);
        let left_out = (part..texts.len()).step_by(PARTS).map(|place| texts.get(place));
        unseen.extend(left_out.map(|(shares, label)| (learner.scores(shares), label)));
    }
    learner.learn(&texts, |_| true);
    let right_unseen = unseen.iter().filter(|(scores, label)| best(scores) == *label).count();
    let Learner { rarity, weights, .. } = learner;
    let sharpness = sharpness(&unseen);
    let model = Model { labels: corpus.labels().to_vec(), rows, rarity, weights, sharpness };
    Trained { model, examples: texts.len(), right_unseen }
}

/// Gives each feature of the examples a row, and each example what its features count for, however rare they are.
fn count(corpus: &Corpus) -> (ByKey<u32>, Texts) {
    let mut rows: ByKey<u32> = ByKey::default();
    let mut texts = Texts::default();
    for Example { text, label } in corpus.examples() {
        let features = Features::of(text);
        let mut shares: Vec<(u32, f32)> = Vec::with_capacity(features.counts.len());
        for (key, count) in &features.counts {
            let next = rows.len() as u32;
            shares.push((*rows.entry(*key).or_insert(next), share(*key, *count)));
        }
        shares.sort_unstable_by_key(|(row, _)| *row);
        texts.push(shares, *label);
    }
    (rows, texts)
}

/// Learns, as often as it is told to, each time from the beginning. Its room is the same each time, and large: an allocator that
/// was asked for it again and again would keep it.
struct Learner {
    rarity: Rarity,
    weights: Weights,
    /// How far each weight has moved.
    moved: Weights,
    lessons: Texts,
}

impl Learner {
    fn new(rows: usize, labels: usize) -> Self {
        let rarity = Rarity { rows: vec![0.0; rows], unknown: 0.0 };
        let zero = || Weights { rows: vec![0.0; rows * labels], bias: vec![0.0; labels] };
        Self { rarity, weights: zero(), moved: zero(), lessons: Texts::default() }
    }

    /// Learns from the texts at the places that are `seen`.
    fn learn(&mut self, texts: &Texts, seen: impl Fn(usize) -> bool) {
        let seen = || (0..texts.len()).filter(|place| seen(*place)).map(|place| texts.get(place));
        self.rarity.learn(seen().count(), seen().flat_map(|(shares, _)| shares).map(|(row, _)| *row));
        self.lessons.clear();
        seen().for_each(|(shares, label)| self.lessons.push(self.rarity.vector(shares), label));
        self.weights.fill(0.0, 0.0);
        self.moved.fill(0.001, 1.0);
        self.descend();
    }

    /// Moves the weights to where the lessons are least surprising. The more a weight has moved, the smaller its steps
    /// (AdaGrad).
    fn descend(&mut self) {
        let Self { weights, moved, lessons, .. } = self;
        let labels = weights.bias.len();
        let stride = stride(lessons.len());
        let mut place = 0;
        for _ in 0..EPOCHS * lessons.len() {
            place = (place + stride) % lessons.len();
            let (vector, label) = lessons.get(place);
            let mut slopes = probabilities(&weights.scores(vector), 1.0);
            slopes[label] -= 1.0;
            for (row, share) in vector {
                let row = *row as usize * labels..(*row as usize + 1) * labels;
                let weights = weights.rows[row.clone()].iter_mut().zip(&mut moved.rows[row]);
                for ((weight, moved), slope) in weights.zip(&slopes) {
                    step(weight, moved, *slope as f32 * share + DECAY * *weight, RATE);
                }
            }
            for ((bias, moved), slope) in weights.bias.iter_mut().zip(&mut moved.bias).zip(&slopes) {
                step(bias, moved, *slope as f32 + BIAS_DECAY * *bias, RATE / 10.0);
            }
        }
    }

    fn scores(&self, shares: &[(u32, f32)]) -> Vec<f32> {
        self.weights.scores(&self.rarity.vector(shares))
    }
}

fn step(weight: &mut f32, moved: &mut f32, slope: f32, rate: f32) {
    *moved += slope * slope;
    *weight -= rate * slope / moved.sqrt();
}

impl Rarity {
    /// How rare rows are of which each comes once for each of all `texts` that it is in.
    fn learn(&mut self, texts: usize, rows: impl Iterator<Item = u32>) {
        self.rows.fill(0.0);
        rows.for_each(|row| self.rows[row as usize] += 1.0);
        let rarity = |spread: f32| ((texts + 1) as f32 / (spread + 1.0)).ln() + 1.0;
        self.rows.iter_mut().filter(|row| **row > 0.0).for_each(|row| *row = rarity(*row));
        self.unknown = rarity(0.0);
    }
}

impl Weights {
    fn fill(&mut self, rows: f32, bias: f32) {
        self.rows.fill(rows);
        self.bias.fill(bias);
    }
}

/// A step that visits each of `length` places once before it comes back, neighbours far apart.
fn stride(length: usize) -> usize {
    let golden = (length * 618 / 1000).max(1);
    (golden..).find(|stride| gcd(*stride, length) == 1).unwrap_or(1)
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn best(scores: &[f32]) -> usize {
    (0..scores.len()).rev().max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap_or_default()
}

/// The sharpness under which what was not seen surprises least.
fn sharpness(unseen: &[Unseen]) -> f64 {
    // The surprise has one lowest point; its logarithm is closed in on.
    let (mut low, mut high) = (-3.0_f64, 4.0_f64);
    while high - low > 0.001 {
        let third = (high - low) / 3.0;
        let (a, b) = (low + third, high - third);
        if surprise(unseen, a.exp()) < surprise(unseen, b.exp()) { high = b } else { low = a }
    }
    f64::midpoint(low, high).exp()
}

fn surprise(unseen: &[Unseen], sharpness: f64) -> f64 {
    let of = |(scores, label): &Unseen| -probabilities(scores, sharpness)[*label].max(f64::MIN_POSITIVE).ln();
    unseen.iter().map(of).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::corpus::{Line, Place};

    const TEA: [&str; 4] = ["kettle", "leaves", "steep", "teapot"];
    const ALE: [&str; 4] = ["barley", "hops", "brewery", "barrel"];

    /// Twelve texts of either kind, which share every word but one.
    fn lines() -> Vec<Line> {
        let line = |n: usize, label: &str, word: &str| Line {
            place: Place { file: "all.jsonl".to_owned(), line: n },
            text: format!("the {word} of my {} neighbour", ["old", "good", "next"][n % 3]),
            label: label.to_owned(),
        };
        (0..12).flat_map(|n| [line(n, "tea", TEA[n / 3]), line(n, "ale", ALE[n / 3])]).collect()
    }

    fn trained(lines: Vec<Line>) -> Trained {
        train(&Corpus::new(lines).unwrap())
    }

    fn probability(model: &Model, text: &str, label: &str) -> f64 {
        let label = model.labels().iter().position(|known| known == label).unwrap();
        model.judge(text).probabilities[label]
    }

    #[test]
    fn what_the_examples_say_is_learned() {
        let Trained { model, examples, right_unseen } = trained(lines());
        assert_eq!((examples, right_unseen), (24, 24));
        assert!(probability(&model, "a kettle", "tea") > 0.7);
        assert!(probability(&model, "brewery and barrel", "ale") > 0.7);
        // Pieces of words are known too.
        assert!(probability(&model, "breweries", "ale") > 0.6);
    }

    #[test]
    fn a_text_without_a_known_word_is_anything_with_nearly_the_same_probability() {
        let model = trained(lines()).model;
        for text in ["zzyx", "量子力学", "ἦθος"] {
            let judged = model.judge(text);
            assert_eq!(judged.known_words, 0, "{text}");
            assert!((judged.probabilities[0] - 0.5).abs() < 0.05, "{text}: {judged:?}");
        }
    }

    #[test]
    fn what_is_not_known_makes_a_judgement_less_sure() {
        // These examples are told apart so well that the model is as sure as it can be.
        let model = Model { sharpness: 1.0, ..trained(lines()).model };
        let sure =
            |unknown: usize| probability(&model, &format!("kettle {}", "zzyx ".repeat(unknown)), "tea");
        assert!(
            sure(0) > sure(1) && sure(1) > sure(9) && sure(9) > 0.5,
            "{} {} {}",
            sure(0),
            sure(1),
            sure(9)
        );
    }

    #[test]
    fn every_example_is_learned_from_in_each_round() {
        for length in 1..200 {
            let stride = stride(length);
            let mut places: Vec<usize> = (1..=length).map(|step| step * stride % length).collect();
            places.sort_unstable();
            assert_eq!(places, (0..length).collect::<Vec<_>>());
        }
    }

    #[test]
    fn scores_that_are_always_right_are_trusted_and_scores_that_say_nothing_are_not() {
        let right: Vec<Unseen> = (0..20).map(|n| (vec![0.0, [1.0, -1.0][n % 2]], [1, 0][n % 2])).collect();
        let chance: Vec<Unseen> = (0..20).map(|n| (vec![0.0, 1.0], n % 2)).collect();
        assert!(sharpness(&right) > 10.0 && sharpness(&chance) < 0.1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn the_same_examples_in_any_order_make_the_same_model(
            mut lines in Just(lines()).prop_shuffle(),
            text in r"(kettle|hops|of|xyz|[a-z]{1,6}|。| ){0,12}",
        ) {
            let one = trained(lines.clone()).model.judge(&text);
            lines.reverse();
            prop_assert_eq!(one, trained(lines).model.judge(&text));
        }

        #[test]
        fn probabilities_are_shares_of_one(texts in proptest::collection::vec(any::<String>(), 30)) {
            let model = trained(lines()).model;
            for text in texts {
                let judged = model.judge(&text);
                prop_assert!((judged.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                prop_assert!(judged.probabilities.iter().all(|probability| (0.0..=1.0).contains(probability)));
                prop_assert!(judged.known_words <= judged.words);
                prop_assert!(judged.probabilities[judged.label()] >= 0.5);
            }
        }
    }
}
