//! The examples that a model is made from, and what they must be like.

use std::collections::{BTreeMap, HashMap};

use super::words;

/// Labels, at the least and at the most.
const LABELS: std::ops::RangeInclusive<usize> = 2..=64;
/// Examples of one label, at the least: each part of the training must have some.
const OF_ONE_LABEL: usize = 10;
/// Examples in all.
const EXAMPLES: usize = 20_000;
/// Bytes of a label.
const LABEL_BYTES: usize = 64;
/// Bytes of the text of an example.
pub const TEXT_BYTES: usize = 8 * 1024;

/// A text, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The text.
    pub text: String,
    /// The place of its label.
    pub label: usize,
}

/// The examples, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corpus {
    labels: Vec<String>,
    examples: Vec<Example>,
}

/// A line of a file of examples, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it stands.
    pub place: Place,
    /// The text.
    pub text: String,
    /// What it is about.
    pub label: String,
}

/// A line in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The name of the file.
    pub file: String,
    /// The number of the line, from 1.
    pub line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Why lines are no corpus.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A text says nothing, or too much.
    #[error("{0}: text has {1} bytes and {2} words: use 1 word or more, in at most {TEXT_BYTES} bytes")]
    Text(Place, usize, usize),
    /// A label is not a word.
    #[error("{0}: label is `{1}`: use one word of 1 to {LABEL_BYTES} bytes, as `physics`")]
    Label(Place, String),
    /// Two lines contradict each other.
    #[error("{0}: the same text has the label `{1}` at {2}: give it one label")]
    Contradiction(Place, String, Place),
    /// Too few labels, or too many.
    #[error("there are {0} labels: use {least} to {most}", least = LABELS.start(), most = LABELS.end())]
    Labels(usize),
    /// A label has too few examples.
    #[error("the label `{0}` has {1} examples: give at least {OF_ONE_LABEL} different ones")]
    Few(String, usize),
    /// Too many examples.
    #[error("there are more than {EXAMPLES} examples, which is the limit")]
    Many,
}

impl Corpus {
    /// A corpus of these lines. The order in which they come makes no difference. What is said twice counts once.
    pub fn new(lines: Vec<Line>) -> Result<Self, Fault> {
        let mut seen: HashMap<&str, &Line> = HashMap::new();
        let mut by_label: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for line in &lines {
            line.check()?;
            match seen.insert(&line.text, line) {
                None => by_label.entry(&line.label).or_default().push(&line.text),
                Some(before) if before.label == line.label => {}
                Some(before) => {
                    let (label, at) = (before.label.clone(), before.place.clone());
                    return Err(Fault::Contradiction(line.place.clone(), label, at));
                }
            }
        }
        if seen.len() > EXAMPLES {
            return Err(Fault::Many);
        }
        if !LABELS.contains(&by_label.len()) {
            return Err(Fault::Labels(by_label.len()));
        }
        if let Some((label, few)) = by_label.iter().find(|(_, texts)| texts.len() < OF_ONE_LABEL) {
            return Err(Fault::Few((*label).to_owned(), few.len()));
        }
        let labels = by_label.keys().map(|label| (*label).to_owned()).collect();
        let mut examples = Vec::with_capacity(seen.len());
        for (label, mut texts) in by_label.into_values().enumerate() {
            texts.sort_unstable();
            examples.extend(texts.into_iter().map(|text| Example { text: text.to_owned(), label }));
        }
        Ok(Self { labels, examples })
    }

    /// The labels, sorted.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The examples, label by label, those of a label sorted.
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }
}

impl Line {
    fn check(&self) -> Result<(), Fault> {
        let mut words = 0;
        words::each(&self.text, |_| words += 1);
        if words == 0 || self.text.len() > TEXT_BYTES {
            return Err(Fault::Text(self.place.clone(), self.text.len(), words));
        }
        let is_word = !self.label.chars().any(|c| c == ',' || c.is_whitespace() || c.is_control());
        if !is_word || self.label.is_empty() || self.label.len() > LABEL_BYTES {
            let shown = self.label.chars().take(LABEL_BYTES).collect();
            return Err(Fault::Label(self.place.clone(), shown));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: usize, text: &str, label: &str) -> Line {
        let place = Place { file: "all.jsonl".to_owned(), line: number };
        Line { place, text: text.to_owned(), label: label.to_owned() }
    }

    fn good() -> Vec<Line> {
        let of = |label: &'static str| (1..=10).map(move |n| line(n, &format!("{label} says {n:b}"), label));
        of("tea").chain(of("ale")).collect()
    }

    fn fault(changed: Line) -> String {
        let mut lines = good();
        lines.push(changed);
        Corpus::new(lines).unwrap_err().to_string()
    }

    #[test]
    fn the_order_of_the_lines_makes_no_difference_and_what_is_said_twice_counts_once() {
        let mut lines = good();
        lines.reverse();
        lines.extend(good());
        let corpus = Corpus::new(lines).unwrap();
        assert_eq!(corpus, Corpus::new(good()).unwrap());
        assert_eq!(
            (corpus.labels(), corpus.examples().len()),
            (&["ale".to_owned(), "tea".to_owned()][..], 20)
        );
    }

    #[test]
    fn a_line_that_can_not_be_used_is_named_by_its_place_and_what_would_be_accepted() {
        let long = "word ".repeat(1_639);
        assert_eq!(
            [
                fault(line(7, "?!", "tea")),
                fault(line(7, &long, "tea")),
                fault(line(7, "hot", "green tea")),
                fault(line(7, "hot", "")),
                fault(line(7, "tea says 11", "ale")),
            ],
            [
                "all.jsonl:7: text has 2 bytes and 0 words: use 1 word or more, in at most 8192 bytes",
                "all.jsonl:7: text has 8195 bytes and 1639 words: use 1 word or more, in at most 8192 bytes",
                "all.jsonl:7: label is `green tea`: use one word of 1 to 64 bytes, as `physics`",
                "all.jsonl:7: label is ``: use one word of 1 to 64 bytes, as `physics`",
                "all.jsonl:7: the same text has the label `tea` at all.jsonl:3: give it one label",
            ]
        );
    }

    #[test]
    fn too_few_labels_or_examples_make_no_corpus() {
        assert_eq!(
            fault(line(1, "red", "wine")),
            "the label `wine` has 1 examples: give at least 10 different ones"
        );
        let only_tea = good().into_iter().filter(|line| line.label == "tea").collect();
        assert_eq!(Corpus::new(only_tea), Err(Fault::Labels(1)));
        let many = (0..=EXAMPLES).map(|n| line(n, &format!("{n}"), if n % 2 == 0 { "a" } else { "b" }));
        assert_eq!(Corpus::new(many.collect()), Err(Fault::Many));
    }
}
