//! A summary of a text in its own words: the sentences that say most of what it says, each least of what the others say
//! already, in their order.
//!
//! A sentence counts by how much it has in common with the whole text (its centroid), and a little by where it stands. Then they
//! are chosen one by one, each weighed against what it repeats (maximal marginal relevance). The work grows with the length
//! of the text, not with its square. Nothing in here knows the service, for the token governor will want it too.

use super::features::{ByKey, key_of};
use super::sentences::{Kind, Sentence, split};
use super::words;

/// How long a summary may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    /// Sentences, at the most.
    pub sentences: usize,
    /// Characters, at the most.
    pub chars: usize,
}

/// A text in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its sentences, in order; those of different paragraphs on lines of their own.
    pub text: String,
    /// How many of the sentences it has.
    pub sentences: usize,
    /// How many the text has.
    pub of_sentences: usize,
    /// Whether even the one best sentence was too long, and was cut.
    pub is_cut: bool,
}

/// Sentences that are weighed against each other, the best ones.
const CANDIDATES: usize = 500;
/// What a sentence loses for all that it repeats, where 1 is all that it is worth.
const REPETITION: f64 = 0.6;
/// Terms that a sentence lacks beyond its own count for its shortness.
const BREVITY: f64 = 6.0;
/// Letters by which words are told apart, so that `engine` and `engines` are one term.
const STEM: usize = 6;

/// The summary of `text`; none where there is nothing in it.
pub fn summarise(text: &str, length: Length) -> Option<Summary> {
    let all = split(text);
    let eligible = eligible(&all);
    let best = *eligible.first()?;
    let rated = rate(text, &eligible);
    let mut chosen = choose(text, &eligible, &rated, length);
    chosen.sort_unstable();
    let of_sentences = all.len();
    if chosen.is_empty() {
        let best = rated.best().map_or(best, |place| eligible[place]);
        let text = cut(&shown(text, best), length.chars);
        return Some(Summary { text, sentences: 1, of_sentences, is_cut: true });
    }
    let sentences = chosen.len();
    let text = join(text, chosen.into_iter().map(|place| eligible[place]));
    Some(Summary { text, sentences, of_sentences, is_cut: false })
}

/// What a summary is made of: sentences; headings and code only where there is nothing else.
fn eligible(all: &[Sentence]) -> Vec<&Sentence> {
    let of =
        |kinds: &[Kind]| all.iter().filter(|sentence| kinds.contains(&sentence.kind)).collect::<Vec<_>>();
    [&[Kind::Prose, Kind::Item][..], &[Kind::Heading], &[Kind::Code]]
        .into_iter()
        .map(of)
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

/// What sentences are made of, and worth.
struct Rated {
    /// The terms of each, each once, sorted.
    terms: Vec<Vec<u32>>,
    /// The weight of each term in the whole.
    weights: Vec<f64>,
    /// How much of that each sentence has, as the length of a vector.
    lengths: Vec<f64>,
    /// The worth of each sentence.
    worth: Vec<f64>,
}

impl Rated {
    /// The best sentence, the first of several.
    fn best(&self) -> Option<usize> {
        (0..self.worth.len()).rev().max_by(|a, b| self.worth[*a].total_cmp(&self.worth[*b]))
    }

    /// How much two sentences have in common, from 0 to 1.
    fn likeness(&self, a: usize, b: usize) -> f64 {
        let (mut left, mut right) = (self.terms[a].iter().peekable(), self.terms[b].iter().peekable());
        let mut both = 0.0;
        while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
            match one.cmp(other) {
                std::cmp::Ordering::Less => drop(left.next()),
                std::cmp::Ordering::Greater => drop(right.next()),
                std::cmp::Ordering::Equal => {
                    both += self.weights[**one as usize].powi(2);
                    left.next();
                    right.next();
                }
            }
        }
        let lengths = self.lengths[a] * self.lengths[b];
        if lengths > 0.0 { both / lengths } else { 0.0 }
    }
}

