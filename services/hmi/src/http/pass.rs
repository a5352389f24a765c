//! The calls that are passed on as they are: status and body come back from the owner, chunk by chunk.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{any, get, post};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, header};
use pas_service::web::{self, Failure};
use pas_types::alert::{AckRequest, MuteRequest};
use pas_types::{Error, json, limits};
use serde_json::{Map, Value};

use crate::app::App;
use crate::client::{Call, Kind, Owner, PASSED, Passed};
use crate::core::deed::Deed;

mod description;

pub(super) use description::openapi;

/// Bytes of a body to the gateway.
const CALL_BODY_BYTES: usize = 4 * 1024 * 1024;
/// Where the cursor of the next page is, where an answer is a table.
const NEXT_CURSOR: &str = "x-next-cursor";

/// The routes, one for each call, and one that says what there is.
pub(super) fn routes() -> Router<Arc<App>> {
    let mut router = Router::new().route("/api", any(nothing)).route("/api/{*path}", any(nothing));
    for passed in &PASSED {
        let pass = async |State(app): State<Arc<App>>, request: Request| pass(&app, *passed, request).await;
        let route = if passed.method() == Method::GET { get(pass) } else { post(pass) };
        router = router.route(&passed.path_here(), route.fallback(other_method));
    }
    router
}

async fn pass(app: &App, passed: Passed, request: Request) -> Result<Response, Failure> {
    let owner = passed.owner;
    let path = request.uri().path_and_query().map_or("", |path| path.as_str());
    let path = path.strip_prefix(owner.prefix()).unwrap_or_default().to_owned();
    let (headers, body) = match passed.method() {
        Method::GET => (request.into_parts().0.headers, Bytes::new()),
        _ => web::text(request, limit(owner)).await?,
    };
    let mut headers = kept(headers, goes_on);
    let deed = deed(passed.kind, &path, &body)?;
    let body = match passed.kind {
        Kind::Cancel => {
            headers.remove(header::CONTENT_TYPE);
            Bytes::new()
        }
        _ => body,
    };
    let call = Call { owner, kind: passed.kind, path, headers, body };
    let answer = app.pass(call, deed).await.map_err(|error| Failure(error.into()))?;
    let (head, body) = answer.into_parts();
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = head.status;
    *response.headers_mut() = kept(head.headers, comes_back);
    Ok(response)
}

fn limit(owner: Owner) -> usize {
    if owner == Owner::Gateway { CALL_BODY_BYTES } else { limits::CONTROL_BODY_BYTES }
}

/// What the event stream is to be told once this is accepted. Refuses what must say why, and doesn't.
fn deed(kind: Kind, path: &str, body: &[u8]) -> Result<Option<Deed>, Error> {
    // The path is the one of the table: what it is about is its second segment.
    let subject = || path.split('/').nth(2).unwrap_or_default().to_owned();
    Ok(match kind {
        Kind::Read | Kind::Ask => None,
        Kind::Act => {
            reason(&object(body)?)?;
            None
        }
        Kind::Cancel => {
            let body = object(body)?;
            if let Some(other) = body.keys().find(|key| *key != "reason") {
                return Err(Error::invalid(other, format!("unknown field `{other}`: use reason alone")));
            }
            Some(Deed::Cancelled { run_id: subject(), reason: reason(&body)? })
        }
        // What can't be read, the owner refuses.
        Kind::Acknowledge => {
            let reason = json::parse::<AckRequest>(body).ok().and_then(|request| request.reason);
            Some(Deed::Acknowledged { alert_id: subject(), reason })
        }
        Kind::Mute => json::parse::<MuteRequest>(body)
            .ok()
            .map(|MuteRequest { matching, for_s }| Deed::Muted { matching, for_s }),
    })
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Error> {
    if body.is_empty() { Ok(Map::new()) } else { json::parse(body) }
}

/// Why something is to be done.
fn reason(body: &Map<String, Value>) -> Result<String, Error> {
    let reason = body.get("reason").and_then(Value::as_str).unwrap_or_default();
    if reason.trim().is_empty() {
        let message = "say why: send a `reason` that others will read beside what was done";
        return Err(Error::invalid("reason", message));
    }
    if reason.len() > limits::REASON_BYTES {
        let message = format!("reason has {} bytes: use at most {}", reason.len(), limits::REASON_BYTES);
        return Err(Error::invalid("reason", message));
    }
    Ok(reason.to_owned())
}

/// Whether a header of a request goes on to the owner.
fn goes_on(name: &HeaderName) -> bool {
    matches!(name.as_str(), "content-type" | "accept" | "anthropic-version")
        || name.as_str().starts_with("x-pas-")
}

/// Whether a header of an answer comes back.
fn comes_back(name: &HeaderName) -> bool {
    let name = name.as_str();
    matches!(name, "content-type" | "retry-after" | "x-should-retry" | "content-disposition" | NEXT_CURSOR)
        || name.starts_with("x-pas-")
}

fn kept(headers: HeaderMap, is_kept: fn(&HeaderName) -> bool) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| is_kept(name)) {
        kept.append(name, value.clone());
    }
    kept
}

/// Answers what isn't passed on, with what is.
async fn nothing(request: Request) -> Failure {
    Failure(Error::not_found(what_is_there(&request)))
}

/// The same for what is passed on with another method.
async fn other_method(request: Request) -> Failure {
    Failure(Error::invalid("method", what_is_there(&request)).with_status(405))
}

fn what_is_there(request: &Request) -> String {
    let path = request.uri().path();
    let of = |owner: &Owner| {
        path.strip_prefix(owner.prefix()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let there = match Owner::ALL.into_iter().find(of) {
        Some(owner) => {
            let calls = PASSED.into_iter().filter(|passed| passed.owner == owner);
            let calls = calls.map(|passed| format!("{} {}", passed.method(), passed.path_here()));
            calls.collect::<Vec<_>>().join(", ")
        }
        None => {
            let owners = Owner::ALL.map(|owner| format!("{}/…", owner.prefix())).join(", ");
            format!("GET /api/hello, GET /api/services, GET /api/tree, GET /api/health, {owners}")
        }
    };
    let asked: String = path.chars().take(200).collect();
    format!("there is no {} {asked} here; there is {there}", request.method())
}

#[cfg(test)]
mod tests;
