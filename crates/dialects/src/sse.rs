//! Server-sent events: where each ends, and what it carries. <https://html.spec.whatwg.org/multipage/server-sent-events.html>

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};

/// Cuts a stream into events, as they come; what came in one piece is not copied.
#[derive(Debug, Default)]
pub struct Framer {
    /// What has come and is not handed out yet.
    here: Bytes,
    /// The beginning of an event whose end is yet to come.
    begun: BytesMut,
    /// How much of `begun` can't hold the end.
    searched: usize,
}

/// An event is longer than is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

impl Framer {
    /// Takes the next piece; to be called when [`Framer::next_event`] has nothing more.
    pub fn push(&mut self, piece: Bytes) {
        if self.begun.is_empty() {
            self.here = piece;
            self.searched = 0;
        } else {
            self.begun.extend_from_slice(&piece);
            self.here = std::mem::take(&mut self.begun).freeze();
        }
    }

    /// The next event that is here whole, with the blank line that ends it; of at most `limit` bytes.
    pub fn next_event(&mut self, limit: usize) -> Result<Option<Bytes>, TooLong> {
        let Some(end) = end(&self.here, self.searched) else {
            if self.here.len() > limit {
                return Err(TooLong);
            }
            // Asked again before more has come, nothing is lost of what has begun.
            self.begun.extend_from_slice(&std::mem::take(&mut self.here));
            // The end may have begun: at most `\n\r`.
            self.searched = self.begun.len().saturating_sub(2);
            return Ok(None);
        };
        self.searched = 0;
        if end > limit {
            return Err(TooLong);
        }
        Ok(Some(self.here.split_to(end)))
    }

    /// Whether something has come that is no whole event.
    pub fn is_amid(&self) -> bool {
        !self.begun.iter().chain(self.here.iter()).all(u8::is_ascii_whitespace)
    }
}

/// Behind the first blank line that ends at or after `from`.
fn end(bytes: &[u8], from: usize) -> Option<usize> {
    memchr::memchr_iter(b'\n', bytes.get(from..)?).find_map(|place| match &bytes[from + place + 1..] {
        [b'\n', ..] => Some(from + place + 2),
        [b'\r', b'\n', ..] => Some(from + place + 3),
        _ => None,
    })
}

/// The data of an event; none for a comment alone.
pub fn data(event: &[u8]) -> Option<Cow<'_, [u8]>> {
    // Nearly all are one line of data, perhaps after one with a name.
    let mut lines = event.split(|byte| *byte == b'\n').filter_map(data_of);
    let first = lines.next()?;
    let Some(second) = lines.next() else { return Some(Cow::Borrowed(first)) };
    let mut joined = [first, second].join(&b'\n');
    for line in lines {
        joined.push(b'\n');
        joined.extend_from_slice(line);
    }
    Some(Cow::Owned(joined))
}

fn data_of(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let data = line.strip_prefix(b"data:")?;
    Some(data.strip_prefix(b" ").unwrap_or(data))
}

/// An event with one line of data, perhaps under a name.
pub fn event(name: Option<&str>, data: &[u8]) -> Bytes {
    let mut text = Vec::with_capacity(data.len() + 48);
    if let Some(name) = name {
        text.extend_from_slice(b"event: ");
        text.extend_from_slice(name.as_bytes());
        text.push(b'\n');
    }
    text.extend_from_slice(b"data: ");
    text.extend_from_slice(data);
    text.extend_from_slice(b"\n\n");
    text.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 1 << 20;

    fn all(framer: &mut Framer) -> Vec<Bytes> {
        std::iter::from_fn(|| framer.next_event(LIMIT).unwrap()).collect()
    }

    #[test]
    fn the_beginning_of_an_event_stays_however_often_it_is_asked_for_the_rest() {
        let mut framer = Framer::default();
        for (piece, whole) in
            [("data: 1\n\ndata: 2", Some("data: 1\n\n")), ("2\n", None), ("\n", Some("data: 22\n\n"))]
        {
            framer.push(Bytes::from_static(piece.as_bytes()));
            assert_eq!(framer.next_event(LIMIT), Ok(whole.map(|whole| Bytes::from_static(whole.as_bytes()))));
            for _ in 0..3 {
                assert_eq!(framer.next_event(LIMIT), Ok(None));
            }
        }
        assert!(!framer.is_amid());
    }

    proptest! {
        #[test]
        fn events_come_out_alike_however_they_are_cut(
            events in prop::collection::vec(("[a-zé]{0,9}", prop::bool::ANY), 0..8),
            cuts in prop::collection::vec(0_usize..200, 0..12),
        ) {
            let whole: Vec<String> = events.iter().map(|(text, windows)| {
                if *windows { format!("data: {text}\r\n\r\n") } else { format!("data: {text}\n\n") }
            }).collect();
            let text = whole.concat();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (text.len() + 1)).chain([0, text.len()]).collect();
            cuts.sort_unstable();
            let (mut framer, mut found) = (Framer::default(), Vec::new());
            for pair in cuts.windows(2) {
                framer.push(Bytes::copy_from_slice(&text.as_bytes()[pair[0]..pair[1]]));
                found.extend(all(&mut framer));
            }
            prop_assert_eq!(found, whole.into_iter().map(Bytes::from).collect::<Vec<_>>());
            prop_assert!(!framer.is_amid());
        }
    }

    #[test]
    fn what_is_no_whole_event_is_noticed_and_what_is_too_long_is_refused() {
        let mut framer = Framer::default();
        framer.push(Bytes::from_static(b"data: a\n\ndata: b"));
        assert_eq!(all(&mut framer), ["data: a\n\n"]);
        assert!(framer.is_amid());
        framer.push(Bytes::from(vec![b'x'; LIMIT]));
        assert_eq!(framer.next_event(LIMIT), Err(TooLong));
    }

    #[test]
    fn data_is_read_over_several_lines_and_comments_have_none() {
        assert_eq!(data(b"event: x\ndata: {\"a\":1}\n\n").as_deref(), Some(&b"{\"a\":1}"[..]));
        assert_eq!(data(b"data:a\r\ndata: b\r\ndata:c\r\n\r\n").as_deref(), Some(&b"a\nb\nc"[..]));
        assert_eq!(data(b": ping\n\n"), None);
        assert_eq!(data(&event(Some("e"), b"{}")).as_deref(), Some(&b"{}"[..]));
    }
}
