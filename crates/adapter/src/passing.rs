//! An answer on its way back: every byte as it came, read along for what is counted. What breaks off breaks off here too.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use hyper::body::{Body, Frame, SizeHint};
use pas_dialects::answer::{self, Broken};
use pas_dialects::ollama;
use pas_dialects::sse::Framer;
use pas_dialects::stream::{Meter, Part};
use pas_service::web::is_json;
use pas_types::event::CallUsage;
use pas_types::routing::Dialect;
use pas_upstream::{Answer, headers};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tokio::time::{Instant, Sleep};

use crate::app::App;
use crate::metrics::Outcome;
use crate::ticket::Ticket;

/// Bytes of a whole answer, of an event, or of a line that are read along; what is larger is passed on unread.
const READ_BYTES: usize = 8 * 1024 * 1024;

/// How an answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// In one piece.
    Json,
    /// As server-sent events.
    Events,
    /// A JSON text on each line.
    Lines,
}

/// How an answer with such a head comes; none where it is no answer of a model's.
pub(crate) fn form(headers: &HeaderMap) -> Option<Form> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "text/event-stream" => Some(Form::Events),
        "application/x-ndjson" => Some(Form::Lines),
        _ if is_json(kind) => Some(Form::Json),
        _ => None,
    }
}

/// How long a limit is used up that an answer's head tells of; none while something is left of each.
pub(crate) fn used_up(headers: &HeaderMap, now: jiff::Timestamp) -> Option<Duration> {
    const LEFT: [&str; 4] = [
        "x-ratelimit-remaining-requests",
        "x-ratelimit-remaining-tokens",
        "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-tokens-remaining",
    ];
    let is_none_left = LEFT.iter().any(|name| headers.get(*name).is_some_and(|left| left == "0"));
    if is_none_left { headers::retry_after(headers, now) } else { None }
}

/// An answer's body, passed on.
#[derive(Debug)]
pub(crate) struct Passing {
    app: Arc<App>,
    /// Until it has ended.
    answer: Option<Answer>,
    ticket: Ticket,
    reading: Reading,
    late: Pin<Box<Sleep>>,
}

/// What is read along.
#[derive(Debug)]
enum Reading {
    Nothing,
    Whole(Dialect, BytesMut, Bytes),
    Events { framer: Framer, meter: Box<Meter>, outcome: Outcome },
    Lines(BytesMut),
}

/// An answer broke off.
#[derive(Debug, thiserror::Error)]
enum Broke {
    #[error("the answer took longer than it may")]
    Late,
    #[error("the provider broke off: {0}")]
    Cut(hyper::Error),
}

impl Passing {
    pub(crate) fn new(
        app: Arc<App>,
        answer: Answer,
        mut ticket: Ticket,
        reading: Option<(Dialect, Form)>,
        deadline: Instant,
    ) -> Self {
        let reading = match reading {
            None => Reading::Nothing,
            Some((dialect, Form::Json)) => Reading::Whole(dialect, BytesMut::new(), Bytes::new()),
            Some((dialect, Form::Events)) => Reading::Events {
                framer: Framer::default(),
                meter: Box::new(Meter::new(dialect)),
                outcome: Outcome::Cut,
            },
            Some((_, Form::Lines)) => Reading::Lines(BytesMut::new()),
        };
        if !matches!(reading, Reading::Events { .. }) {
            ticket.answers();
        }
        let late = Box::pin(tokio::time::sleep_until(deadline));
        let mut passing = Self { app, answer: Some(answer), ticket, reading, late };
        passing.end_if_over();
        passing
    }

    /// Whoever takes the body may ask for no more once it says that it is over.
    fn end_if_over(&mut self) {
        if self.answer.as_ref().is_some_and(Answer::is_end_stream) {
            self.end();
        }
    }

    fn end(&mut self) {
        if let Some(answer) = self.answer.take() {
            self.app.provider.pool().give_back(answer);
        }
        let outcome = self.reading.end(&mut self.ticket);
        self.ticket.end(outcome);
    }
}

/// Whoever has all of an answer may leave before its very end.
impl Drop for Passing {
    fn drop(&mut self) {
        if self.answer.take().is_some() && self.reading.has_end() {
            self.end();
        } else {
            self.reading.end(&mut self.ticket);
        }
    }
}

impl Reading {
    /// Whether the end mark has come, though not the body's end.
    fn has_end(&self) -> bool {
        matches!(self, Self::Events { outcome: Outcome::Ok, .. })
    }

