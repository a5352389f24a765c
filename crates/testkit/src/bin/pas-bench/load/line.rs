//! A kept connection that counts what goes wrong on it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::ensure;

use super::connection::Connection;

/// What became of the calls of one kind of load. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    answered: AtomicU64,
    refused: AtomicU64,
    lost: AtomicU64,
    first_problem: Mutex<Option<String>>,
}

impl Tally {
    /// Calls that were answered as they should be.
    pub(crate) fn answered(&self) -> u64 {
        self.0.answered.load(Ordering::Relaxed)
    }

    /// Calls that were answered with something else.
    pub(crate) fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }

    /// Connections that broke, and calls that found none.
    pub(crate) fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }

    /// What went wrong first.
    pub(crate) fn first_problem(&self) -> Option<String> {
        self.0.first_problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fails when anything went wrong: what was measured then is not what was meant.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let problem = self.first_problem();
        ensure!(problem.is_none(), "calls failed; the first one: {}", problem.unwrap_or_default());
        Ok(())
    }

    pub(crate) fn count_answered(&self) {
        self.count_many_answered(1);
    }

    pub(crate) fn count_many_answered(&self, calls: usize) {
        self.0.answered.fetch_add(calls as u64, Ordering::Relaxed);
    }

    pub(crate) fn count_refused(&self, problem: impl FnOnce() -> String) {
        self.0.refused.fetch_add(1, Ordering::Relaxed);
        self.remember(problem);
    }

    pub(crate) fn count_lost(&self, problem: impl FnOnce() -> String) {
        self.0.lost.fetch_add(1, Ordering::Relaxed);
        self.remember(problem);
    }

    fn remember(&self, problem: impl FnOnce() -> String) {
        let mut first = self.0.first_problem.lock().unwrap_or_else(PoisonError::into_inner);
        if first.is_none() {
            *first = Some(problem());
        }
    }
}

/// A kept connection. When it breaks that is counted, and the next call opens another.
#[derive(Debug)]
pub(crate) struct Line {
    port: u16,
    connection: Option<Connection>,
    awaits_answer: bool,
    tally: Tally,
}

impl Line {
    /// A line to `port`, which is opened by the first call.
    pub(crate) fn new(port: u16, tally: &Tally) -> Self {
        Self { port, connection: None, awaits_answer: false, tally: tally.clone() }
    }

    /// So many lines.
    pub(crate) fn many(port: u16, tally: &Tally, count: usize) -> Vec<Self> {
        (0..count).map(|_| Self::new(port, tally)).collect()
    }

    /// Sends a request; its answer is waited for by [`Line::receive`].
    pub(crate) fn send(&mut self, request: &[u8]) {
        let open = self.connection.take().map_or_else(|| Connection::open(self.port), Ok);
        match open.and_then(|mut connection| connection.send(request).map(|()| connection)) {
            Ok(connection) => {
                self.connection = Some(connection);
                self.awaits_answer = true;
            }
            Err(error) => self.count_lost(&error),
        }
    }

    /// The body of the answer, if one is to come and it is as it should be.
    pub(crate) fn receive(&mut self) -> Option<&[u8]> {
        if !std::mem::take(&mut self.awaits_answer) {
            return None;
        }
        let status = match self.connection.as_mut()?.receive() {
            Ok(status) => status,
            Err(error) => {
                self.connection = None;
                self.count_lost(&error);
                return None;
            }
        };
        let body = self.connection.as_ref()?.body();
        if (200..300).contains(&status) {
            self.tally.count_answered();
            return Some(body);
        }
        let text = String::from_utf8_lossy(body);
        self.tally.count_refused(|| format!("port {} answered {status}: {text}", self.port));
        None
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn call(&mut self, request: &[u8]) -> Option<&[u8]> {
        self.send(request);
        self.receive()
    }

    fn count_lost(&self, error: &std::io::Error) {
        self.tally.count_lost(|| format!("port {}: {error}", self.port));
    }
}
