//! How long a connection may keep silent, how long it may take over a request's head, and how long over taking an answer.
//!
//! hyper has one time limit for both: from the end of an answer to the end of the next head. Kept connections would end after the few
//! seconds that a slow head is worth, just when a client that beats as often uses them again.

use std::cmp::Ordering::{Equal, Greater, Less};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Sleep, Timer, Write};
use tokio::time::Instant;

/// The limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// From the first byte of a head to its last.
    pub(crate) head: Duration,
    /// Without a byte between two requests.
    pub(crate) idle: Duration,
}

/// A peer that takes nothing of its answer for so long is cut off; else what it asked for would be held for ever.
const STALL: Duration = Duration::from_secs(30);

/// Joins a connection to the timer that hyper is given for it.
/// `held` is let go when the connection is closed.
pub(crate) fn watch<I, H>(io: I, limits: Limits, held: H) -> (Watched<I, H>, Patience) {
    let alarm = Mutex::new(Box::pin(tokio::time::sleep(limits.idle)));
    let shared = Arc::new(Shared { begun: AtomicBool::new(false), alarm, opened: Instant::now().into() });
    (Watched { io, shared: Arc::clone(&shared), stall: None, _held: held }, Patience { shared, limits })
}

/// What a connection and its timer know of one another.
#[derive(Debug)]
struct Shared {
    /// Bytes have come since hyper began to wait for a head.
    begun: AtomicBool,
    /// The one timer of all waits. It may ring for one that is over, and is set for a later one only then: requests mostly come
    /// long before, and nothing is to be set for them.
    alarm: Mutex<Pin<Box<tokio::time::Sleep>>>,
    opened: std::time::Instant,
}

/// A connection that notes when bytes come, and fails when none go for too long.
#[derive(Debug)]
pub(crate) struct Watched<I, H> {
    io: I,
    shared: Arc<Shared>,
    /// Runs while the peer takes nothing.
    stall: Option<Pin<Box<tokio::time::Sleep>>>,
    _held: H,
}

impl<I, H> Watched<I, H> {
    /// Lets a write through; one that waits for the peer waits no longer than [`STALL`].
    fn unless_stalled<T>(
        &mut self,
        written: Poll<std::io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<T>> {
        if written.is_ready() {
            self.stall = None;
            return written;
        }
        let stall = self.stall.get_or_insert_with(|| Box::pin(tokio::time::sleep(STALL)));
        stall.as_mut().poll(context).map(|()| Err(std::io::ErrorKind::TimedOut.into()))
    }
}

/// hyper's timer for one connection. hyper asks it for a new sleep when it begins to wait for a head.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    shared: Arc<Shared>,
    limits: Limits,
}

impl Timer for Patience {
    fn sleep(&self, _: Duration) -> Pin<Box<dyn Sleep>> {
        self.shared.begun.store(false, Ordering::Relaxed);
        let until = Instant::now() + self.limits.idle;
        Box::pin(Wait { shared: Arc::clone(&self.shared), head: self.limits.head, head_began: false, until })
    }

    fn sleep_until(&self, _: std::time::Instant) -> Pin<Box<dyn Sleep>> {
        self.sleep(self.limits.head)
    }

    /// From which hyper counts what it asks for, which nothing is made of here.
    fn now(&self) -> std::time::Instant {
        self.shared.opened
    }
}

/// The wait for one head.
struct Wait {
    shared: Arc<Shared>,
    head: Duration,
    head_began: bool,
    until: Instant,
}

impl Sleep for Wait {}

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // hyper polls this whenever it has read and still lacks a whole head.
        if !self.head_began && self.shared.begun.load(Ordering::Relaxed) {
            self.head_began = true;
            self.until = Instant::now() + self.head;
        }
        let mut alarm = self.shared.alarm.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let rings = alarm.as_mut().poll(context);
            match (rings, alarm.deadline().cmp(&self.until)) {
                (Poll::Pending, Less | Equal) => return Poll::Pending,
                (Poll::Ready(()), Equal | Greater) => return Poll::Ready(()),
                // It rang for a wait that is over, or would ring too late.
                (Poll::Ready(()), Less) | (Poll::Pending, Greater) => alarm.as_mut().reset(self.until),
            }
        }
    }
}

impl<I: Read + Unpin, H: Unpin> Read for Watched<I, H> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if read.is_ready() {
            self.shared.begun.store(true, Ordering::Relaxed);
        }
        read
    }
}

impl<I: Write + Unpin, H: Unpin> Write for Watched<I, H> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.unless_stalled(written, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, slices);
        self.unless_stalled(written, context)
    }
}
