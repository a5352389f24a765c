//! One attempt to have a call answered by one candidate.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use pas_dialects::answer::{Answer, Broken};
use pas_dialects::error::{self, Meaning, Said};
use pas_dialects::stream::Finish;
use pas_routing::{Choice, Timeouts};
use pas_types::event::CallUsage;
use pas_types::routing::ContentFilter;
use tokio::time::{Instant, timeout_at};

use super::flow::{Flow, Step};
use super::whole::{self, AsIs, Unread, Whole};
use super::{Outcome, Way, is_atomic, request};
use crate::call::Form;
use crate::client::{Connection, SendError, Sent};
use crate::core::breaker::Blame;
use crate::core::fault::Fault;
use crate::headers;
use crate::lane::{Lane, Trial};
use crate::ledger::{Ended, Ledger, assumed};

/// Bytes of a provider's error that are read.
const ERROR_BYTES: usize = 256 * 1024;

/// An attempt that failed.
#[derive(Debug)]
pub(super) struct Failed {
    /// What went wrong.
    pub(super) fault: Fault,
    /// What was said of it.
    pub(super) said: Option<Said>,
    /// The provider's own answer, where it may be the caller's business.
    pub(super) as_is: Option<AsIs>,
    /// What the system said.
    detail: Option<String>,
}

impl Failed {
    fn of(fault: Fault) -> Box<Self> {
        Box::new(Self { fault, said: None, as_is: None, detail: None })
    }

    fn saying(fault: Fault, detail: String) -> Box<Self> {
        Box::new(Self { fault, said: None, as_is: None, detail: Some(detail) })
    }

    /// What happened, behind the name of whom it happened with.
    pub(super) fn in_words(&self) -> String {
        let said =
            self.said.as_ref().map(|said| if said.message.is_empty() { &said.kind } else { &said.message });
        // A provider that refuses a credential may repeat parts of it.
        let said = said.filter(|said| !said.is_empty() && !self.is_about_credential());
        let what = match self.fault {
            Fault::Unreachable => "can't be reached".to_owned(),
            Fault::ConnectTimeout => "can't be reached in time".to_owned(),
            Fault::Reset => "broke the connection off before it answered".to_owned(),
            Fault::Status { meaning: Meaning::Credential, status, .. } => {
                format!("refuses its credential with {status}")
            }
            Fault::Status { status, .. } => format!("answered {status}"),
            Fault::WrongType => "answered with another content type than JSON or events".to_owned(),
            Fault::Garbage => "answered what can't be read".to_owned(),
            Fault::Empty => "answered nothing".to_owned(),
            Fault::Inside(_) => "answered with an error in spite of its status".to_owned(),
            Fault::TooLarge => "answered more than is taken".to_owned(),
            Fault::FirstToken => "did not begin to answer in time".to_owned(),
            Fault::Stalled => "fell silent in the middle of its answer".to_owned(),
            Fault::Cut => "broke off in the middle of its answer".to_owned(),
            Fault::NoEnd => "ended its answer without its end mark".to_owned(),
            Fault::Filtered => "refused the content".to_owned(),
            Fault::Limited => "may not be called so often".to_owned(),
            Fault::Deadline { .. } => "had not answered by then".to_owned(),
        };
        match said.map(String::as_str).or(self.detail.as_deref()) {
            Some(more) => format!("{what}: {more}"),
            None => what,
        }
    }

    fn is_about_credential(&self) -> bool {
        matches!(self.fault, Fault::Status { meaning: Meaning::Credential, .. })
    }
}

/// A stream whose first content is here; of an atomic delivery, all of it.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) headers: HeaderMap,
    pub(super) lane: Arc<Lane>,
    pub(super) choice: Choice,
    pub(super) flow: Flow,
    pub(super) connection: Connection,
    /// What is here and yet to be passed on.
    pub(super) held: Vec<Bytes>,
    /// The end, if that is here too.
    pub(super) end: Option<Bytes>,
    pub(super) trial: Trial,
    pub(super) trace: Trace,
    pub(super) timeouts: Timeouts,
    pub(super) deadline: Instant,
    pub(super) by_caller: bool,
    pub(super) drain: bool,
}

/// What is known of an attempt while it goes on.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    begun: Instant,
    http_status: Option<u16>,
    connect: Option<Duration>,
    first_byte: Option<Duration>,
    /// Some of the request may have gone out.
    sent: bool,
    told: Option<CallUsage>,
    content_bytes: u64,
    input_estimate: u64,
}

impl Trace {
    /// How it ended.
    pub(super) fn ended(&self, outcome: String, usage: Option<CallUsage>, error: Option<String>) -> Ended {
        Ended {
            outcome: outcome.into(),
            http_status: self.http_status,
            connect: self.connect,
            first_byte: self.first_byte,
            total: self.begun.elapsed(),
            usage,
            error: error.map(String::into_boxed_str),
        }
    }

