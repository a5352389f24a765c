//! One call: it gets a credential, goes to the provider, and its answer comes back. Another credential is tried where the first
//! is refused or limited, before a byte of an answer has gone back; nothing else is ever tried twice.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::HeaderName;
use http::response::Parts;
use pas_service::clock;
use pas_types::routing::Dialect;
use pas_types::{Error, ErrorCode};
use pas_upstream::{Answer, SendError, headers};
use tokio::time::timeout_at;

use crate::app::{App, Key};
use crate::call::Call;
use crate::client::Seen;
use crate::core::ring::Chosen;
use crate::metrics::Outcome;
use crate::passing::{self, Passing};
use crate::profile::{Kind, Route};
use crate::refusal::{self, Refusal, Verdict};
use crate::ticket::{Place, Ticket};

/// Which credential served.
const CREDENTIAL: HeaderName = HeaderName::from_static("x-pas-credential");
/// Bytes of a provider's error that are read.
const ERROR_BYTES: usize = 256 * 1024;

/// Answers a request of this route.
pub(crate) async fn relay(app: &Arc<App>, route: &'static Route, request: Request) -> Response {
    let dialect = route.dialect;
    let begun = async {
        // Nobody's request is read for whom there is no room.
        let place = Place::take(app)?;
        let call = Call::read(app, route, request).await?;
        let ticket = place.begin(app, route, &call).await?;
        Ok((call, ticket))
    };
    let (call, mut ticket) = match begun.await {
        Ok(begun) => begun,
        Err(error) => return refusal::own(dialect, &error),
    };
    match exchange(app, route, &call, &mut ticket).await {
        Ok(answered) => pass(app, route, &call, ticket, answered),
        Err(NoAnswer { response, outcome }) => {
            ticket.end(outcome);
            *response
        }
    }
}

/// An answer that can be passed on.
struct Answered {
    key: Key,
    /// When it was asked for, on the monotonic clock.
    sent: Duration,
    parts: Parts,
    answer: Answer,
}

/// Why there is no answer of the provider's.
struct NoAnswer {
    response: Box<Response>,
    outcome: Outcome,
}

/// Asks with one credential after the other, until there is an answer to pass on.
async fn exchange(app: &App, route: &Route, call: &Call, ticket: &mut Ticket) -> Result<Answered, NoAnswer> {
    let dialect = route.dialect;
    let mut tried: Vec<Key> = Vec::new();
    let mut last: Option<(Refusal, Outcome)> = None;
    loop {
        let sent = clock::monotonic();
        let chosen = app.ring().choose(&call.model, &tried, sent);
        let key = match chosen {
            Chosen::Use(key) => key,
            other => return Err(none_left(app, dialect, other, last)),
        };
        if last.is_some() {
            app.counts.changed_credential();
        }
        let (parts, mut answer) = send(app, dialect, call, &key).await?;
        if parts.status.is_success() {
            return match passing::form(&parts.headers) {
                Some(_) => Ok(Answered { key, sent, parts, answer }),
                None => Err(stranger(app, dialect, call, &key, &parts, &mut answer).await),
            };
        }
        let body = timeout_at(call.deadline, answer.read(ERROR_BYTES)).await;
        let body = match body {
            Ok(Ok(body)) => {
                app.provider.pool().give_back(answer);
                body
            }
            // What it says besides its status is its own loss.
            _ => Bytes::new(),
        };
        let refusal = Refusal::new(app, dialect, call, key.as_deref(), parts, body);
        let (outcome, next) = learn(app, route, call, &key, &refusal);
        ticket.limits(key.as_deref(), refusal.headers());
        match next {
            Next::Another => {
                tried.push(key);
                last = Some((refusal, outcome));
            }
            Next::Return => {
                return Err(NoAnswer { response: Box::new(refusal.into_response(None)), outcome });
            }
        }
    }
}

async fn send(app: &App, dialect: Dialect, call: &Call, key: &Key) -> Result<(Parts, Answer), NoAnswer> {
    let request = || {
        let (headers, body) = (call.headers.clone(), call.body.clone());
        let mut request =
            app.provider.request(&call.method, &call.path, headers, body, key.as_deref()).ok()?;
        pas_service::request::pass_on(request.headers_mut());
        Some(request)
    };
    match timeout_at(call.deadline, app.provider.send(request)).await {
        Ok(Ok(response)) => Ok(response.into_parts()),
        Ok(Err(error)) => {
            // Whether that is one call's bad luck or the provider's, a look will tell.
            app.look.notify_one();
            let outcome = match error {
                SendError::Broken(_) => Outcome::Cut,
                _ => Outcome::Unreachable,
            };
            let said = app.provider.unreachable(&error).in_words();
            Err(own(dialect, &Error::new(ErrorCode::UpstreamError, said), outcome))
        }
        Err(_) => {
            let message = format!("{} had not answered by the deadline", app.provider.shown());
            Err(own(dialect, &Error::new(ErrorCode::UpstreamTimeout, message), Outcome::Timeout))
        }
    }
}

