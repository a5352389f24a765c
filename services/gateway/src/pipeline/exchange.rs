//! One exchange with one candidate: the request goes out, and what comes back is read until it is known for what it is.

use std::future::poll_fn;
use std::pin::pin;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use pas_dialects::answer::{Answer, Broken};
use pas_dialects::said::{self, Said};
use pas_dialects::stream::Finish;
use pas_routing::Choice;
use pas_service::web::is_json;
use pas_types::event::CallUsage;
use pas_types::routing::ContentFilter;
use pas_upstream::{SendError, Sent, Unread, headers};
use tokio::time::{Duration, Instant};

use super::attempt::{Failed, Trace, Underway, candidate};
use super::flow::{Flow, Step};
use super::plan::is_atomic;
use super::whole::{AsIs, Whole};
use super::{Way, request};
use crate::call::Form;
use crate::core::fault::Fault;
use crate::lane::Lane;

/// Bytes of a provider's error that are read.
const ERROR_BYTES: usize = 256 * 1024;

/// What came back, if it is as it should be.
pub(super) enum Exchanged {
    /// All of it, and the tokens as far as they were told.
    Whole(WithModel, Option<CallUsage>),
    /// A stream that has begun: the headers, what comes, what is here already, and the end if it is.
    Stream(HeaderMap, Box<Flow>, Vec<Bytes>, Option<Bytes>),
}

/// A whole answer, and the model that it says it is from.
pub(super) struct WithModel {
    pub(super) whole: Whole,
    pub(super) model: Option<String>,
}

/// Asks, and reads until it is known what came back.
pub(super) async fn exchange(
    way: &Way<'_>,
    choice: &Choice,
    lane: &Lane,
    underway: &mut Underway<'_>,
) -> Result<Exchanged, Box<Failed>> {
    let timeouts = way.rules.timeouts(way.snapshot.table(), candidate(way, choice)?);
    let begun = underway.trace.begun();
    let deadline = way.deadline.min(begun + timeouts.call);
    let wants_stream = way.call.form != Form::Whole;
    // Until something that bears content is here.
    let limit = if wants_stream { deadline.min(begun + timeouts.first_token) } else { deadline };
    let request =
        request::request(way, choice, lane).map_err(|error| Failed::saying(Fault::Garbage, error.message))?;
    underway.trace.sent = true;
    let again = || request::request(way, choice, lane).ok();
    let sent = {
        let sending = pin!(lane.pool.send(request, again, way.repeatable, timeouts.connect));
        way.alarm.before(limit, sending).await
    };
    let (response, connect, again) = match sent {
        Some(Ok(Sent { response, connect, again })) => (response, connect, again),
        Some(Err(error)) => return Err(not_sent(&error, &mut underway.trace)),
        None => return Err(Failed::of(late(way, limit, Fault::FirstToken))),
    };
    if again {
        underway
            .ledger
            .note("a kept connection was closed just then: the request went out once more over another");
    }
    let trace = &mut underway.trace;
    (trace.connect, trace.first_byte) = (connect, Some(begun.elapsed()));
    trace.http_status = Some(response.status().as_u16());
    let (parts, body) = response.into_parts();
    if !parts.status.is_success() {
        return Err(refused(way, limit, parts, body, lane).await);
    }
    let kind = kind(&parts.headers);
    match (wants_stream, kind) {
        (true, Kind::Events) => {
            let ask_usage = way.call.asked.ask_usage.is_some();
            let mut flow =
                Flow::new(choice.dialect, way.call.form, body, ask_usage, way.app.config().event_bytes);
            let atomic = is_atomic(way.call, way.rules);
            let held = hold(way, &mut flow, limit, timeouts.between_tokens, deadline, atomic).await;
            underway.trace.follow(&flow);
            let (held, end) = held.map_err(Failed::of)?;
            if flow.is_refusal() && way.rules.content_filter == ContentFilter::NextCandidate {
                return Err(Failed::of(Fault::Filtered));
            }
            Ok(Exchanged::Stream(headers::back(parts.headers), Box::new(flow), held, end))
        }
        // Some answer a stream with an error in one piece.
        (_, Kind::Json) => {
            let body = read(way, limit, body, lane, way.app.config().answer_bytes).await?;
            if wants_stream {
                return Err(inside(&body).unwrap_or_else(|| Failed::of(Fault::WrongType)));
            }
            let with_text = way.call.route == "/invoke";
            let answer = Answer::read(choice.dialect, &body, with_text).map_err(broken)?;
            (underway.trace.told, underway.trace.content_bytes) = (answer.usage, answer.content_bytes);
            if answer.is_empty() {
                return Err(Failed::of(Fault::Empty));
            }
            let refused = answer.finish == Some(Finish::Filtered) && !answer.has_content;
            if refused && way.rules.content_filter == ContentFilter::NextCandidate {
                return Err(Failed::of(Fault::Filtered));
            }
            let whole = Whole {
                status: parts.status,
                headers: headers::back(parts.headers),
                body,
                text: answer.text,
                is_answer: true,
            };
            Ok(Exchanged::Whole(WithModel { whole, model: answer.model }, answer.usage))
        }
        _ => Err(Failed::of(Fault::WrongType)),
    }
}

