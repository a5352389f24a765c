//! An answer of HTTP/1.1, read as it comes: whole or in chunks, with no more work than a driver may do that shares the
//! machine with what it measures.

use std::io::{self, ErrorKind};

use memchr::memmem;

/// Reads one answer after another. What isn't used up of the bytes is to be given again, with what follows.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    state: State,
    status: u16,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Head,
    /// So many bytes are to come.
    Body(usize),
    /// The size of a chunk is to come.
    Size,
    /// So many bytes of a chunk are to come, and its line end.
    Chunk(usize),
    /// What ends the last chunk is to come.
    Last,
}

/// What came of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Read {
    /// So many were used up.
    pub(crate) used: usize,
    /// The answer is whole.
    pub(crate) is_whole: bool,
}

impl Reader {
    /// The status of the answer whose head came last.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// Takes what came; the body is given to `body` piece by piece.
    pub(crate) fn read(&mut self, bytes: &[u8], mut body: impl FnMut(&[u8])) -> io::Result<Read> {
        let mut used = 0;
        loop {
            let rest = &bytes[used..];
            let more = Ok(Read { used, is_whole: false });
            self.state = match self.state {
                State::Head => {
                    let Some(end) = memmem::find(rest, b"\r\n\r\n") else { return more };
                    used += end + 4;
                    self.head(&rest[..end + 2])?
                }
                State::Body(0) => {
                    self.state = State::Head;
                    return Ok(Read { used, is_whole: true });
                }
                State::Body(left) => {
                    let taken = left.min(rest.len());
                    if taken == 0 {
                        return more;
                    }
                    body(&rest[..taken]);
                    used += taken;
                    State::Body(left - taken)
                }
                State::Size => {
                    let Some(end) = memmem::find(rest, b"\r\n") else { return more };
                    used += end + 2;
                    match size(&rest[..end])? {
                        0 => State::Last,
                        size => State::Chunk(size),
                    }
                }
                State::Chunk(0) => {
                    if rest.len() < 2 {
                        return more;
                    }
                    used += 2;
                    State::Size
                }
                State::Chunk(left) => {
                    let taken = left.min(rest.len());
                    if taken == 0 {
                        return more;
                    }
                    body(&rest[..taken]);
                    used += taken;
                    State::Chunk(left - taken)
                }
                State::Last => {
                    // Nobody here sends trailers.
                    if rest.len() < 2 {
                        return more;
                    }
                    used += 2;
                    State::Body(0)
                }
            };
        }
    }

    /// What follows a head; each of its lines has its end.
    fn head(&mut self, head: &[u8]) -> io::Result<State> {
        let status = head.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        self.status = status.ok_or_else(|| unreadable("an answer without a status"))?;
        let mut begin = 0;
        for end in memmem::find_iter(head, b"\r\n") {
            let line = &head[begin..end];
            begin = end + 2;
            let Some(colon) = memchr::memchr(b':', line) else { continue };
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            if name.eq_ignore_ascii_case(b"content-length") {
                let length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                return length.map(State::Body).ok_or_else(|| unreadable("a length that is no number"));
            }
            if name.eq_ignore_ascii_case(b"transfer-encoding") {
                return Ok(State::Size);
            }
        }
        Err(unreadable("an answer without length or chunks"))
    }
}

fn size(digits: &[u8]) -> io::Result<usize> {
    let text = std::str::from_utf8(digits).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
    text.ok_or_else(|| unreadable("a chunk without a size"))
}

fn unreadable(what: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Status and body of each answer, when the bytes come `step` at a time.
    fn answers(bytes: &[u8], step: usize) -> Vec<(u16, Vec<u8>)> {
        let (mut reader, mut answers, mut body, mut kept) =
            (Reader::default(), Vec::new(), Vec::new(), Vec::new());
        for piece in bytes.chunks(step) {
            kept.extend_from_slice(piece);
            loop {
                let Read { used, is_whole } =
                    reader.read(&kept, |piece| body.extend_from_slice(piece)).unwrap();
                kept.drain(..used);
                if !is_whole {
                    break;
                }
                answers.push((reader.status(), std::mem::take(&mut body)));
            }
        }
        answers
    }

    #[test]
    fn answers_are_read_whole_however_they_are_cut() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nx: y\r\n\r\nhelloHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
                      3\r\nabc\r\n1\r\nd\r\n0\r\n\r\nHTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n";
        for step in [1, 3, 7, bytes.len()] {
            let expected = vec![(200, b"hello".to_vec()), (200, b"abcd".to_vec()), (429, Vec::new())];
            assert_eq!(answers(bytes, step), expected, "{step}");
        }
    }

    #[test]
    fn an_answer_whose_end_nobody_knows_is_refused() {
        let mut reader = Reader::default();
        assert!(reader.read(b"HTTP/1.1 200 OK\r\nx: y\r\n\r\n", |_| {}).is_err());
    }
}