    /// When it began.
    pub(super) fn begun(&self) -> Instant {
        self.begun
    }

    /// What an answer that is whole used: as was told, and only where nothing was as it is assumed.
    pub(super) fn assumed_unless_told(&self) -> CallUsage {
        self.told.unwrap_or_else(|| self.assumed())
    }

    /// What it may have used.
    pub(super) fn assumed(&self) -> CallUsage {
        assumed(self.told, self.input_estimate, self.content_bytes)
    }

    /// Notes what a stream has said so far.
    pub(super) fn follow(&mut self, flow: &Flow) {
        self.told = flow.meter.usage;
        self.content_bytes = flow.meter.content_bytes;
    }
}

/// An attempt under way. Dropped, it was given up: its client has left.
struct Underway<'a> {
    ledger: &'a mut Ledger,
    choice: &'a Choice,
    lane: &'a Arc<Lane>,
    trial: Option<Trial>,
    trace: Trace,
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        if self.trial.take().is_some() {
            let usage = self.trace.sent.then(|| self.trace.assumed());
            let ended = self.trace.ended("cancelled".to_owned(), usage, None);
            self.ledger.attempt(self.choice, self.lane, ended);
        }
    }
}

/// Has the call answered by this candidate.
pub(super) async fn attempt(
    way: &Way<'_>,
    choice: &Choice,
    lane: &Arc<Lane>,
    ledger: &mut Ledger,
) -> Result<Outcome, Box<Failed>> {
    ledger.flight.asks(&lane.name, &lane.model);
    match way.app.take_limit(None, Some(&lane.name), Some(&lane.model), way.call.asked.input_estimate) {
        Ok(Some(grant)) => ledger.took_of_candidate(&lane.name, &lane.model, grant),
        Ok(None) => {}
        Err(_) => return Err(Failed::of(Fault::Limited)),
    }
    let trace = Trace {
        begun: Instant::now(),
        http_status: None,
        connect: None,
        first_byte: None,
        sent: false,
        told: None,
        content_bytes: 0,
        input_estimate: way.call.asked.input_estimate,
    };
    let mut underway = Underway { ledger, choice, lane, trial: Some(lane.begin()), trace };
    let exchanged = exchange(way, choice, lane, &mut underway).await;
    let Some(trial) = underway.trial.take() else { return Err(Failed::of(Fault::Reset)) };
    let trace = underway.trace.clone();
    drop(underway);
    match exchanged {
        Ok(Exchanged::Whole(whole, usage)) => {
            way.app.news(lane, trial.end(Blame::Success));
            let usage = usage.or_else(|| is_metered(choice).then(|| trace.assumed_unless_told()));
            ledger.attempt(choice, lane, trace.ended("ok".to_owned(), usage, None));
            ledger.resolved(choice, lane, whole.model.as_deref());
            if let Some(content) = &mut ledger.content {
                content.answer(&whole.whole.body);
            }
            Ok(Outcome::Whole(Box::new(whole.whole)))
        }
        Ok(Exchanged::Stream(headers, flow, connection, held, end)) => {
            ledger.first_token();
            Ok(Outcome::Stream(Box::new(Begun {
                headers,
                lane: Arc::clone(lane),
                choice: *choice,
                flow,
                connection,
                held,
                end,
                trial,
                trace,
                timeouts: way.rules.timeouts(way.snapshot.table(), candidate(way, choice)?),
                deadline: way.deadline,
                by_caller: way.by_caller,
                drain: way.rules.drain,
            })))
        }
        Err(failed) => {
            way.app.news(lane, trial.end(failed.fault.verdict().blame));
            let may_be_billed = trace.sent && is_metered(choice) && is_billable(failed.fault);
            let usage = may_be_billed.then(|| trace.assumed());
            ledger.attempt(choice, lane, trace.ended(failed.fault.word(), usage, Some(failed.in_words())));
            Err(failed)
        }
    }
}

fn candidate<'a>(way: &'a Way<'_>, choice: &Choice) -> Result<&'a pas_routing::Candidate, Box<Failed>> {
    way.snapshot.fleet.candidate(choice.index).ok_or_else(|| Failed::of(Fault::Unreachable))
}

/// Whether it counts tokens at all.
fn is_metered(choice: &Choice) -> bool {
    choice.dialect != pas_types::routing::Dialect::Pas
}

/// Whether a provider may want money for an attempt that ended so.
fn is_billable(fault: Fault) -> bool {
    !matches!(fault, Fault::Unreachable | Fault::ConnectTimeout | Fault::Limited | Fault::Status { .. })
}