fn not_sent(error: &SendError, trace: &mut Trace) -> Box<Failed> {
    let fault = match error {
        SendError::Connect(_) => Fault::Unreachable,
        SendError::ConnectTimeout(_) => Fault::ConnectTimeout,
        SendError::Broken(_) => Fault::Reset,
        SendError::NoHttp(_) => Fault::Garbage,
    };
    trace.sent = !fault.verdict().unsent;
    Failed::saying(fault, error.to_string())
}

/// Which limit it was.
fn late(way: &Way<'_>, limit: Instant, otherwise: Fault) -> Fault {
    if limit >= way.deadline { Fault::Deadline { by_caller: way.by_caller } } else { otherwise }
}

#[derive(PartialEq, Eq)]
enum Kind {
    Json,
    Events,
    Other,
}

fn kind(headers: &HeaderMap) -> Kind {
    // Nobody can look into what is compressed though that was not asked for.
    let encoded = headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity");
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_events = || {
        let essence = text.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("text/event-stream")
    };
    match () {
        () if encoded => Kind::Other,
        () if is_json(text) => Kind::Json,
        () if is_events() => Kind::Events,
        () => Kind::Other,
    }
}

/// Reads all of a body, and gives its connection back.
async fn read(
    way: &Way<'_>,
    limit: Instant,
    mut body: pas_upstream::Answer,
    lane: &Lane,
    most: usize,
) -> Result<Bytes, Box<Failed>> {
    let read = way.alarm.before(limit, pin!(body.read(most))).await;
    match read {
        Some(Ok(read)) => {
            lane.pool.give_back(body);
            Ok(read)
        }
        Some(Err(Unread::Cut)) => Err(Failed::of(Fault::Cut)),
        Some(Err(Unread::TooLarge)) => Err(Failed::of(Fault::TooLarge)),
        None => Err(Failed::of(late(way, limit, Fault::Stalled))),
    }
}

/// A status that is none of success.
async fn refused(
    way: &Way<'_>,
    limit: Instant,
    parts: http::response::Parts,
    body: pas_upstream::Answer,
    lane: &Lane,
) -> Box<Failed> {
    let Ok(body) = read(way, limit, body, lane, ERROR_BYTES).await else {
        return Failed::of(status_fault(parts.status, &parts.headers, None));
    };
    let said = said::read(&body);
    let fault = status_fault(parts.status, &parts.headers, said.as_ref());
    let headers = headers::back(parts.headers);
    Box::new(Failed { fault, said, as_is: Some(AsIs { status: parts.status, headers, body }), detail: None })
}

fn status_fault(status: StatusCode, headers: &HeaderMap, said: Option<&Said>) -> Fault {
    let code = status.as_u16();
    if status.is_redirection() || status.is_informational() {
        return Fault::WrongType;
    }
    let meaning = said.map_or_else(|| Said::default().meaning(code), |said| said.meaning(code));
    let retry_after = headers::retry_after(headers, pas_service::clock::now().wall);
    let retry_after = retry_after.or_else(|| said?.wait);
    Fault::Status { status: code, meaning, retry_after }
}

fn inside(body: &[u8]) -> Option<Box<Failed>> {
    said::read(body).map(|said| broken(Broken::Error(said)))
}

fn broken(broken: Broken) -> Box<Failed> {
    match broken {
        Broken::Garbage => Failed::of(Fault::Garbage),
        Broken::Error(said) => {
            let fault = Fault::Inside(said.meaning(200));
            Box::new(Failed { fault, said: Some(said), as_is: None, detail: None })
        }
    }
}

/// Holds what comes until something bears content; for an atomic delivery, until all of it is here. Answers what is held,
/// and the end, if it has come.
async fn hold(
    way: &Way<'_>,
    flow: &mut Flow,
    first_token: Instant,
    between: Duration,
    deadline: Instant,
    atomic: bool,
) -> Result<(Vec<Bytes>, Option<Bytes>), Fault> {
    let (mut held, mut bytes, mut has_content) = (Vec::new(), 0, false);
    let mut limit = first_token;
    loop {
        while let Some(step) = flow.step()? {
            match step {
                Step::Pass(event, content) => {
                    has_content |= content;
                    bytes += event.len();
                    held.push(event);
                    if has_content && !atomic {
                        return Ok((held, None));
                    }
                }
                Step::Skip => {}
                Step::End(event) => return Ok((held, Some(event))),
            }
            if bytes > way.app.config().answer_bytes {
                return Err(Fault::TooLarge);
            }
        }
        match way.alarm.before(limit, pin!(poll_fn(|context| flow.poll_frame(context)))).await {
            Some(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    flow.push(data);
                }
                if has_content {
                    limit = deadline.min(Instant::now() + between);
                }
            }
            Some(Some(Err(_))) => return Err(Fault::Cut),
            Some(None) => return Err(flow.broke_off()),
            None => {
                return Err(late(way, limit, if has_content { Fault::Stalled } else { Fault::FirstToken }));
            }
        }
    }
}
