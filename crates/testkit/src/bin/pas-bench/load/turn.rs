//! Turns of a model: the request that is measured, and connections over which it is made.

use std::io::{self, ErrorKind};
use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, ensure};
use memchr::memmem;
use pas_testkit::monotonic;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::answer::{Read, Reader};

/// The route that is measured.
const PATH: &str = "/v1/chat/completions";
/// The model of the scripted provider.
pub(crate) const MODEL: &str = "scripted-1";
/// Content in a stream.
pub(crate) const CHUNKS: usize = 100;
/// Who is silent for so long has lost the turn.
const PATIENCE: Duration = Duration::from_secs(20);
const ROOM: usize = 16 * 1024;

/// The bytes of a request for an answer in one piece.
pub(crate) fn whole() -> Vec<u8> {
    request(false, "")
}

/// The bytes of a request for a stream, whose pieces come so long after one another and tell when they were sent.
pub(crate) fn stream(gap: Duration) -> Vec<u8> {
    request(true, &format!("x-scripted: chunks={CHUNKS},gap_ms={},stamp\r\n", gap.as_millis()))
}

/// A body of about 1 kB, as a client that has an agent's instructions would send it.
fn request(stream: bool, script: &str) -> Vec<u8> {
    let instructions = "You are a careful assistant in a swarm of agents. Answer in one short paragraph, name the \
                        sources that you have used, and say so when you don't know. Never invent a figure. ";
    let body = json!({
        "model": MODEL, "stream": stream, "temperature": 0.2, "max_tokens": 256,
        "messages": [
            {"role": "system", "content": instructions.repeat(4)},
            {"role": "user", "content": "Which of the three proposals costs least over five years, and what does it assume? \
                                         Compare them by the total and by the first year."},
        ],
    })
    .to_string();
    let length = body.len();
    format!(
        "POST {PATH} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer none\r\n{script}content-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A connection over which turns are made, one after the other.
#[derive(Debug)]
pub(crate) struct Caller {
    stream: TcpStream,
    bytes: Vec<u8>,
    reader: Reader,
}

/// What was seen of a stream.
#[derive(Debug, Clone)]
pub(crate) struct Streamed {
    /// From the request to the first content.
    pub(crate) first: Duration,
    /// How late each piece of content came after it was sent.
    pub(crate) late: Vec<Duration>,
}

impl Caller {
    /// Connects to `port` of this machine.
    pub(crate) async fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, bytes: Vec::with_capacity(ROOM), reader: Reader::default() })
    }

    /// So many connections.
    pub(crate) async fn many(port: u16, count: usize) -> io::Result<Vec<Self>> {
        let mut callers = Vec::with_capacity(count);
        for _ in 0..count {
            callers.push(Self::open(port).await?);
        }
        Ok(callers)
    }

    /// Makes a turn; fails unless it is answered 200.
    pub(crate) async fn call(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(request).await?;
        while !self.read(|_| {}).await? {}
        let status = self.reader.status();
        ensure!(status == 200, "a call is answered {status}");
        Ok(())
    }

    /// Makes a turn and tells its answer, whatever that is.
    pub(crate) async fn answer(&mut self, request: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        self.stream.write_all(request).await?;
        let mut body = Vec::new();
        while !self.read(|piece| body.extend_from_slice(piece)).await? {}
        Ok((self.reader.status(), body))
    }

    /// Makes a streamed turn; fails unless it comes whole: every piece of content, and the end mark.
    pub(crate) async fn streamed(&mut self, request: &[u8]) -> anyhow::Result<Streamed> {
        let begun = Instant::now();
        self.stream.write_all(request).await?;
        let mut seen = Seen::default();
        let mut first = None;
        loop {
            let is_whole = timeout(PATIENCE, self.read(|piece| seen.text.extend_from_slice(piece))).await??;
            seen.look(monotonic());
            if !seen.late.is_empty() {
                first.get_or_insert_with(|| begun.elapsed());
            }
            if is_whole {
                break;
            }
        }
        let status = self.reader.status();
        ensure!(status == 200 && seen.is_ended, "a stream is answered {status}, or has no end mark");
        ensure!(seen.late.len() == CHUNKS, "a stream has {} pieces of {CHUNKS}", seen.late.len());
        Ok(Streamed { first: first.context("a stream without content")?, late: seen.late })
    }

    /// Reads once; tells whether the answer is whole then.
    async fn read(&mut self, body: impl FnMut(&[u8])) -> io::Result<bool> {
        if self.stream.read_buf(&mut self.bytes).await? == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the connection was closed"));
        }
        let Read { used, is_whole } = self.reader.read(&self.bytes, body)?;
        if used == self.bytes.len() {
            self.bytes.clear();
        } else {
            self.bytes.drain(..used);
        }
        Ok(is_whole)
    }
}

/// What has come of a stream.
#[derive(Debug, Default)]
struct Seen {
    text: Vec<u8>,
    late: Vec<Duration>,
    is_ended: bool,
}

impl Seen {
    /// Takes the whole events that are there; they came now.
    fn look(&mut self, now: Duration) {
        let mut begin = 0;
        while let Some(end) = memmem::find(&self.text[begin..], b"\n\n") {
            let event = &self.text[begin..begin + end];
            if let Some(sent) = sent(event) {
                self.late.push(now.saturating_sub(sent));
            }
            self.is_ended = event == b"data: [DONE]";
            begin += end + 2;
        }
        self.text.drain(..begin);
    }
}

/// When a piece of content was sent, as it says itself.
fn sent(event: &[u8]) -> Option<Duration> {
    const NAME: &[u8] = b"\"x_sent_ns\":\"";
    let at = memmem::find(event, NAME)? + NAME.len();
    let digits = std::str::from_utf8(event.get(at..at + 20)?).ok()?;
    Some(Duration::from_nanos(digits.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_as_late_as_it_says_and_the_end_mark_must_be_the_last() {
        let mut seen = Seen::default();
        let piece = "data: {\"x_sent_ns\":\"00000000000000001000\"}\n\n";
        seen.text.extend_from_slice(format!("data: {{}}\n\n{piece}data: [DO").as_bytes());
        seen.look(Duration::from_nanos(1_500));
        assert_eq!((seen.late.clone(), seen.is_ended), (vec![Duration::from_nanos(500)], false));
        seen.text.extend_from_slice(b"NE]\n\n");
        seen.look(Duration::ZERO);
        assert!(seen.is_ended && seen.text.is_empty());
        seen.text.extend_from_slice(piece.as_bytes());
        seen.look(Duration::ZERO);
        assert!(!seen.is_ended);
    }

    #[test]
    fn a_request_is_about_a_kilobyte() {
        let request = String::from_utf8(whole()).unwrap();
        let (_, body) = request.split_once("\r\n\r\n").unwrap();
        assert!((900..1_100).contains(&body.len()), "{}", body.len());
    }
}
