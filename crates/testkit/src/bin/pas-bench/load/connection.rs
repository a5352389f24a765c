//! HTTP/1.1 over a kept connection, as cheap as a driver must be that shares the machine with what it measures.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::ops::Range;
use std::time::Duration;

/// Who is silent for so long has lost the connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// The first size of the buffer; it grows with the answers.
const BUFFER_BYTES: usize = 64 * 1024;

/// One connection to a service of this machine.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    body: Range<usize>,
}

/// The bytes of a request, which can be sent as often as needed.
pub(crate) fn request(method: &str, path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let kind = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
    format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{kind}content-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

impl Connection {
    /// Connects to `port` of this machine.
    pub(crate) fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: vec![0; BUFFER_BYTES], body: 0..0 })
    }

    /// Sends a request; each must be followed by a [`Connection::receive`].
    pub(crate) fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.stream.write_all(request)
    }

    /// Reads one answer, and tells its status.
    pub(crate) fn receive(&mut self) -> io::Result<u16> {
        let mut filled = 0;
        let head = loop {
            filled += self.read_after(filled)?;
            if let Some(head) = Head::of(&self.buffer[..filled])? {
                break head;
            }
        };
        let end = head.bytes + head.body_bytes;
        if end > self.buffer.len() {
            self.buffer.resize(end, 0);
        }
        while filled < end {
            filled += self.read_after(filled)?;
        }
        self.body = head.bytes..end;
        Ok(head.status)
    }

    /// Sends a request, reads its answer, and tells its status.
    pub(crate) fn call(&mut self, request: &[u8]) -> io::Result<u16> {
        self.send(request)?;
        self.receive()
    }

    /// The body of the last answer.
    pub(crate) fn body(&self) -> &[u8] {
        &self.buffer[self.body.clone()]
    }

    fn read_after(&mut self, filled: usize) -> io::Result<usize> {
        match self.stream.read(&mut self.buffer[filled..])? {
            0 => Err(io::Error::new(ErrorKind::UnexpectedEof, "the connection was closed")),
            read => Ok(read),
        }
    }
}

/// What is needed of an answer's head.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    bytes: usize,
    body_bytes: usize,
}

impl Head {
    /// The head at the beginning of `bytes`, if it is there in full.
    fn of(bytes: &[u8]) -> io::Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
        let unreadable = || io::Error::new(ErrorKind::InvalidData, "an answer without status or length");
        let text = std::str::from_utf8(&bytes[..end]).map_err(|_| unreadable())?;
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let length = lines
            .filter_map(|line| line.split_once(": "))
            .find_map(|(name, value)| name.eq_ignore_ascii_case("content-length").then_some(value));
        let length = length.and_then(|length| length.parse().ok());
        let (Some(status), Some(body_bytes)) = (status, length) else { return Err(unreadable()) };
        Ok(Some(Self { status, bytes: end + 4, body_bytes }))
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn an_answer_that_comes_in_pieces_is_read_whole_and_the_next_one_after_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut connection = Connection::open(listener.local_addr().unwrap().port()).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        let answers = std::thread::spawn(move || {
            for piece in ["HTTP/1.1 200 OK\r\ncontent-", "length: 5\r\n\r\nhe", "llo"] {
                peer.write_all(piece.as_bytes()).unwrap();
            }
            let mut asked = [0; 256];
            assert!(peer.read(&mut asked).unwrap() > 0);
            peer.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap();
        });
        assert_eq!((connection.receive().unwrap(), connection.body()), (200, &b"hello"[..]));
        let again = connection.call(&request("GET", "/", "")).unwrap();
        assert_eq!((again, connection.body()), (404, &b""[..]));
        answers.join().unwrap();
        assert_eq!(connection.receive().unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn an_answer_of_unknown_length_is_refused() {
        let error = Head::of(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }
}
