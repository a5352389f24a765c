//! One line of a segment: a record, or the mark of records that retention took out. Written by splicing, read from its
//! end: a record tells its number there, so no line needs to be parsed to be found.

use std::io::Write;

use serde::de::IgnoredAny;

use crate::hash::Hash;
use crate::payload::Payload;

/// The highest number: every JSON reader holds it exactly, and counting on from it never overflows.
pub(crate) const MAX_SEQ: u64 = (1 << 53) - 1;
/// The longest line that is read whole; a longer one is damage.
pub(crate) const MAX_BYTES: usize = Payload::MAX_BYTES + 256;

const PREV: &[u8] = b",\"prev\":\"";
const HASH: &[u8] = b"\",\"hash\":\"";
const DIGITS: usize = 64;
/// `,"hash":"…"`, which the hash itself leaves out.
const HASH_FIELD: usize = HASH.len() + DIGITS;
const LINK: usize = PREV.len() + DIGITS + HASH_FIELD + 1;
const MORE: &[u8] = b",\"more\":true";
const SEQ: &[u8] = b"\"seq\":";

/// What a line says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    /// The first number that it stands for.
    pub(crate) from: u64,
    /// The last.
    pub(crate) to: u64,
    pub(crate) kind: Kind,
    /// Present in a chained journal.
    pub(crate) link: Option<Link>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A record; with `more`, its group goes on.
    Record { more: bool },
    /// Retention took these out.
    Gone,
}

/// The hash of the record before, and its own; that of the last one gone, for those gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) prev: Hash,
    pub(crate) hash: Hash,
}

/// Writes a record behind `out`, with its newline. `chain` is the hash of the record before, and becomes this one's.
pub(crate) fn write_record(
    out: &mut Vec<u8>,
    payload: &Payload,
    seq: u64,
    more: bool,
    chain: Option<&mut Hash>,
) {
    let start = out.len();
    let object = payload.as_bytes();
    out.extend_from_slice(&object[..object.len() - 1]);
    if object.len() > 2 {
        out.push(b',');
    }
    out.extend_from_slice(SEQ);
    // Nothing written to memory fails.
    let _always = write!(out, "{seq}");
    if more {
        out.extend_from_slice(MORE);
    }
    if let Some(chain) = chain {
        out.extend_from_slice(PREV);
        out.extend_from_slice(&chain.digits());
        *chain = Hash::of([&out[start..], b"\"}"]);
        out.extend_from_slice(HASH);
        out.extend_from_slice(&chain.digits());
        out.push(b'"');
    }
    out.extend_from_slice(b"}\n");
}

/// Writes the mark of what is gone.
pub(crate) fn write_gone(
    out: &mut impl Write,
    from: u64,
    to: u64,
    link: Option<Link>,
) -> std::io::Result<()> {
    write!(out, "{{\"gone\":{{\"from\":{from},\"to\":{to}}}")?;
    if let Some(Link { prev, hash }) = link {
        write!(out, ",\"prev\":\"{prev}\",\"hash\":\"{hash}\"")?;
    }
    out.write_all(b"}\n")
}

/// Reads a line (without its newline) by its frame alone; `None` is damage. What stands inside is [`is_sound`]'s.
pub(crate) fn parse(line: &[u8]) -> Option<Line> {
    // A block at a time, which a processor does at once; a search that may end at any byte it does byte by byte.
    if line.chunks(64).any(|block| block.iter().fold(false, |found, byte| found | (*byte < 0x20))) {
        return None;
    }
    let (body, link) = split_link(line.strip_suffix(b"}")?);
    if let Some((from, to)) = gone(body) {
        return Some(Line { from, to, kind: Kind::Gone, link });
    }
    let (body, more) = body.strip_suffix(MORE).map_or((body, false), |body| (body, true));
    let digits = body.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (before, digits) = body.split_at(body.len() - digits);
    let seq = number(digits)?;
    let before = before.strip_suffix(SEQ)?;
    let spliced = before == b"{" || (before.starts_with(b"{") && before.ends_with(b","));
    spliced.then_some(Line { from: seq, to: seq, kind: Kind::Record { more }, link })
}

/// Whether what [`parse`] has read is JSON, and hashes to what it says.
pub(crate) fn is_sound(line: &[u8], parsed: &Line) -> bool {
    let json = std::str::from_utf8(line).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    json && match (parsed.kind, parsed.link) {
        (Kind::Record { .. }, Some(link)) => {
            let hashed = line.len() - 2 - HASH_FIELD;
            link.hash.is_of([&line[..hashed], b"\"}"])
        }
        _ => true,
    }
}