fn rate(text: &str, sentences: &[&Sentence]) -> Rated {
    let mut numbers: ByKey<u32> = ByKey::default();
    // How often a term is in the text, and in how many sentences.
    let mut spread: Vec<(f64, f64)> = Vec::new();
    let mut terms = Vec::with_capacity(sentences.len());
    for sentence in sentences {
        let mut own = Vec::new();
        words::each(&text[sentence.range.clone()], |word| {
            if !is_stop_word(word) {
                let next = numbers.len() as u32;
                own.push(*numbers.entry(key_of(stem(word))).or_insert(next));
            }
        });
        spread.resize(numbers.len(), (0.0, 0.0));
        own.iter().for_each(|term| spread[*term as usize].0 += 1.0);
        own.sort_unstable();
        own.dedup();
        own.iter().for_each(|term| spread[*term as usize].1 += 1.0);
        terms.push(own);
    }
    let all = sentences.len() as f64;
    let weight = |(often, widely): &(f64, f64)| (1.0 + often).ln() * (1.0 + all / widely).ln();
    let weights: Vec<f64> = spread.iter().map(weight).collect();
    let length = |own: &Vec<u32>| own.iter().map(|term| weights[*term as usize].powi(2)).sum::<f64>().sqrt();
    let lengths = terms.iter().map(length).collect();
    let worth = |(place, own): (usize, &Vec<u32>)| {
        let sum: f64 = own.iter().map(|term| weights[*term as usize]).sum();
        sum / (own.len() as f64 + BREVITY) * standing(text, sentences, place)
    };
    let worth = terms.iter().enumerate().map(worth).collect();
    Rated { terms, weights, lengths, worth }
}

/// What a sentence gains or loses by where it stands, and what it is.
fn standing(text: &str, sentences: &[&Sentence], place: usize) -> f64 {
    let sentence = sentences[place];
    let opens = place == 0 || sentences[place - 1].block != sentence.block;
    let asks = text[sentence.range.clone()].ends_with(['?', '？']);
    let mut factor = 1.0 + 0.35 / (1.0 + place as f64);
    for (applies, change) in [(opens, 1.08), (asks, 0.8), (sentence.kind == Kind::Item, 0.9)] {
        factor *= if applies { change } else { 1.0 };
    }
    factor
}

/// A sentence that may be chosen.
struct Candidate {
    place: usize,
    chars: usize,
    /// How much of it is said already, from 0 to 1.
    said: f64,
}

/// The places of the sentences that make the summary, the best first.
fn choose(text: &str, sentences: &[&Sentence], rated: &Rated, length: Length) -> Vec<usize> {
    let mut order: Vec<usize> = (0..sentences.len()).collect();
    order.sort_by(|a, b| rated.worth[*b].total_cmp(&rated.worth[*a]).then(a.cmp(b)));
    order.truncate(CANDIDATES);
    let most = order.first().map_or(1.0, |best| rated.worth[*best].max(f64::MIN_POSITIVE));
    let chars = |place: usize| text[sentences[place].range.clone()].chars().count();
    let candidate = |place: usize| Candidate { place, chars: chars(place), said: 0.0 };
    let mut candidates: Vec<Candidate> = order.into_iter().map(candidate).collect();
    let mut chosen = Vec::new();
    let mut left = length.chars;
    while chosen.len() < length.sentences {
        // Between two sentences stands at most one character.
        let room = left.saturating_sub(usize::from(!chosen.is_empty()));
        candidates.retain(|candidate| candidate.chars <= room);
        let value = |candidate: &Candidate| rated.worth[candidate.place] / most - REPETITION * candidate.said;
        let best = (0..candidates.len())
            .rev()
            .max_by(|a, b| value(&candidates[*a]).total_cmp(&value(&candidates[*b])));
        let Some(best) = best.map(|best| candidates.remove(best)) else { break };
        for other in &mut candidates {
            other.said = other.said.max(rated.likeness(best.place, other.place));
        }
        left = room - best.chars;
        chosen.push(best.place);
    }
    chosen
}

fn join<'a>(text: &str, sentences: impl Iterator<Item = &'a Sentence>) -> String {
    let mut joined = String::new();
    let mut before: Option<&Sentence> = None;
    for sentence in sentences {
        match before {
            Some(before) if before.block != sentence.block => joined.push('\n'),
            // After the full stop of a script that has no spaces.
            Some(_) if joined.ends_with(['。', '！', '？', '｡', '」', '』', '）']) => {}
            Some(_) => joined.push(' '),
            None => {}
        }
        joined.push_str(&shown(text, sentence));
        before = Some(sentence);
    }
    joined
}

/// A sentence on one line; code as it is.
fn shown(text: &str, sentence: &Sentence) -> String {
    let piece = &text[sentence.range.clone()];
    match sentence.kind {
        Kind::Code => piece.to_owned(),
        _ if piece.contains('\n') => piece.split_whitespace().collect::<Vec<_>>().join(" "),
        _ => piece.to_owned(),
    }
}

/// The beginning of `sentence`, cut between words where that is possible, with an ellipsis.
fn cut(sentence: &str, chars: usize) -> String {
    if sentence.chars().count() <= chars {
        return sentence.to_owned();
    }
    let mut kept: String = sentence.chars().take(chars.saturating_sub(1)).collect();
    let whole = sentence[kept.len()..].starts_with(char::is_whitespace);
    if !whole && let Some((words, _)) = kept.rsplit_once(char::is_whitespace) {
        kept.truncate(words.len());
    }
    kept.truncate(kept.trim_end().len());
    kept + "…"
}