    fn take(&mut self, data: &Bytes, ticket: &mut Ticket) {
        match self {
            Self::Nothing => return,
            Self::Whole(_, rest, first) if first.is_empty() && rest.is_empty() => *first = data.clone(),
            Self::Whole(_, rest, first) => {
                rest.extend_from_slice(&std::mem::take(first));
                rest.extend_from_slice(data);
            }
            Self::Events { framer, meter, outcome } => {
                framer.push(data.clone());
                loop {
                    match framer.next_event(READ_BYTES) {
                        Ok(Some(event)) => follow(meter, &event, outcome, ticket),
                        Ok(None) => return,
                        Err(_) => break,
                    }
                }
            }
            Self::Lines(line) => {
                line.extend_from_slice(data);
                let whole = line.trim_ascii_end().len();
                if let Some(end) = memchr::memrchr(b'\n', &line[..whole]) {
                    drop(line.split_to(end + 1));
                }
            }
        }
        if self.is_too_large() {
            *self = Self::Nothing;
        }
    }

    fn is_too_large(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Whole(_, rest, first) => first.len() + rest.len() > READ_BYTES,
            // An event that is too large came just now.
            Self::Events { .. } => true,
            Self::Lines(line) => line.len() > READ_BYTES,
        }
    }

    /// All has come.
    fn end(&mut self, ticket: &mut Ticket) -> Outcome {
        let (usage, outcome) = match std::mem::replace(self, Self::Nothing) {
            Self::Nothing => (None, Outcome::Ok),
            Self::Whole(dialect, rest, first) => {
                let body = if rest.is_empty() { first } else { rest.freeze() };
                match dialect {
                    Dialect::OllamaChat => last_line(&body),
                    dialect => whole(dialect, &body),
                }
            }
            Self::Events { meter, outcome, .. } => (meter.usage, outcome),
            Self::Lines(line) => last_line(&line),
        };
        usage.into_iter().for_each(|usage| ticket.used(usage));
        outcome
    }
}

/// What an answer in one piece tells. Gemini answers a stream as a list of pieces, where no events are asked for.
fn whole(dialect: Dialect, body: &[u8]) -> (Option<CallUsage>, Outcome) {
    match answer::Answer::read(dialect, body, false) {
        Ok(answer) => (answer.usage, Outcome::Ok),
        Err(Broken::Error(_)) => (None, Outcome::Inside),
        Err(Broken::Garbage) => match serde_json::from_slice::<Vec<&RawValue>>(body) {
            Ok(pieces) => {
                let last = pieces.last().map(|piece| whole(dialect, piece.get().as_bytes()));
                last.unwrap_or((None, Outcome::Ok))
            }
            Err(_) if serde_json::from_slice::<IgnoredAny>(body).is_ok() => (None, Outcome::Ok),
            Err(_) => (None, Outcome::Failed),
        },
    }
}

fn last_line(line: &[u8]) -> (Option<CallUsage>, Outcome) {
    let usage = ollama::last_line(line);
    (usage, if usage.is_some() { Outcome::Ok } else { Outcome::Cut })
}

fn follow(meter: &mut Meter, event: &[u8], outcome: &mut Outcome, ticket: &mut Ticket) {
    let had_content = meter.has_content;
    match meter.read(event) {
        Part::End => *outcome = Outcome::Ok,
        Part::Error(_) => *outcome = Outcome::Inside,
        Part::Prelude | Part::Content | Part::Usage | Part::Garbage => {}
    }
    if meter.has_content && !had_content {
        ticket.first_token();
    }
}

impl Body for Passing {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        let Some(answer) = &mut this.answer else { return Poll::Ready(None) };
        let frame = match Pin::new(answer).poll_frame(context) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                if this.late.as_mut().poll(context).is_ready() {
                    this.answer = None;
                    this.ticket.end(Outcome::Timeout);
                    return Poll::Ready(Some(Err(Broke::Late.into())));
                }
                return Poll::Pending;
            }
        };
        match frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    this.reading.take(data, &mut this.ticket);
                }
                this.end_if_over();
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                this.answer = None;
                this.ticket.end(Outcome::Cut);
                Poll::Ready(Some(Err(Broke::Cut(error).into())))
            }
            None => {
                this.end();
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.answer.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.answer.as_ref().map_or_else(|| SizeHint::with_exact(0), Answer::size_hint)
    }
}