fn own(dialect: Dialect, error: &Error, outcome: Outcome) -> NoAnswer {
    NoAnswer { response: Box::new(refusal::own(dialect, error)), outcome }
}

/// A success that is none: what answers is no such API.
async fn stranger(
    app: &App,
    dialect: Dialect,
    call: &Call,
    key: &Key,
    parts: &Parts,
    answer: &mut Answer,
) -> NoAnswer {
    let body = timeout_at(call.deadline, answer.read(ERROR_BYTES)).await;
    let body = body.ok().and_then(Result::ok).unwrap_or_default();
    // One answer may be one caller's doing; a look will tell.
    app.look.notify_one();
    let (method, path, status, secret) = (&call.method, call.path.as_str(), parts.status, key.as_deref());
    let message = app.provider.stranger(Seen { method, path, status, body, secret });
    own(dialect, &Error::new(ErrorCode::UpstreamError, message), Outcome::Failed)
}

/// What is done after an error.
enum Next {
    Another,
    Return,
}

/// What an error says of the credential.
fn learn(app: &App, route: &Route, call: &Call, key: &Key, refusal: &Refusal) -> (Outcome, Next) {
    let now = clock::monotonic();
    let status = refusal.status().as_u16();
    let (outcome, next) = match refusal.verdict() {
        Verdict::Credential { whole } => {
            app.ring().refused(key, Some(call.model.as_str()).filter(|_| !whole), status, now);
            (Outcome::Credential, Next::Another)
        }
        // Questions have limits of their own.
        Verdict::Limited(_) if route.kind == Kind::Lookup => (Outcome::Limited, Next::Another),
        Verdict::Limited(wait) => {
            app.ring().limited(key, &call.model, wait, now);
            (Outcome::Limited, Next::Another)
        }
        Verdict::Other(outcome) => return (outcome, Next::Return),
    };
    app.turned.notify_one();
    (outcome, next)
}

/// No credential is left: the last answer goes back, with the soonest time of all; or there was none.
fn none_left(app: &App, dialect: Dialect, chosen: Chosen<Key>, last: Option<(Refusal, Outcome)>) -> NoAnswer {
    let title = app.profile.title;
    let variable = app.profile.entry.credentials.first().copied().unwrap_or_default();
    let (error, outcome) = match (chosen, last) {
        (Chosen::Limited(wait), last) => {
            let limited = last.filter(|(refusal, _)| matches!(refusal.verdict(), Verdict::Limited(_)));
            if let Some((refusal, outcome)) = limited {
                return NoAnswer { response: Box::new(refusal.into_response(Some(wait))), outcome };
            }
            let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
            let message = format!("{title} limits every credential for this model: try again in {seconds} s");
            (Error::new(ErrorCode::RateLimited, message).with_retry_after(seconds), Outcome::Limited)
        }
        (_, Some((refusal, outcome))) => {
            return NoAnswer { response: Box::new(refusal.into_response(None)), outcome };
        }
        (Chosen::Refused(status), None) => {
            let message = format!(
                "credential_out: {title} refuses what {variable} holds with {status}; it is tried again within a minute"
            );
            let error = match status {
                402 => Error::new(ErrorCode::BudgetExhausted, message),
                429 => Error::new(ErrorCode::BudgetExhausted, message).with_status(429),
                403 => Error::new(ErrorCode::PermissionDenied, message),
                _ => Error::new(ErrorCode::Unauthenticated, message),
            };
            (error, Outcome::Credential)
        }
        (Chosen::Unset | Chosen::Use(_), None) => {
            let message = format!("no_credential: set {variable}, in the environment or in .env");
            (Error::new(ErrorCode::Unauthenticated, message), Outcome::Credential)
        }
    };
    own(dialect, &error, outcome)
}

/// Passes an answer on as it comes.
fn pass(app: &Arc<App>, route: &Route, call: &Call, ticket: Ticket, answered: Answered) -> Response {
    let Answered { key, sent, parts, answer } = answered;
    // That a question is answered says nothing of what is left to spend.
    if route.kind == Kind::Turn && app.ring().accepted(&key, &call.model, sent) {
        app.turned.notify_one();
    }
    ticket.limits(key.as_deref(), &parts.headers);
    if let Some(wait) = passing::used_up(&parts.headers, clock::now().wall) {
        app.ring().used_up(&key, &call.model, wait, clock::monotonic());
    }
    let mut headers = headers::back(parts.headers);
    if let Some(key) = key {
        headers.insert(CREDENTIAL, key.id().clone());
    }
    let form = passing::form(&headers).filter(|_| route.kind == Kind::Turn);
    let reading = form.map(|form| (route.dialect, form));
    let body = Passing::new(Arc::clone(app), answer, ticket, reading, call.deadline);
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = parts.status;
    *response.headers_mut() = headers;
    response
}
