use std::io::ErrorKind;
use std::time::Duration;

use pas_testkit::{PATIENCE, Provider};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) const CHAT: &str = "/v1/chat/completions";
pub(crate) const RESPONSES: &str = "/v1/responses";
pub(crate) const MESSAGES: &str = "/v1/messages";
pub(crate) const GENERATE: &str = "/v1beta/models/scripted-1:generateContent";
pub(crate) const STREAM: &str = "/v1beta/models/scripted-1:streamGenerateContent?alt=sse";
pub(crate) const ARRAY: &str = "/v1beta/models/scripted-1:streamGenerateContent";
pub(crate) const OLLAMA: &str = "/api/chat";
pub(crate) const INVOKE: &str = "/invoke";

/// A connection, seen byte by byte.
pub(crate) struct Client {
    stream: TcpStream,
    bytes: Vec<u8>,
    /// How the peer has ended it, once it has.
    end: Option<End>,
}

/// How a connection or a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// As its framing says.
    Whole,
    /// By the end of the connection.
    Closed,
    /// By a reset.
    Reset,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: String,
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// The chunks of HTTP, if it had any.
    pub(crate) chunks: Vec<Vec<u8>>,
    pub(crate) end: End,
}

impl Client {
    pub(crate) async fn open(provider: &Provider) -> Self {
        Self::at(provider.port()).await
    }

    /// To whoever listens there.
    pub(crate) async fn at(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        Self { stream, bytes: Vec::new(), end: None }
    }

    /// Sends a request with this body.
    pub(crate) async fn send(&mut self, path: &str, body: &str) {
        self.send_with(path, "", body).await;
    }

    /// Likewise, with header lines, each with its line end.
    pub(crate) async fn send_with(&mut self, path: &str, headers: &str, body: &str) {
        let length = body.len();
        let request =
            format!("POST {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
        self.stream.write_all(request.as_bytes()).await.unwrap();
    }

    /// Asks for a page, with header lines, each with its line end.
    pub(crate) async fn get(&mut self, path: &str, headers: &str) -> Answer {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        self.stream.write_all(request.as_bytes()).await.unwrap();
        self.answer().await
    }

    /// Asks for a turn of that dialect, streamed or not; the path says which for Gemini.
    pub(crate) async fn ask(&mut self, path: &str, stream: bool) -> Answer {
        self.send(path, &body(stream)).await;
        self.answer().await
    }

    /// Reads an answer as far as it comes.
    pub(crate) async fn answer(&mut self) -> Answer {
        let head = loop {
            if let Some(at) = find(&self.bytes, b"\r\n\r\n") {
                let head = self.bytes.drain(..at + 4).collect();
                break String::from_utf8(head).unwrap();
            }
            assert!(self.more().await, "the connection ended ({:?}) in the head: {:?}", self.end, self.bytes);
        };
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { head, status, body: Vec::new(), chunks: Vec::new(), end: End::Whole };
        if answer.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = self.chunk().await {
                if chunk.is_empty() {
                    return answer;
                }
                answer.body.extend_from_slice(&chunk);
                answer.chunks.push(chunk);
            }
            answer.end = self.end.unwrap();
            return answer;
        }
        let length = answer.header("content-length").map(|length| length.parse::<usize>().unwrap());
        while length.is_none_or(|length| self.bytes.len() < length) {
            if !self.more().await {
                answer.end = self.end.unwrap();
                break;
            }
        }
        let length = length.unwrap_or(usize::MAX).min(self.bytes.len());
        answer.body = self.bytes.drain(..length).collect();
        answer
    }

    /// Reads so many bytes, and forgets them.
    pub(crate) async fn skip(&mut self, mut bytes: usize) {
        while bytes > 0 {
            let taken = bytes.min(self.bytes.len());
            self.bytes.drain(..taken);
            bytes -= taken;
            assert!(bytes == 0 || self.more().await, "the connection ended: {:?}", self.end);
        }
    }

    /// Reads until the peer ends, and tells how, and all that came.
    pub(crate) async fn end(&mut self) -> (End, Vec<u8>) {
        while self.more().await {}
        (self.end.unwrap(), std::mem::take(&mut self.bytes))
    }

    /// Reads until these bytes are there, and tells all that came.
    pub(crate) async fn until(&mut self, wanted: &str) -> String {
        while find(&self.bytes, wanted.as_bytes()).is_none() {
            assert!(self.more().await, "the connection ended: {:?}", self.end);
        }
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Whether nothing is there to be read.
    pub(crate) fn is_silent(&self) -> bool {
        let mut byte = [0];
        matches!(self.stream.try_read(&mut byte), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    async fn more(&mut self) -> bool {
        if self.end.is_some() {
            return false;
        }
        match timeout(PATIENCE, self.stream.read_buf(&mut self.bytes)).await.expect("nothing comes") {
            Ok(0) => self.end = Some(End::Closed),
            Ok(_) => return true,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => self.end = Some(End::Reset),
            Err(error) => panic!("{error}"),
        }
        false
    }

    async fn chunk(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = find(&self.bytes, b"\r\n") {
                let size = std::str::from_utf8(&self.bytes[..at]).unwrap();
                let size = usize::from_str_radix(size, 16).unwrap();
                if self.bytes.len() >= at + 2 + size + 2 {
                    let chunk: Vec<u8> = self.bytes.drain(..at + 2 + size + 2).collect();
                    assert!(chunk.ends_with(b"\r\n"));
                    return Some(chunk[at + 2..at + 2 + size].to_vec());
                }
            }
            if !self.more().await {
                return None;
            }
        }
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The data of each event, pings and comments left out.
    pub(crate) fn data(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.body).replace("\r\n", "\n");
        let data = text.split("\n\n").filter_map(|event| {
            event.lines().find_map(|line| line.strip_prefix("data: ")).map(str::to_owned)
        });
        data.filter(|data| data != "{\"type\": \"ping\"}").collect()
    }

    /// The lines that are JSON, of a stream that is made of lines.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.text().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The events that are JSON.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.data().iter().filter_map(|data| serde_json::from_str(data).ok()).collect()
    }

    /// The pieces of text in a stream of whatever dialect.
    pub(crate) fn texts(&self) -> Vec<String> {
        let piece = |event: &Value| {
            let places = [
                &event["choices"][0]["delta"]["content"],
                &event["delta"]["text"],
                &event["delta"],
                &event["candidates"][0]["content"]["parts"][0]["text"],
            ];
            places.into_iter().find_map(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        self.events().iter().filter_map(piece).collect()
    }
}

/// A request that is right in every dialect: what one doesn't know it takes no notice of.
pub(crate) fn body(stream: bool) -> String {
    let fields = serde_json::json!({
        "model": "scripted-1", "stream": stream, "max_tokens": 100, "input": "hi",
        "messages": [{"role": "user", "content": "hi"}], "contents": [{"parts": [{"text": "hi"}]}],
        "x_unknown": {"kept": true},
    });
    fields.to_string()
}

/// So long is never waited for; it is what a test asks for where nothing may come.
pub(crate) const NEVER_MS: u64 = Duration::from_secs(3_600).as_millis() as u64;

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
