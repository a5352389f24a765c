//! What the shipped examples teach, measured on texts that had no part in it.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_macros,
    reason = "a test fails by panicking, and its figures are its output"
)]

use std::collections::HashSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use pas_classifier::core::corpus::Corpus;
use pas_classifier::core::summary::{Length, summarise};
use pas_classifier::core::training::{Trained, train};
use pas_classifier::core::words;
use pas_classifier::store::Store;
use serde_json::Value;

const README: &str = include_str!("../README.md");
/// Right answers that are wanted of a hundred.
const WANTED: usize = 85;
/// Words in a row that no text of the one side may share with one of the other.
const SHARED: usize = 5;

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/classifier")
}

fn corpus() -> Corpus {
    Corpus::new(Store::new(shipped().join("train")).read().unwrap()).unwrap()
}

/// The texts that are kept apart, each with its label.
fn held_out() -> Vec<(String, String)> {
    let text = fs::read_to_string(shipped().join("heldout.jsonl")).unwrap();
    let word = |line: &Value, key: &str| line[key].as_str().unwrap().to_owned();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| (word(&line, "text"), word(&line, "label"))).collect()
}

/// What became of the held-out texts.
struct Outcome {
    labels: Vec<String>,
    /// How many texts of the first label were given the second.
    confusion: Vec<Vec<usize>>,
    /// The probability of each answer, and whether it was right.
    sure: Vec<(f64, bool)>,
}

impl Outcome {
    fn of(trained: &Trained) -> Self {
        let labels = trained.model.labels().to_vec();
        let mut confusion = vec![vec![0; labels.len()]; labels.len()];
        let mut sure = Vec::new();
        for (text, label) in held_out() {
            let judged = trained.model.judge(&text);
            let wanted = labels.iter().position(|known| *known == label).unwrap();
            confusion[wanted][judged.label()] += 1;
            sure.push((judged.probabilities[judged.label()], wanted == judged.label()));
        }
        Self { labels, confusion, sure }
    }

    fn right(&self) -> usize {
        self.sure.iter().filter(|(_, right)| *right).count()
    }

    /// The matrix as the README has it.
    fn matrix(&self) -> String {
        let mut table = "| is, is taken for".to_owned();
        self.labels.iter().for_each(|label| write!(table, " | {label:.4}").unwrap());
        writeln!(table, " |\n|---|{}", "---|".repeat(self.labels.len())).unwrap();
        for (label, row) in self.labels.iter().zip(&self.confusion) {
            write!(table, "| {label}").unwrap();
            row.iter().for_each(|count| match count {
                0 => write!(table, " | ").unwrap(),
                count => write!(table, " | {count}").unwrap(),
            });
            writeln!(table, " |").unwrap();
        }
        table
    }

    /// How sure it was and how often right, of the answers whose probability is within these bounds.
    fn calibration(&self, from: f64, to: f64) -> String {
        let within: Vec<_> = self.sure.iter().filter(|(sure, _)| (from..to).contains(sure)).collect();
        let right = within.iter().filter(|(_, right)| *right).count();
        let sure = within.iter().map(|(sure, _)| sure).sum::<f64>() / within.len() as f64;
        format!(
            "| {from} to {} | {} | {sure:.2} | {:.2} |",
            to.min(1.0),
            within.len(),
            right as f64 / within.len() as f64
        )
    }
}

#[test]
fn texts_that_were_kept_apart_are_classified_as_well_as_the_readme_says() {
    let trained = train(&corpus());
    let outcome = Outcome::of(&trained);
    let (right, all) = (outcome.right(), outcome.sure.len());
    let stated = format!("{right} of {all} right ({:.1} %)", 100.0 * right as f64 / all as f64);
    let unseen = format!("{} of {}", trained.right_unseen, trained.examples);
    let bounds = [(0.0, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 1.01)];
    let calibration = bounds.map(|(from, to)| outcome.calibration(from, to)).join("\n");
    println!("{stated}\n{}\n{calibration}\nin cross-validation {unseen}", outcome.matrix());
    assert!(right * 100 >= WANTED * all);
    for figure in [stated, outcome.matrix(), calibration, unseen] {
        assert!(README.contains(&figure), "the README should say\n{figure}");
    }
}

#[test]
fn its_probabilities_mean_what_they_say() {
    let outcome = Outcome::of(&train(&corpus()));
    let sure: f64 = outcome.sure.iter().map(|(sure, _)| sure).sum();
    let off = (sure - outcome.right() as f64).abs() / outcome.sure.len() as f64;
    assert!(off < 0.05, "it is {off:.3} more or less sure than it is right");
}

fn runs(text: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    words::each(text, |word| all.push(word.to_owned()));
    all.windows(SHARED).map(<[String]>::to_vec).collect()
}

#[test]
fn no_text_that_is_kept_apart_has_a_phrase_of_an_example() {
    let corpus = corpus();
    let known: HashSet<_> = corpus.examples().iter().flat_map(|example| runs(&example.text)).collect();
    let texts: HashSet<_> = corpus.examples().iter().map(|example| example.text.to_lowercase()).collect();
    for (text, _) in held_out() {
        assert!(!texts.contains(&text.to_lowercase()), "{text} is an example");
        let shared = runs(&text).into_iter().find(|run| known.contains(run));
        assert_eq!(shared, None, "of {text}");
    }
}

#[test]
fn at_least_thirty_texts_of_each_label_are_kept_apart() {
    for label in corpus().labels() {
        let count = held_out().iter().filter(|(_, of)| of == label).count();
        assert!(count >= 30, "{label} has {count}");
    }
}

/// The shipped examples as one long text of so many words.
fn prose(wanted: usize) -> String {
    let corpus = corpus();
    let mut words = 0;
    let texts = corpus.examples().iter().map(|example| example.text.as_str()).cycle();
    let texts = texts.take_while(|text| {
        words += text.split(' ').count();
        words < wanted
    });
    texts.collect::<Vec<_>>().join(". ")
}

/// The time is for whoever reads the output; a busy machine may take longer.
#[test]
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn long_texts_are_judged_and_shortened_in_time_that_grows_with_their_length() {
    let model = train(&corpus()).model;
    for words in [15, 300, 75_000, 150_000] {
        let text = prose(words);
        let begun = Instant::now();
        let judged = model.judge(&text);
        let classified = begun.elapsed();
        let summary = summarise(&text, Length { sentences: 5, chars: 2_000 }).unwrap();
        let summarised = begun.elapsed() - classified;
        println!(
            "{} words, {} bytes, {} sentences: classified in {classified:?}, summarised in {summarised:?}",
            judged.words,
            text.len(),
            summary.of_sentences
        );
        assert!(classified.as_secs() < 5 && summarised.as_secs() < 5);
    }
}
