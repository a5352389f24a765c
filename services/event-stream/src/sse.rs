//! Server-sent events.

use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;
use pas_types::event::{Cursor, EventFilter, SubscribeMode};
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;

use crate::app::App;
use crate::subscribers::{Kind, Listed};
use crate::tail::{End, Part, Tail};

/// How often the place of a reader is said, while nothing happens that it wants.
const ALIVE: Duration = Duration::from_secs(15);
/// Parts that wait for a slow reader; it is sent no more until it takes them.
const WAITING: usize = 2;

/// Where a stream begins.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    at: u64,
    /// The reader's cursor could not be followed, and it is told so.
    reset: bool,
}

impl Start {
    /// After a place.
    pub fn at(at: u64) -> Self {
        Self { at, reset: false }
    }

    /// Where a reader was when it lost the connection; if that can't be, from now on.
    pub fn resume(app: &App, cursor: Cursor) -> Self {
        app.locate(cursor).map_or_else(|_| Self { at: app.head(), reset: true }, Self::at)
    }
}

/// The body of the answer.
pub fn stream(app: App, filter: EventFilter, start: Start) -> ReceiverStream<Result<Bytes, std::io::Error>> {
    let (out, stream) = channel(WAITING);
    let (tasks, shutdown) = (app.shared.tasks.clone(), app.shared.shutdown.clone());
    tasks.spawn(async move {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = out.closed() => {}
            () = fill(&app, filter, start, &out) => {}
        }
    });
    ReceiverStream::new(stream)
}

async fn fill(app: &App, filter: EventFilter, start: Start, out: &Sender<Result<Bytes, std::io::Error>>) {
    let mut tail = Tail::new(app.clone(), filter.clone(), start.at);
    let listed = Listed::new(app, Kind::Sse, start.at);
    // The head of the answer is sent with its first bytes, also when nothing happens.
    let mut next = if start.reset { reset(app, start.at) } else { place(app, start.at) };
    loop {
        if out.send(Ok(next)).await.is_err() {
            return;
        }
        next = match tokio::time::timeout(ALIVE, wanted(&mut tail, &listed)).await {
            Ok(Ok(part)) => encode(app, &part),
            Ok(Err(End::Gone)) => {
                let at = app.head();
                tail = Tail::new(app.clone(), filter.clone(), at);
                reset(app, at)
            }
            Ok(Err(End::Failed(_))) => return,
            Err(_) => place(app, tail.at()),
        };
    }
}

/// The next part that has events in it.
async fn wanted(tail: &mut Tail, listed: &Listed) -> Result<Part, End> {
    loop {
        let part = tail.next().await?;
        listed.is_at(part.to);
        if !part.events.is_empty() {
            return Ok(part);
        }
    }
}

fn encode(app: &App, part: &Part) -> Bytes {
    let mut text = String::new();
    for entry in &part.events {
        let (id, kind, line) = (app.cursor(entry.seq), entry.header.event_type, entry.line.get());
        // Writing to a string doesn't fail.
        let _ = write!(text, "id: {id}\nevent: {kind}\ndata: {line}\n\n");
    }
    text.into()
}

/// An id without an event: who reconnects goes on from there, also when it was not sent an event yet.
fn place(app: &App, at: u64) -> Bytes {
    format!("id: {}\n\n", app.cursor(at)).into()
}

/// Says that events may have been missed, and that it goes on after `head`.
fn reset(app: &App, head: u64) -> Bytes {
    let news = serde_json::to_string(&app.subscribed(head, SubscribeMode::Reset)).unwrap_or_default();
    format!("id: {}\nevent: reset\ndata: {news}\n\n", app.cursor(head)).into()
}
