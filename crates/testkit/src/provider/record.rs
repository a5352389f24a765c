//! What was received and sent, for tests to look at.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;

use super::http::Request;
use crate::monotonic;

/// So many bytes of an answer's body are kept.
const SENT_BYTES: usize = 1024 * 1024;

/// A request and what became of it. Times are [`crate::monotonic`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Among all, from 0.
    pub number: u64,
    /// The connection on which it came, from 0.
    pub connection: u64,
    /// Its place among those of its connection, from 1.
    pub place: u64,
    /// The method.
    pub method: String,
    /// The path, as it came.
    pub path: String,
    /// What follows the question mark.
    pub query: String,
    /// The headers, in the order and the letters in which they came.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// When all of it was there.
    pub came: Duration,
    /// The head of the answer, once it is sent.
    pub sent_head: Vec<u8>,
    /// What was sent of the body so far, without the framing; at most the first mebibyte.
    pub sent: Vec<u8>,
    /// How much was sent of the body so far.
    pub sent_bytes: u64,
    /// When each piece of the body was handed to the kernel, as far as `sent` goes.
    pub pieces: Vec<Duration>,
    /// How it ended, and when.
    pub ended: Option<(Ended, Duration)>,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// All of it was sent.
    Whole,
    /// It was cut, or ended early, as the script says.
    Cut,
    /// The client left before that.
    Left,
}

impl Recorded {
    /// The value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null when it isn't.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Whether the client left before the end.
    pub fn was_left(&self) -> bool {
        matches!(self.ended, Some((Ended::Left, _)))
    }

    /// For those who ask over HTTP.
    pub(super) fn view(&self) -> serde_json::Value {
        let nanoseconds = |time: &Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        serde_json::json!({
            "number": self.number, "connection": self.connection, "place": self.place,
            "method": self.method, "path": self.path, "query": self.query, "headers": self.headers,
            "body": String::from_utf8_lossy(&self.body), "came_ns": nanoseconds(&self.came),
            "sent_head": String::from_utf8_lossy(&self.sent_head), "sent": String::from_utf8_lossy(&self.sent),
            "sent_bytes": self.sent_bytes, "pieces_ns": self.pieces.iter().map(nanoseconds).collect::<Vec<_>>(),
            "ended": self.ended.map(|(ended, _)| ended), "ended_ns": self.ended.map(|(_, at)| nanoseconds(&at)),
        })
    }
}

/// Everything that is recorded.
#[derive(Debug)]
pub(super) struct Ledger {
    kept: Mutex<Kept>,
    limit: usize,
    changes: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Kept {
    requests: VecDeque<Recorded>,
    next: u64,
}

impl Ledger {
    /// Keeps so many; when there are more, the oldest is forgotten.
    pub(super) fn new(limit: usize) -> Self {
        Self { kept: Mutex::default(), limit, changes: watch::Sender::new(()) }
    }

    /// A request has come; tells its number, or none when nothing is kept.
    pub(super) fn came(&self, request: &Request, connection: u64, place: u64) -> Option<u64> {
        if self.limit == 0 {
            return None;
        }
        let mut kept = self.kept();
        let number = kept.next;
        kept.next += 1;
        if kept.requests.len() == self.limit {
            kept.requests.pop_front();
        }
        kept.requests.push_back(Recorded {
            number,
            connection,
            place,
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            came: monotonic(),
            sent_head: Vec::new(),
            sent: Vec::new(),
            sent_bytes: 0,
            pieces: Vec::new(),
            ended: None,
        });
        drop(kept);
        self.changes.send_replace(());
        Some(number)
    }

    pub(super) fn sent_head(&self, number: u64, head: &[u8]) {
        self.change(number, |recorded| recorded.sent_head = head.to_vec());
    }

    /// A piece of the body was sent.
    pub(super) fn sent(&self, number: u64, piece: &[u8], at: Duration) {
        self.change(number, |recorded| {
            recorded.sent_bytes += piece.len() as u64;
            if recorded.sent.len() < SENT_BYTES {
                let room = SENT_BYTES - recorded.sent.len();
                recorded.sent.extend_from_slice(&piece[..piece.len().min(room)]);
                recorded.pieces.push(at);
            }
        });
    }

    pub(super) fn ended(&self, number: u64, ended: Ended) {
        self.change(number, |recorded| recorded.ended = Some((ended, monotonic())));
    }

    /// All that are kept, oldest first.
    pub(super) fn requests(&self) -> Vec<Recorded> {
        self.kept().requests.iter().cloned().collect()
    }

    /// What `look` finds in all that are kept.
    pub(super) fn look<T>(&self, look: impl FnOnce(&[Recorded]) -> T) -> T {
        look(self.kept().requests.make_contiguous())
    }

    /// Forgets all.
    pub(super) fn forget(&self) {
        self.kept().requests.clear();
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Recorded)) {
        let mut kept = self.kept();
        let first = kept.requests.front().map_or(kept.next, |first| first.number);
        let place = number.checked_sub(first).and_then(|place| usize::try_from(place).ok());
        if let Some(recorded) = place.and_then(|place| kept.requests.get_mut(place)) {
            change(recorded);
        }
        drop(kept);
        self.changes.send_replace(());
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_and_the_others_keep_their_numbers() {
        let request = Request {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers: vec![("A".to_owned(), "b".to_owned())],
            body: Vec::new(),
        };
        let ledger = Ledger::new(2);
        let numbers = [0, 1, 2].map(|place| ledger.came(&request, 0, place));
        assert_eq!(numbers, [Some(0), Some(1), Some(2)]);
        ledger.sent(0, b"lost", Duration::ZERO);
        ledger.sent(2, b"kept", Duration::ZERO);
        ledger.ended(2, Ended::Whole);
        let kept = ledger.requests();
        assert_eq!(
            kept.iter().map(|one| (one.number, one.sent.as_slice())).collect::<Vec<_>>(),
            [(1, &b""[..]), (2, b"kept")]
        );
        assert_eq!(
            (kept[1].ended.map(|(ended, _)| ended), kept[1].header("a")),
            (Some(Ended::Whole), Some("b"))
        );
        assert_eq!(Ledger::new(0).came(&request, 0, 1), None);
    }
}