enum Exchanged {
    Whole(WithModel, Option<CallUsage>),
    Stream(HeaderMap, Flow, Connection, Vec<Bytes>, Option<Bytes>),
}

struct WithModel {
    whole: Whole,
    model: Option<String>,
}

async fn exchange(
    way: &Way<'_>,
    choice: &Choice,
    lane: &Lane,
    underway: &mut Underway<'_>,
) -> Result<Exchanged, Box<Failed>> {
    let timeouts = way.rules.timeouts(way.snapshot.table(), candidate(way, choice)?);
    let begun = underway.trace.begun;
    let deadline = way.deadline.min(begun + timeouts.call);
    let wants_stream = way.call.form != Form::Whole;
    // Until something that bears content is here.
    let limit = if wants_stream { deadline.min(begun + timeouts.first_token) } else { deadline };
    let request =
        request::request(way, choice, lane).map_err(|error| Failed::saying(Fault::Garbage, error.message))?;
    underway.trace.sent = true;
    let sending = lane.pool.send(request, way.repeatable, timeouts.connect);
    let sent = match timeout_at(limit, sending).await {
        Ok(Ok(sent)) => sent,
        Ok(Err(error)) => return Err(not_sent(&error, &mut underway.trace)),
        Err(_) => return Err(Failed::of(late(way, limit, Fault::FirstToken))),
    };
    let Sent { response, connection, connect, again } = sent;
    if again {
        underway
            .ledger
            .note("a kept connection was closed just then: the request went out once more over another");
    }
    let trace = &mut underway.trace;
    (trace.connect, trace.first_byte) = (connect, Some(begun.elapsed()));
    trace.http_status = Some(response.status().as_u16());
    let (parts, mut body) = response.into_parts();
    if !parts.status.is_success() {
        return Err(refused(way, limit, parts, body, connection, lane).await);
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
            Ok(Exchanged::Stream(headers::back(&parts.headers), flow, connection, held, end))
        }
        // Some answer a stream with an error in one piece.
        (_, Kind::Json) => {
            let body = read(way, limit, &mut body, way.app.config().answer_bytes).await?;
            lane.pool.give_back(connection);
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
                headers: headers::back(&parts.headers),
                body,
                text: answer.text,
                is_answer: true,
                dialect: choice.dialect,
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
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        _ if encoded => Kind::Other,
        "application/json" => Kind::Json,
        "text/event-stream" => Kind::Events,
        other if other.starts_with("application/") && other.ends_with("+json") => Kind::Json,
        _ => Kind::Other,
    }
}

async fn read(way: &Way<'_>, limit: Instant, body: &mut Incoming, most: usize) -> Result<Bytes, Box<Failed>> {
    match timeout_at(limit, whole::read(body, most)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(Unread::Cut)) => Err(Failed::of(Fault::Cut)),
        Ok(Err(Unread::TooLarge)) => Err(Failed::of(Fault::TooLarge)),
        Err(_) => Err(Failed::of(late(way, limit, Fault::Stalled))),
    }
}

/// A status that is none of success.
async fn refused(
    way: &Way<'_>,
    limit: Instant,
    parts: http::response::Parts,
    mut body: Incoming,
    connection: Connection,
    lane: &Lane,
) -> Box<Failed> {
    let Ok(body) = read(way, limit, &mut body, ERROR_BYTES).await else {
        return Failed::of(status_fault(parts.status, &parts.headers, None));
    };
    lane.pool.give_back(connection);
    let said = error::read(&body);
    let fault = status_fault(parts.status, &parts.headers, said.as_ref());
    let headers = headers::back(&parts.headers);
    Box::new(Failed { fault, said, as_is: Some(AsIs { status: parts.status, headers, body }), detail: None })
}

fn status_fault(status: StatusCode, headers: &HeaderMap, said: Option<&Said>) -> Fault {
    let code = status.as_u16();
    if status.is_redirection() || status.is_informational() {
        return Fault::WrongType;
    }
    let meaning = said.map_or_else(|| Said::default().meaning(code), |said| said.meaning(code));
    let retry_after = headers::retry_after(headers, pas_service::clock::now().wall);
    Fault::Status { status: code, meaning, retry_after }
}

fn inside(body: &[u8]) -> Option<Box<Failed>> {
    error::read(body).map(|said| broken(Broken::Error(said)))
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
        match timeout_at(limit, flow.incoming.frame()).await {
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    flow.push(data);
                }
                if has_content {
                    limit = deadline.min(Instant::now() + between);
                }
            }
            Ok(Some(Err(_))) => return Err(Fault::Cut),
            Ok(None) => return Err(flow.broke_off()),
            Err(_) => {
                return Err(late(way, limit, if has_content { Fault::Stalled } else { Fault::FirstToken }));
            }
        }
    }
}
