//! The sentences of a text, as places in it. Knows abbreviations, decimals, quotes, the full stops of Chinese and Japanese,
//! lists, headings, and fenced blocks of code.

use std::ops::Range;

/// A sentence, or what stands in place of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// Where it stands: bytes of the text, without the white space around it.
    pub range: Range<usize>,
    /// What it is.
    pub kind: Kind,
    /// The paragraph, heading, list item or block of code that it is a part of, counted from 0.
    pub block: usize,
}

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A sentence of a paragraph.
    Prose,
    /// One of a list.
    Item,
    /// A heading, which is one piece.
    Heading,
    /// A block of code between fences, which is one piece.
    Code,
}

/// The sentences of `text`, in order. Only white space lies between them.
pub fn split(text: &str) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    for (block, (range, kind)) in blocks(text).into_iter().enumerate() {
        let mut add = |range: Range<usize>| {
            let piece = &text[range.clone()];
            let start = range.start + piece.len() - piece.trim_start().len();
            let end = start + piece.trim().len();
            if start < end {
                sentences.push(Sentence { range: start..end, kind, block });
            }
        };
        match kind {
            Kind::Heading | Kind::Code => add(range),
            Kind::Prose | Kind::Item => {
                let mut start = range.start;
                while let Some(end) = end_of_sentence(text, start..range.end) {
                    add(start..end);
                    start = end;
                }
                add(start..range.end);
            }
        }
    }
    sentences
}

/// Cuts a text into blocks by its lines.
fn blocks(text: &str) -> Vec<(Range<usize>, Kind)> {
    let mut blocks: Vec<(Range<usize>, Kind)> = Vec::new();
    // The block that goes on, and the fence that would end it.
    let mut open: Option<(Range<usize>, Kind)> = None;
    let mut fence: Option<&str> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let range = at..at + line.len();
        at = range.end;
        let bare = line.trim();
        if let Some(mark) = fence {
            if let Some((block, _)) = &mut open {
                block.end = range.end;
            }
            if bare.starts_with(mark) && bare.chars().all(|c| mark.starts_with(c)) {
                fence = None;
                blocks.extend(open.take());
            }
            continue;
        }
        let starts = match bare {
            "" => {
                blocks.extend(open.take());
                continue;
            }
            _ if fence_of(bare).is_some() => {
                fence = fence_of(bare);
                Some(Kind::Code)
            }
            _ if is_heading(bare) => Some(Kind::Heading),
            _ if marker(bare) > 0 => Some(Kind::Item),
            _ => None,
        };
        match (starts, &mut open) {
            (None, Some((block, _))) => block.end = range.end,
            (None, none) => *none = Some((range, Kind::Prose)),
            (Some(Kind::Heading), open) => {
                blocks.extend(open.take());
                blocks.push((range, Kind::Heading));
            }
            (Some(kind), open) => blocks.extend(open.replace((range, kind))),
        }
    }
    blocks.extend(open);
    blocks
}

/// What a fence of code begins with, and ends with.
fn fence_of(line: &str) -> Option<&'static str> {
    ["```", "~~~"].into_iter().find(|mark| line.starts_with(mark))
}

fn is_heading(line: &str) -> bool {
    let marks = line.len() - line.trim_start_matches('#').len();
    (1..=6).contains(&marks) && line[marks..].starts_with(char::is_whitespace)
}

/// The bytes of the mark that begins a list item, as `- ` and `12. `; 0 where there is none.
fn marker(line: &str) -> usize {
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = &line[digits..];
    let mark = match (digits, rest.chars().next()) {
        (0, Some(c @ ('-' | '*' | '+' | '•' | '–'))) => c.len_utf8(),
        (1..=3, Some('.' | ')')) => digits + 1,
        _ => return 0,
    };
    if line[mark..].starts_with(char::is_whitespace) { mark } else { 0 }
}

/// Where the first sentence in `range` ends, if another may follow it.
fn end_of_sentence(text: &str, range: Range<usize>) -> Option<usize> {
    let block = &text[range.clone()];
    // The point behind the number of an item ends nothing.
    let skipped = block.len() - block.trim_start().len();
    let from = skipped + marker(&block[skipped..]);
    let mut chars = block[from..].char_indices().map(|(at, c)| (from + at, c)).peekable();
    while let Some((at, c)) = chars.next() {
        let is_wide = matches!(c, '。' | '！' | '？' | '｡');
        if !is_wide && !matches!(c, '.' | '!' | '?' | '…') {
            continue;
        }
        let mut end = at + c.len_utf8();
        let mut points = 1;
        while let Some((next, more)) = chars.next_if(|(_, c)| ends(*c) || closes(*c)) {
            points += usize::from(ends(more));
            end = next + more.len_utf8();
        }
        if is_wide {
            return Some(range.start + end);
        }
        let rest = &block[end..];
        if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
            continue;
        }
        let next = rest.trim_start().chars().next();
        let goes_on = next.is_some_and(char::is_lowercase);
        let is_short = c == '.' && points == 1 && is_abbreviation(&block[..at]);
        if !goes_on && !is_short {
            return Some(range.start + end);
        }
    }
    None
}

fn ends(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '｡')
}

