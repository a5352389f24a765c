//! What a receipt holds of what was asked and answered, taken as it passes.

use pas_types::limits;
use pas_types::receipt::{Content, ContentPart, Digest};
use sha2::{Digest as _, Sha256};

/// What comes in one piece and is longer is hashed by blake3, which does many kilobytes at once; all else by SHA-256, which
/// processors have instructions for (`docs/adr/0019-the-hash-that-is-quicker.md`).
const SHORT_BYTES: usize = 16 * 1024;

/// Takes note of a request and its answer.
#[derive(Debug)]
pub struct Meter {
    request: ContentPart,
    answer: Option<Noted>,
    full: bool,
}

/// What was noted of an answer.
#[derive(Debug)]
enum Noted {
    /// It came whole.
    Whole(ContentPart),
    /// It comes in pieces.
    Pieces(Box<Pieces>),
}

#[derive(Debug)]
struct Pieces {
    bytes: u64,
    hasher: Sha256,
    /// The beginning, where all is kept.
    kept: Vec<u8>,
}

impl Meter {
    /// Notes length and hash of a request; if `full`, also the text. Likewise of its answer, then.
    pub fn new(full: bool, request: &[u8]) -> Self {
        Self { request: part(request, full), answer: None, full }
    }

    /// All bytes of the answer.
    pub fn whole_answer(&mut self, bytes: &[u8]) {
        self.answer = Some(Noted::Whole(part(bytes, self.full)));
    }

    /// The next bytes of the answer.
    pub fn answer(&mut self, bytes: &[u8]) {
        if let Noted::Pieces(pieces) = self.answer.get_or_insert_with(|| Noted::Pieces(Box::default())) {
            pieces.take(bytes, self.full);
        }
    }

    /// What came of it.
    pub fn finish(self) -> Content {
        let answer = self.answer.map(|answer| match answer {
            Noted::Whole(part) => part,
            Noted::Pieces(pieces) => pieces.finish(self.full),
        });
        Content { request: self.request, answer }
    }
}

impl Default for Pieces {
    fn default() -> Self {
        Self { bytes: 0, hasher: Sha256::new(), kept: Vec::new() }
    }
}

impl Pieces {
    fn take(&mut self, bytes: &[u8], full: bool) {
        self.bytes += bytes.len() as u64;
        self.hasher.update(bytes);
        if full {
            let room = limits::CONTENT_BYTES - self.kept.len();
            self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    fn finish(self, full: bool) -> ContentPart {
        let sha256 = Some(Digest(self.hasher.finalize().into()));
        noted(self.bytes, Hashes { sha256, blake3: None }, full.then_some(&self.kept))
    }
}

/// What is noted of something that is here in one piece.
fn part(bytes: &[u8], full: bool) -> ContentPart {
    let kept = full.then(|| &bytes[..bytes.len().min(limits::CONTENT_BYTES)]);
    let (mut sha256, mut blake3) = (None, None);
    if bytes.len() <= SHORT_BYTES {
        sha256 = Some(Digest(Sha256::digest(bytes).into()));
    } else {
        blake3 = Some(Digest(*blake3::hash(bytes).as_bytes()));
    }
    noted(bytes.len() as u64, Hashes { sha256, blake3 }, kept)
}

/// One of them.
struct Hashes {
    sha256: Option<Digest>,
    blake3: Option<Digest>,
}

fn noted(bytes: u64, Hashes { sha256, blake3 }: Hashes, kept: Option<&[u8]>) -> ContentPart {
    ContentPart {
        bytes,
        sha256,
        blake3,
        text: kept.map(readable),
        cut: kept.is_some_and(|kept| (kept.len() as u64) < bytes),
    }
}

/// As text. What is none is shown by the sign for that, which takes up to three bytes for one.
fn readable(bytes: &[u8]) -> Box<str> {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    text.truncate(text.floor_char_boundary(limits::CONTENT_BYTES));
    text.into_boxed_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sha256(bytes: &[u8]) -> Option<Digest> {
        Some(Digest(Sha256::digest(bytes).into()))
    }

    #[test]
    fn without_the_policy_for_it_no_text_is_held() {
        let meter = Meter::new(false, b"what is it?");
        let request =
            ContentPart { bytes: 11, sha256: sha256(b"what is it?"), blake3: None, text: None, cut: false };
        assert_eq!(meter.finish(), Content { request, answer: None });
    }

    #[test]
    fn with_it_the_text_is_held_whole() {
        let mut meter = Meter::new(true, b"a");
        meter.answer(b"b");
        meter.answer(b"\xff");
        let part = |bytes: &[u8], text: &str| ContentPart {
            bytes: bytes.len() as u64,
            sha256: sha256(bytes),
            blake3: None,
            text: Some(text.into()),
            cut: false,
        };
        let expected = Content { request: part(b"a", "a"), answer: Some(part(b"b\xff", "b\u{fffd}")) };
        assert_eq!(meter.finish(), expected);
        let mut meter = Meter::new(true, b"a");
        meter.whole_answer(b"b\xff");
        assert_eq!(meter.finish(), expected);
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so_and_its_hash_is_of_all() {
        let long = "é".repeat(limits::CONTENT_BYTES / 2 - 1) + "xyzzy";
        let mut meter = Meter::new(true, long.as_bytes());
        long.as_bytes().chunks(1_000).for_each(|chunk| meter.answer(chunk));
        let Content { request, answer } = meter.finish();
        let answer = answer.unwrap();
        for part in [&request, &answer] {
            assert_eq!((part.bytes, part.cut), (long.len() as u64, true));
            assert_eq!(part.text.as_deref(), Some(&long[..limits::CONTENT_BYTES]));
        }
        let blake3 = Some(Digest(*blake3::hash(long.as_bytes()).as_bytes()));
        assert_eq!((request.sha256, request.blake3), (None, blake3), "what is long and comes in one piece");
        assert_eq!((answer.sha256, answer.blake3), (sha256(long.as_bytes()), None), "what comes in pieces");
    }
}
