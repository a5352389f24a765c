//! What a receipt holds of what was asked and answered, taken as it passes.

use std::mem;

use pas_types::limits;
use pas_types::receipt::{Content, ContentPart, Digest};

/// Takes note of a request and its answer.
#[derive(Debug)]
pub struct Meter {
    request: Part,
    answer: Option<Part>,
    full: bool,
}

#[derive(Debug)]
struct Part {
    bytes: u64,
    hasher: blake3::Hasher,
    /// The beginning, where all is kept.
    kept: Vec<u8>,
}

impl Meter {
    /// Notes lengths and hashes; if `full`, also the text.
    pub fn new(full: bool) -> Self {
        Self { request: Part::new(), answer: None, full }
    }

    /// The next bytes of the request.
    pub fn request(&mut self, bytes: &[u8]) {
        self.request.take(bytes, self.full);
    }

    /// The next bytes of the answer.
    pub fn answer(&mut self, bytes: &[u8]) {
        self.answer.get_or_insert_with(Part::new).take(bytes, self.full);
    }

    /// What came of it, up to here.
    pub fn finish(&mut self) -> Content {
        let full = self.full;
        Content {
            request: self.request.finish(full),
            answer: self.answer.as_mut().map(|answer| answer.finish(full)),
        }
    }
}

impl Part {
    fn new() -> Self {
        Self { bytes: 0, hasher: blake3::Hasher::new(), kept: Vec::new() }
    }

    fn take(&mut self, bytes: &[u8], full: bool) {
        self.bytes += bytes.len() as u64;
        self.hasher.update(bytes);
        if full {
            let room = limits::CONTENT_BYTES - self.kept.len();
            self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    fn finish(&mut self, full: bool) -> ContentPart {
        let kept = mem::take(&mut self.kept);
        let cut = full && (kept.len() as u64) < self.bytes;
        ContentPart {
            bytes: self.bytes,
            blake3: Digest(*self.hasher.finalize().as_bytes()),
            text: full.then(|| readable(&kept)),
            cut,
        }
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

    fn digest(bytes: &[u8]) -> Digest {
        Digest(*blake3::hash(bytes).as_bytes())
    }

    #[test]
    fn without_the_policy_for_it_no_text_is_held() {
        let mut meter = Meter::new(false);
        meter.request(b"what ");
        meter.request(b"is it?");
        let request = ContentPart { bytes: 11, blake3: digest(b"what is it?"), text: None, cut: false };
        assert_eq!(meter.finish(), Content { request, answer: None });
    }

    #[test]
    fn with_it_the_text_is_held_whole() {
        let mut meter = Meter::new(true);
        meter.request(b"a");
        meter.answer(b"b\xff");
        let part = |bytes: &[u8], text: &str| ContentPart {
            bytes: bytes.len() as u64,
            blake3: digest(bytes),
            text: Some(text.into()),
            cut: false,
        };
        let expected = Content { request: part(b"a", "a"), answer: Some(part(b"b\xff", "b\u{fffd}")) };
        assert_eq!(meter.finish(), expected);
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so_and_its_hash_is_of_all() {
        let mut meter = Meter::new(true);
        let long = "é".repeat(limits::CONTENT_BYTES / 2 - 1) + "xyzzy";
        long.as_bytes().chunks(1_000).for_each(|chunk| meter.request(chunk));
        let Content { request, .. } = meter.finish();
        assert_eq!((request.bytes, request.cut), (long.len() as u64, true));
        assert_eq!(request.blake3, digest(long.as_bytes()));
        assert_eq!(request.text.as_deref(), Some(&long[..limits::CONTENT_BYTES]));
    }
}