fn closes(c: char) -> bool {
    matches!(c, '"' | '\'' | '”' | '’' | '»' | ')' | ']' | '」' | '』' | '）')
}

/// Words that end in a point without ending a sentence, sorted.
const ABBREVIATIONS: [&str; 42] = [
    "al", "approx", "art", "bzw", "ca", "capt", "cf", "ch", "col", "dept", "dr", "ed", "eds", "eq", "est",
    "fig", "gen", "gov", "hon", "jr", "lt", "max", "min", "mr", "mrs", "ms", "mt", "no", "nos", "nr", "pp",
    "prof", "ref", "rep", "rev", "sec", "sen", "sgt", "sr", "st", "vol", "vs",
];

/// Whether the point behind `before` belongs to its last word.
fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '"' | '“')).next();
    let word = word.unwrap_or_default();
    let mut letters = word.chars();
    match (letters.next(), letters.next()) {
        // An initial, as in `J. Smith`.
        (Some(only), None) => only.is_uppercase() && only != 'I',
        // `e.g`, `U.S`, `a.m`
        (Some(first), Some('.')) => {
            first.is_alphabetic() && word.split('.').all(|part| part.chars().count() == 1)
        }
        _ => ABBREVIATIONS.binary_search(&word.to_lowercase().as_str()).is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pieces(text: &str) -> Vec<&str> {
        split(text).into_iter().map(|sentence| &text[sentence.range]).collect()
    }

    #[test]
    fn a_sentence_ends_at_its_point_and_not_at_that_of_an_abbreviation_or_a_number() {
        let text = "Dr. Smith paid 3.50 dollars, e.g. for tea, at approx. 5 p.m. on Monday. \
            J. R. Ewing (see fig. 2) did not. Was it v1.2.3? Yes! Wait... what? See www.example.org. \
            In the U.S. Senate it was I. He lied.";
        let wanted = [
            "Dr. Smith paid 3.50 dollars, e.g. for tea, at approx. 5 p.m. on Monday.",
            "J. R. Ewing (see fig. 2) did not.",
            "Was it v1.2.3?",
            "Yes!",
            "Wait... what?",
            "See www.example.org.",
            "In the U.S. Senate it was I.",
            "He lied.",
        ];
        assert_eq!(pieces(text), wanted);
    }

    #[test]
    fn quotes_and_brackets_belong_to_the_sentence_that_they_close() {
        let text = "“Stop!” he cried. She said: \"Go.\" (It was late.) 'Why?' Nobody knew.";
        let wanted = ["“Stop!” he cried.", "She said: \"Go.\"", "(It was late.)", "'Why?'", "Nobody knew."];
        assert_eq!(pieces(text), wanted);
    }

    #[test]
    fn chinese_and_japanese_full_stops_need_no_space() {
        let text = "今日は雨です。「本当？」と聞いた。量子力学！好。";
        assert_eq!(pieces(text), ["今日は雨です。", "「本当？」", "と聞いた。", "量子力学！", "好。"]);
    }

    #[test]
    fn headings_items_and_code_are_pieces_of_their_own_and_lines_of_a_paragraph_go_together() {
        let text = "# On tea\nTea is hot.\nIt is\ngreen. 1. no item here\n\n- Boil water. Wait.\n- Pour it\n12) Drink\n\
            ```rust\nlet a = b.c();\n\n# no heading. Nor two.\n```\nThe end";
        let kinds: Vec<_> = split(text).into_iter().map(|s| (s.kind, s.block, &text[s.range])).collect();
        let wanted = [
            (Kind::Heading, 0, "# On tea"),
            (Kind::Prose, 1, "Tea is hot."),
            (Kind::Prose, 1, "It is\ngreen."),
            (Kind::Prose, 1, "1. no item here"),
            (Kind::Item, 2, "- Boil water."),
            (Kind::Item, 2, "Wait."),
            (Kind::Item, 3, "- Pour it"),
            (Kind::Item, 4, "12) Drink"),
            (Kind::Code, 5, "```rust\nlet a = b.c();\n\n# no heading. Nor two.\n```"),
            (Kind::Prose, 6, "The end"),
        ];
        assert_eq!(kinds, wanted);
    }

    #[test]
    fn code_whose_fence_never_ends_goes_on_to_the_end() {
        assert_eq!(pieces("One. Two.\n~~~\na. b. c"), ["One.", "Two.", "~~~\na. b. c"]);
    }

    proptest! {
        #[test]
        fn nothing_but_white_space_lies_between_sentences(
            text in r#"([a-zA-Z0-9.!?…。 \n"'()#*`-]|e\.g\.|```\n|\n\n|量|Dr\. ){0,60}"#
        ) {
            let mut at = 0;
            for Sentence { range, .. } in split(&text) {
                prop_assert!(range.start < range.end);
                prop_assert_eq!(text[at..range.start].trim(), "");
                prop_assert_eq!(text[range.clone()].trim(), &text[range.clone()]);
                at = range.end;
            }
            prop_assert_eq!(text[at..].trim(), "");
        }

        #[test]
        fn any_text_can_be_split(text in any::<String>()) {
            split(&text);
        }
    }
}