/// Parts the link from what stands before it; `body` lacks the closing brace.
fn split_link(body: &[u8]) -> (&[u8], Option<Link>) {
    let link = body.len().checked_sub(LINK).and_then(|at| {
        let (prev, rest) = body[at..].strip_prefix(PREV)?.split_at(DIGITS);
        let hash = rest.strip_prefix(HASH)?.strip_suffix(b"\"")?;
        Some((at, Link { prev: Hash::from_digits(prev)?, hash: Hash::from_digits(hash)? }))
    });
    link.map_or((body, None), |(at, link)| (&body[..at], Some(link)))
}

/// `{"gone":{"from":1,"to":2}`: the closing brace is off already.
fn gone(body: &[u8]) -> Option<(u64, u64)> {
    let range = body.strip_prefix(b"{\"gone\":{\"from\":")?.strip_suffix(b"}")?;
    let digits = range.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (from, to) = range.split_at(digits);
    let (from, to) = (number(from)?, number(to.strip_prefix(b",\"to\":")?)?);
    (from <= to).then_some((from, to))
}

/// A number as the journal writes it.
fn number(digits: &[u8]) -> Option<u64> {
    if !digits.first().is_some_and(|digit| (b'1'..=b'9').contains(digit)) {
        return None;
    }
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (number <= MAX_SEQ).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(payload: &str, seq: u64, more: bool, chain: Option<&mut Hash>) -> String {
        let mut out = Vec::new();
        write_record(&mut out, &Payload::new(payload).unwrap(), seq, more, chain);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_number_is_spliced_behind_what_the_caller_gave() {
        assert_eq!(written("{\"a\": 1}", 7, false, None), "{\"a\": 1,\"seq\":7}\n");
        assert_eq!(written("{}", 7, true, None), "{\"seq\":7,\"more\":true}\n");
    }

    #[test]
    fn a_hash_is_that_of_the_line_without_it() {
        let mut chain = Hash::GENESIS;
        let line = written("{\"a\":1}", 1, false, Some(&mut chain));
        let without = format!("{{\"a\":1,\"seq\":1,\"prev\":\"{}\"}}", "0".repeat(64));
        assert_eq!(chain, Hash::of([without.as_bytes(), b""]));
        assert_eq!(line, format!("{},\"hash\":\"{chain}\"}}\n", &without[..without.len() - 1]));
    }

    #[test]
    fn a_record_of_an_earlier_journal_is_sound_too() {
        let before = format!("{{\"a\":1,\"seq\":1,\"prev\":\"{}\"", "0".repeat(64));
        for (hashed, sound) in [(format!("{before}}}"), true), (format!("{before} }}"), false)] {
            let line = format!("{before},\"hash\":\"{}\"}}", blake3::hash(hashed.as_bytes()).to_hex());
            let parsed = parse(line.as_bytes()).unwrap();
            assert_eq!(is_sound(line.as_bytes(), &parsed), sound, "{line}");
        }
    }

    #[test]
    fn what_is_written_is_read_and_sound() {
        for payload in ["{}", "{\"a\":\"\\\"seq\\\":3}\"}", "{\"a\":{\"seq\":9}}"] {
            for more in [false, true] {
                let plain = written(payload, 42, more, None);
                let expected = Line { from: 42, to: 42, kind: Kind::Record { more }, link: None };
                let plain = plain.trim_end().as_bytes();
                assert_eq!(parse(plain), Some(expected));
                assert!(is_sound(plain, &expected));

                let mut chain = Hash::GENESIS;
                let chained = written(payload, 42, more, Some(&mut chain));
                let link = Some(Link { prev: Hash::GENESIS, hash: chain });
                let chained = chained.trim_end().as_bytes();
                assert_eq!(parse(chained), Some(Line { link, ..expected }));
                assert!(is_sound(chained, &Line { link, ..expected }));
            }
        }
    }

    #[test]
    fn a_mark_of_what_is_gone_is_read_as_one() {
        for link in [None, Some(Link { prev: Hash::GENESIS, hash: Hash::of([b"x", b""]) })] {
            let mut out = Vec::new();
            write_gone(&mut out, 3, 9, link).unwrap();
            let line = out.trim_ascii_end();
            let expected = Line { from: 3, to: 9, kind: Kind::Gone, link };
            assert_eq!(parse(line), Some(expected));
            assert!(is_sound(line, &expected));
        }
    }

    #[test]
    fn other_lines_are_damage() {
        for line in [
            "",
            "}",
            "{}",
            "{\"a\":1}",
            "{\"seq\":0}",
            "{\"seq\":01}",
            "{\"seq\":-1}",
            "{\"seq\":9007199254740992}",
            "\"seq\":1}",
            "{\"a\":1\"seq\":1}",
            "{\"a\":\"\u{0}\",\"seq\":1}",
            "{\"seq\":1,\"more\":false}",
            "{\"gone\":{\"from\":2,\"to\":1}}",
        ] {
            assert_eq!(parse(line.as_bytes()), None, "{line}");
        }
    }
}
