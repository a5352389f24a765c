//! Requests of HTTP/1.1 as they come in. Our own, since what a test wants to see and to break is below what a library shows.

use std::io;
use std::ops::Range;

use memchr::memmem;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Heads are refused above this.
const HEAD_BYTES: usize = 1024 * 1024;
/// Bodies are refused above this.
const BODY_BYTES: usize = 256 * 1024 * 1024;
/// The least room for a read.
const ROOM: usize = 16 * 1024;

/// The header by which one request is scripted.
pub(super) const SCRIPTED: &str = "x-scripted";

/// What came on a connection and isn't used up yet.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
}

/// A request, as places in an [`Inbox`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Method, target and version.
    pub(super) line: Range<usize>,
    /// Where the body begins.
    pub(super) end: usize,
    pub(super) length: usize,
    is_chunked: bool,
    is_last: bool,
    expects_continue: bool,
    pub(super) script: Range<usize>,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    /// In the order and the letters in which they came.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Inbox {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Waits for more; tells how much came, which is nothing when the peer has ended.
    pub(super) async fn read(&mut self, stream: &mut TcpStream) -> io::Result<usize> {
        self.bytes.reserve(ROOM);
        stream.read_buf(&mut self.bytes).await
    }

    /// Takes what is there; tells how much, as above. Nothing there is an error.
    pub(super) fn try_read(&mut self, stream: &TcpStream) -> io::Result<usize> {
        self.bytes.reserve(ROOM);
        stream.try_read_buf(&mut self.bytes)
    }

    /// The head of the next request, once it is there.
    pub(super) fn head(&self) -> io::Result<Option<Head>> {
        match memmem::find(&self.bytes, b"\r\n\r\n") {
            Some(end) => Head::read(&self.bytes[..end + 2]).map(Some),
            None if self.bytes.len() > HEAD_BYTES => Err(invalid("a head without end")),
            None => Ok(None),
        }
    }

    /// Waits for the body that belongs to a head, and tells where it ends. What came in chunks is in one piece then.
    pub(super) async fn body(&mut self, head: &mut Head, stream: &mut TcpStream) -> io::Result<usize> {
        if head.expects_continue && self.bytes.len() == head.end {
            super::play::write(stream, b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        if head.is_chunked {
            head.length = self.unchunk(head.end, stream).await?;
        }
        if head.length > BODY_BYTES {
            return Err(invalid("a body that is too long"));
        }
        self.fill(head.end + head.length, stream).await?;
        Ok(head.end + head.length)
    }

    /// Forgets what is used up.
    pub(super) fn forget(&mut self, end: usize) {
        if end >= self.bytes.len() {
            self.bytes.clear();
        } else {
            self.bytes.drain(..end);
        }
    }

    async fn fill(&mut self, end: usize, stream: &mut TcpStream) -> io::Result<()> {
        while self.bytes.len() < end {
            if self.read(stream).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    /// Puts the chunks that begin at `begin` together there; tells how long that is.
    async fn unchunk(&mut self, begin: usize, stream: &mut TcpStream) -> io::Result<usize> {
        let mut length = 0;
        loop {
            let size = self.line(begin + length, stream).await?;
            let text =
                std::str::from_utf8(&self.bytes[size.clone()]).map_err(|_| invalid("a chunk's size"))?;
            let digits = text.split(';').next().unwrap_or_default().trim();
            let bytes = usize::from_str_radix(digits, 16).map_err(|_| invalid("a chunk's size"))?;
            if bytes == 0 {
                // Trailers end with an empty line.
                let mut at = size.end + 2;
                loop {
                    let line = self.line(at, stream).await?;
                    at = line.end + 2;
                    if line.is_empty() {
                        self.bytes.drain(begin + length..at);
                        return Ok(length);
                    }
                }
            }
            if length + bytes > BODY_BYTES {
                return Err(invalid("a body that is too long"));
            }
            self.fill(size.end + 2 + bytes + 2, stream).await?;
            self.bytes.drain(size.end + 2 + bytes..size.end + 2 + bytes + 2);
            self.bytes.drain(begin + length..size.end + 2);
            length += bytes;
        }
    }

    async fn line(&mut self, begin: usize, stream: &mut TcpStream) -> io::Result<Range<usize>> {
        loop {
            if let Some(length) = memmem::find(&self.bytes[begin..], b"\r\n") {
                return Ok(begin..begin + length);
            }
            self.fill(self.bytes.len() + 1, stream).await?;
        }
    }
}

impl Head {
    /// Of bytes that end with the last header's line end.
    fn read(bytes: &[u8]) -> io::Result<Self> {
        let mut ends = memmem::find_iter(bytes, b"\r\n");
        let first = ends.next().unwrap_or(bytes.len());
        let mut head = Self {
            line: 0..first,
            end: bytes.len() + 2,
            length: 0,
            is_chunked: false,
            is_last: bytes[..first].ends_with(b"HTTP/1.0"),
            expects_continue: false,
            script: 0..0,
        };
        let mut begin = first + 2;
        for end in ends {
            let line = &bytes[begin..end];
            let colon = memchr::memchr(b':', line).ok_or_else(|| invalid("a header without a colon"))?;
            let value = line[colon + 1..].trim_ascii();
            // By length first: most headers are of no interest here.
            match colon {
                14 if line[..colon].eq_ignore_ascii_case(b"content-length") => {
                    let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                    head.length = number.ok_or_else(|| invalid("a content-length that is no number"))?;
                }
                17 if line[..colon].eq_ignore_ascii_case(b"transfer-encoding") => {
                    head.is_chunked = value.to_ascii_lowercase().ends_with(b"chunked");
                }
                10 if line[..colon].eq_ignore_ascii_case(b"connection") => {
                    head.is_last = value.eq_ignore_ascii_case(b"close");
                }
                10 if line[..colon].eq_ignore_ascii_case(SCRIPTED.as_bytes()) => {
                    let begin = end - line[colon + 1..].trim_ascii_start().len();
                    head.script = begin..begin + value.len();
                }
                6 if line[..colon].eq_ignore_ascii_case(b"expect") => head.expects_continue = true,
                _ => {}
            }
            begin = end + 2;
        }
        Ok(head)
    }

    /// Whether the client wants no other answer on this connection.
    pub(super) fn is_last(&self) -> bool {
        self.is_last
    }

    /// The request itself, once its body is there.
    pub(super) fn request(&self, bytes: &[u8]) -> io::Result<Request> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let line = text(&bytes[self.line.clone()]);
        let mut words = line.split(' ');
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Err(invalid("a request line without a target"));
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = &bytes[self.line.end..self.end - 2];
        let headers = memmem::find_iter(headers, b"\r\n")
            .map(|at| at + 2)
            .zip(memmem::find_iter(headers, b"\r\n").skip(1).chain([headers.len()]));
        let at = self.line.end;
        let headers = headers.map(|(begin, end)| &bytes[at + begin..at + end]).filter_map(|line| {
            let colon = memchr::memchr(b':', line)?;
            Some((text(&line[..colon]), text(line[colon + 1..].trim_ascii())))
        });
        Ok(Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.collect(),
            body: bytes[self.end..self.end + self.length].to_vec(),
        })
    }
}

impl Request {
    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    async fn received(pieces: &'static [&'static str]) -> io::Result<(Request, Vec<u8>)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut client = TcpStream::connect(listener.local_addr()?).await?;
        let (mut stream, _) = listener.accept().await?;
        let send = async {
            for piece in pieces {
                client.write_all(piece.as_bytes()).await?;
                tokio::task::yield_now().await;
            }
            client.shutdown().await
        };
        let receive = async {
            let mut inbox = Inbox::default();
            let mut head = loop {
                match inbox.head()? {
                    Some(head) => break head,
                    None => assert!(inbox.read(&mut stream).await? > 0),
                }
            };
            let end = inbox.body(&mut head, &mut stream).await?;
            let request = head.request(inbox.bytes())?;
            inbox.forget(end);
            Ok((request, inbox.bytes().to_vec()))
        };
        tokio::try_join!(receive, send).map(|(received, ())| received)
    }

    #[tokio::test]
    async fn a_request_that_comes_in_pieces_is_read_whole() {
        let (request, rest) = received(&[
            "POST /v1/a?b=c HT",
            "TP/1.1\r\nHost: x\r\nX-Scripted:  fault=stall \r\nconte",
            "nt-length: 4\r",
            "\n\r\n{}",
            "{}",
        ])
        .await
        .unwrap();
        let headers = [("Host", "x"), ("X-Scripted", "fault=stall"), ("content-length", "4")];
        let expected = Request {
            method: "POST".to_owned(),
            path: "/v1/a".to_owned(),
            query: "b=c".to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            body: b"{}{}".to_vec(),
        };
        assert_eq!((request, rest), (expected, Vec::new()));
    }

    #[tokio::test]
    async fn a_chunked_body_is_put_together_and_what_follows_is_left() {
        let (request, rest) = received(&[
            "PUT / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nab",
            "c\r\n1;x=y\r\nd\r\n0\r",
            "\nt: u\r\n\r\nGET",
        ])
        .await
        .unwrap();
        assert_eq!((request.body, rest), (b"abcd".to_vec(), b"GET".to_vec()));
    }

    #[tokio::test]
    async fn a_request_that_ends_early_or_is_none_is_an_error() {
        assert!(received(&["POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\nab"]).await.is_err());
        assert!(received(&["POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n"]).await.is_err());
        assert!(received(&["POST / HTTP/1.1\r\nnonsense\r\n\r\n"]).await.is_err());
    }

    #[test]
    fn where_the_script_stands_is_known_without_reading_the_headers_out() {
        let text = b"GET / HTTP/1.1\r\nx-scripted: gap_ms=5\t\r\nConnection: Close\r\n";
        let head = Head::read(text).unwrap();
        assert_eq!((&text[head.script.clone()], head.is_last()), (&b"gap_ms=5"[..], true));
    }
}
