//! Kept connections to one origin, and one request over one of them.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use pas_service::client::root_cause;
use pas_service::clock;
use pas_service::slots::Slots;

use crate::connection::{Answer, Connection};
use crate::{Connector, Origin};

/// Connections that are kept idle.
const IDLE: usize = 256;
/// How long one is kept; most servers close theirs after a minute or so.
const IDLE_FOR: Duration = Duration::from_secs(50);

/// A kept connection that breaks so soon was closed just then.
const JUST_THEN: Duration = Duration::from_secs(1);

/// Kept connections to one origin. Each thread keeps its own: what comes over a connection is heard by the thread that made it.
#[derive(Debug)]
pub struct Pool {
    origin: Origin,
    connector: Connector,
    idle: Slots<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    /// On the monotonic clock.
    since: Duration,
}

/// An answer's head.
#[derive(Debug)]
pub struct Sent {
    /// The head, and the body that is still to come: to be given back when that has been read to its end.
    pub response: Response<Answer>,
    /// How long it took to make one; none where one was kept.
    pub connect: Option<Duration>,
    /// A kept connection was closed just then, and the request sent once more over another.
    pub again: bool,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// No connection could be made.
    #[error("no connection: {0}")]
    Connect(String),
    /// None was made in time.
    #[error("no connection within {} ms", .0.as_millis())]
    ConnectTimeout(Duration),
    /// It broke before a byte of the answer came.
    #[error("the connection broke before an answer: {0}")]
    Broken(String),
    /// What came is no HTTP.
    #[error("the answer is no HTTP: {0}")]
    NoHttp(String),
}

impl Pool {
    /// Of connections to `origin`, none yet.
    pub fn new(origin: Origin, connector: Connector) -> Self {
        Self { origin, connector, idle: Slots::default() }
    }

    /// Closes what has been idle for too long, or what the peer has closed: the connections of a busy hour are not kept for a
    /// quiet one.
    pub fn shed(&self) {
        let now = clock::monotonic();
        for mut idle in self.idle.all() {
            idle.retain_mut(|idle| now.saturating_sub(idle.since) <= IDLE_FOR && idle.connection.is_ready());
        }
    }

    /// How many are kept.
    #[cfg(test)]
    pub(crate) fn kept(&self) -> usize {
        self.idle.all().map(|idle| idle.len()).sum()
    }

    /// A kept connection that is still open, the latest first: what is not needed grows old and goes.
    fn take(&self, now: Duration) -> Option<Connection> {
        let (_, mut idle) = self.idle.own();
        while let Some(Idle { mut connection, since }) = idle.pop() {
            if now.saturating_sub(since) > IDLE_FOR {
                // All below it are older.
                idle.clear();
                return None;
            }
            if connection.is_ready() {
                return Some(connection);
            }
        }
        None
    }

    /// Sends a request. Over a kept connection where `may_reuse`: one that is closed just then is no failure, and what
    /// `again` makes goes out once more over a fresh one. What must not be done twice gets a fresh one at once.
    pub async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
        again: impl FnOnce() -> Option<Request<Full<Bytes>>>,
        may_reuse: bool,
        connect_within: Duration,
    ) -> Result<Sent, SendError> {
        let begun = clock::monotonic();
        let kept = if may_reuse { self.take(begun) } else { None };
        let was_kept = kept.is_some();
        if let Some(connection) = kept {
            match connection.send(request).await {
                Ok(response) => return Ok(Sent { response, connect: None, again: false }),
                Err(error) if error.is_parse() => return Err(SendError::NoHttp(error.to_string())),
                // Later it was no race between the peer's end and this request: the peer may have worked on it.
                Err(error) if clock::monotonic().saturating_sub(begun) > JUST_THEN => {
                    return Err(SendError::Broken(root_cause(&error)));
                }
                Err(error) => {
                    tracing::debug!(%error, "a kept connection was closed; another is made");
                    request = again().ok_or_else(|| SendError::Broken(root_cause(&error)))?;
                }
            }
        }
        let begun = clock::monotonic();
        // Seldom, and much to hold: no call that finds a connection shall carry the room for it.
        let connecting = Box::pin(tokio::time::timeout(connect_within, self.open())).await;
        let connection = connecting.map_err(|_| SendError::ConnectTimeout(connect_within))??;
        let connect = Some(clock::monotonic().saturating_sub(begun));
        match connection.send(request).await {
            Ok(response) => Ok(Sent { response, connect, again: was_kept }),
            Err(error) if error.is_parse() => Err(SendError::NoHttp(error.to_string())),
            Err(error) => Err(SendError::Broken(root_cause(&error))),
        }
    }

    async fn open(&self) -> Result<Connection, SendError> {
        let failed = |error: std::io::Error| SendError::Connect(error.to_string());
        let stream = self.connector.connect(&self.origin).await.map_err(failed)?;
        Connection::over(stream).await.map_err(|error| SendError::Connect(root_cause(&error)))
    }

    /// Keeps the connection of an answer that has been read to its end.
    pub fn give_back(&self, answer: Answer) {
        let connection = answer.into_connection();
        if connection.is_closed() {
            return;
        }
        let since = clock::monotonic();
        let (_, mut idle) = self.idle.own();
        if idle.len() < IDLE {
            idle.push(Idle { connection, since });
        }
    }
}
