//! An answer is played: every piece at its time, and an end as the script has it.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use super::answer::{Answer, Ending, Piece, chunk};
use super::dialect::Kind;
use super::http::Inbox;
use super::record::{Ended, Ledger};
use super::script::Framing;
use crate::monotonic;

/// More than this of a next request isn't read while an answer is under way.
const AHEAD_BYTES: usize = 1024 * 1024;

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// It may carry another request.
    Keep,
    /// It is closed.
    Close,
    /// It is reset.
    Reset,
}

/// The client is gone, or can't be written to.
#[derive(Debug)]
struct Gone;

/// Plays an answer on a connection. What comes meanwhile goes into the inbox.
pub(super) struct Player<'a> {
    pub(super) stream: &'a TcpStream,
    pub(super) inbox: &'a mut Inbox,
    pub(super) ledger: &'a Ledger,
    /// In the ledger.
    pub(super) number: Option<u64>,
}

impl Player<'_> {
    /// Plays it to its end.
    pub(super) async fn play(mut self, answer: &Answer) -> Then {
        let mut open = Open { ledger: self.ledger, number: self.number };
        let (then, ended) = match self.run(answer).await {
            Err(Gone) => (Then::Close, Ended::Left),
            Ok(()) => match answer.ending {
                Ending::Whole if answer.framing == Framing::Close => (Then::Close, Ended::Whole),
                Ending::Whole => (Then::Keep, Ended::Whole),
                Ending::Short if answer.framing == Framing::Close => (Then::Close, Ended::Cut),
                Ending::Short => (Then::Keep, Ended::Cut),
                Ending::Close => (Then::Close, Ended::Cut),
                Ending::Reset => (Then::Reset, Ended::Cut),
                // It ends by the client's leaving alone.
                Ending::Stall => (Then::Close, Ended::Left),
            },
        };
        open.end(ended);
        then
    }

    async fn run(&mut self, answer: &Answer) -> Result<(), Gone> {
        if let Some(bytes) = &answer.at_once {
            self.send(bytes).await?;
            self.note_head(&answer.head);
            if bytes.len() > answer.head.len() {
                self.note(&bytes[answer.head.len()..]);
            }
            return Ok(());
        }
        let script = &answer.script;
        let begun = Instant::now();
        self.wait(begun + Duration::from_millis(script.head_ms), answer, false).await?;
        if !answer.head.is_empty() {
            self.send(&answer.head).await?;
            self.note_head(&answer.head);
        }
        let mut first_content = None;
        let mut number = 0;
        for piece in &answer.pieces {
            for _ in 0..piece.times {
                if piece.kind == Kind::Content {
                    let due = match first_content {
                        None => Instant::now() + Duration::from_millis(script.first_ms),
                        Some(first) => first + Duration::from_millis(script.gap_ms) * number,
                    };
                    self.wait(due, answer, true).await?;
                    first_content.get_or_insert_with(Instant::now);
                    number += 1;
                }
                self.piece(piece, answer).await?;
            }
        }
        match answer.ending {
            Ending::Stall => self.stall(answer).await,
            Ending::Whole | Ending::Short if answer.framing == Framing::Chunked => {
                self.send(b"0\r\n\r\n").await
            }
            _ => Ok(()),
        }
    }

    /// Sends a piece as its script says.
    async fn piece(&mut self, piece: &Piece, answer: &Answer) -> Result<(), Gone> {
        let body = &piece.wire[piece.body.clone()];
        let script = &answer.script;
        if body.is_empty() {
            return Ok(());
        }
        if let Some(drip_ms) = script.drip_ms {
            for byte in body.chunks(1) {
                self.part(byte, answer.framing).await?;
                let due = Instant::now() + Duration::from_millis(drip_ms);
                self.wait(due, answer, false).await?;
            }
        } else if let Some(bytes) = script.split_bytes {
            for part in body.chunks(bytes.max(1)) {
                self.part(part, answer.framing).await?;
                tokio::task::yield_now().await;
            }
        } else if let Some(at) = piece.stamp {
            let mut wire = piece.wire.clone();
            let now = format!("{:020}", monotonic().as_nanos());
            wire[at..at + now.len()].copy_from_slice(now.as_bytes());
            self.send(&wire).await?;
            self.note(&wire[piece.body.clone()]);
            tokio::task::yield_now().await;
        } else {
            self.send(&piece.wire).await?;
            self.note(body);
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn part(&mut self, part: &[u8], framing: Framing) -> Result<(), Gone> {
        match framing {
            Framing::Chunked => self.send(&chunk(part).0).await?,
            Framing::Length | Framing::Close => self.send(part).await?,
        }
        self.note(part);
        Ok(())
    }

    /// Waits until then, with pings if there are to be any and the body has begun; fails when the client leaves.
    async fn wait(&mut self, until: Instant, answer: &Answer, has_begun: bool) -> Result<(), Gone> {
        while Instant::now() < until {
            let ping = self.next_ping(answer, has_begun);
            let due = ping.map_or(until, |ping| ping.min(until));
            tokio::select! {
                gone = gone(self.stream, self.inbox) => return Err(gone),
                () = sleep_until(due) => {}
            }
            if ping.is_some_and(|ping| ping < until) {
                self.send(&answer.ping).await?;
            }
        }
        Ok(())
    }

    /// Waits until the client leaves.
    async fn stall(&mut self, answer: &Answer) -> Result<(), Gone> {
        loop {
            let Some(due) = self.next_ping(answer, !answer.head.is_empty()) else {
                return Err(gone(self.stream, self.inbox).await);
            };
            tokio::select! {
                gone = gone(self.stream, self.inbox) => return Err(gone),
                () = sleep_until(due) => self.send(&answer.ping).await?,
            }
        }
    }

    fn next_ping(&self, answer: &Answer, has_begun: bool) -> Option<Instant> {
        let every = answer.script.ping_ms.filter(|_| has_begun && !answer.ping.is_empty())?;
        Some(Instant::now() + Duration::from_millis(every.max(1)))
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        write(self.stream, bytes).await.map_err(|_| Gone)
    }

    fn note_head(&self, head: &[u8]) {
        if let Some(number) = self.number {
            self.ledger.sent_head(number, head);
        }
    }

    fn note(&self, body: &[u8]) {
        if let Some(number) = self.number {
            self.ledger.sent(number, body, monotonic());
        }
    }
}

/// An answer under way. Whoever stops listening in its midst cuts it.
struct Open<'a> {
    ledger: &'a Ledger,
    number: Option<u64>,
}

impl Open<'_> {
    fn end(&mut self, ended: Ended) {
        if let Some(number) = self.number.take() {
            self.ledger.ended(number, ended);
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.end(Ended::Cut);
    }
}

/// Writes all of it. Other connections get their turn only where the caller yields.
pub(super) async fn write(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Waits until the client leaves; what it sends meanwhile is kept.
async fn gone(stream: &TcpStream, inbox: &mut Inbox) -> Gone {
    loop {
        if inbox.bytes().len() > AHEAD_BYTES {
            std::future::pending::<()>().await;
        }
        if stream.readable().await.is_err() {
            return Gone;
        }
        match inbox.try_read(stream) {
            Ok(0) => return Gone,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return Gone,
        }
    }
}