fn stem(word: &str) -> &str {
    word.char_indices().nth(STEM).map_or(word, |(end, _)| &word[..end])
}

/// English words that say nothing of what a text is about, sorted. Other languages do without: what is in most sentences
/// weighs little anyway.
const STOP_WORDS: [&str; 96] = [
    "a", "about", "after", "all", "also", "an", "and", "any", "are", "as", "at", "be", "because", "been",
    "before", "being", "but", "by", "can", "could", "did", "do", "does", "each", "for", "from", "had", "has",
    "have", "he", "her", "here", "his", "how", "i", "if", "in", "into", "is", "it", "its", "may", "me",
    "more", "most", "must", "my", "no", "not", "of", "on", "one", "only", "or", "other", "our", "out", "s",
    "she", "should", "so", "some", "such", "t", "than", "that", "the", "their", "them", "then", "there",
    "these", "they", "this", "those", "to", "too", "up", "very", "was", "we", "were", "what", "when",
    "where", "which", "while", "who", "why", "will", "with", "without", "would", "yet", "you", "your",
];

fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HARBOUR: &str = "The harbour of Lund was dredged last year. The dredging of the harbour cost nine million. \
        The harbour was dredged last year, and the dredging cost nine million. My aunt prefers plums. \
        Large ships can now reach the harbour, and trade has doubled. Trade brings taxes, and taxes paid for new quays.";

    fn summary(text: &str, sentences: usize, chars: usize) -> Summary {
        summarise(text, Length { sentences, chars }).unwrap()
    }

    #[test]
    fn a_summary_says_what_the_text_is_about_in_order_and_does_not_repeat_itself() {
        let found = summary(HARBOUR, 3, 1_000);
        let wanted = "The harbour of Lund was dredged last year. \
            Large ships can now reach the harbour, and trade has doubled. \
            Trade brings taxes, and taxes paid for new quays.";
        let wanted = Summary { text: wanted.to_owned(), sentences: 3, of_sentences: 6, is_cut: false };
        assert_eq!(found, wanted);
    }

    #[test]
    fn headings_and_code_are_left_out_unless_there_is_nothing_else() {
        let text = "# Tea\n\nTea is a drink.\n\n```\ntea()\n```\n\nIt is drunk\nhot.";
        assert_eq!(summary(text, 5, 1_000).text, "Tea is a drink.\nIt is drunk hot.");
        assert_eq!(summary("# Tea\n```\ntea()\n```", 5, 1_000).text, "# Tea");
        assert_eq!(summary("```\ntea()\n```", 5, 1_000).text, "```\ntea()\n```");
    }

    #[test]
    fn a_sentence_that_is_too_long_by_itself_is_cut_between_words() {
        let found = summary("Quantum entanglement links distant particles.", 3, 25);
        let wanted =
            Summary {
                text: "Quantum entanglement…".to_owned(), sentences: 1, of_sentences: 1, is_cut: true
            };
        assert_eq!(found, wanted);
        assert_eq!(summary("量子力学は物理学の理論です。", 1, 5).text, "量子力学…");
    }

    #[test]
    fn nothing_has_no_summary() {
        assert_eq!(summarise(" \n\n ", Length { sentences: 3, chars: 100 }), None);
    }

    #[test]
    fn the_lists_of_words_are_sorted() {
        assert!(STOP_WORDS.is_sorted());
    }

    proptest! {
        #[test]
        fn a_summary_keeps_its_limits_and_says_nothing_of_its_own(
            words in proptest::collection::vec(r"[a-d]{1,4}[.!?]?( |\n|\n\n|\n- )", 1..80),
            sentences in 1..6_usize,
            chars in 2..60_usize,
        ) {
            let text = words.concat();
            let found = summary(&text, sentences, chars);
            prop_assert!(found.text.chars().count() <= chars, "{:?}", found);
            prop_assert!(found.sentences <= sentences);
            let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let mut from = 0;
            for line in found.text.trim_end_matches('…').lines() {
                for piece in split(line) {
                    let at = flat[from..].find(&line[piece.range.clone()]);
                    prop_assert!(at.is_some(), "{} is not, or not in order, in {}", line, flat);
                    from += at.unwrap_or_default();
                }
            }
        }

        #[test]
        fn any_text_has_the_same_summary_each_time(text in any::<String>(), sentences in 1..9_usize, chars in 20..99_usize) {
            let length = Length { sentences, chars };
            let found = summarise(&text, length);
            prop_assert_eq!(&found, &summarise(&text, length));
            prop_assert_eq!(found.is_some(), !text.trim().is_empty());
        }
    }
}
