//! What a call came to, as its caller knows it.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use pas_dialects::Family;
use pas_types::Error;
use pas_types::id::CallId;

use crate::call::{Call, Form};
use crate::lane::{Lane, Served};
use crate::pipeline::{Answered, Reply, Streaming};

const RUN_ID: HeaderName = HeaderName::from_static("x-pas-run-id");
const SERVED_BY: HeaderName = HeaderName::from_static("x-pas-served-by");
const MODEL: HeaderName = HeaderName::from_static("x-pas-model");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// What a call came to.
pub(super) fn reply(call: &Call, reply: Reply) -> Response {
    match reply {
        Reply::Whole(answered) => whole(call, *answered),
        Reply::Passing(streaming) => passing(call, *streaming),
        Reply::Refused(refused) => error(call.family(), &refused.error, &call.request_id, Some(&call.run_id)),
    }
}

fn whole(call: &Call, answered: Answered) -> Response {
    let mut response = Response::new(Body::from(answered.body));
    *response.status_mut() = answered.status;
    *response.headers_mut() = answered.headers;
    name(response.headers_mut(), &call.run_id, answered.lane.as_deref());
    response
}

fn passing(call: &Call, streaming: Streaming) -> Response {
    let mut response = Response::new(Body::new(streaming.body));
    *response.headers_mut() = streaming.headers;
    if call.form == Form::List {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    name(response.headers_mut(), &call.run_id, Some(&streaming.lane));
    response
}

/// An error in the shape of `family`.
pub(super) fn error(family: Family, error: &Error, request_id: &str, run_id: Option<&CallId>) -> Response {
    let body = pas_dialects::error::render(family, error, request_id, run_id.map(CallId::as_str));
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let retry = if error.retryable() { "true" } else { "false" };
    headers.insert(SHOULD_RETRY, HeaderValue::from_static(retry));
    if let Some(seconds) = error.retry_after_s {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(run_id) = run_id {
        name(headers, run_id, None);
    }
    response
}

/// Names the call, and who answered.
pub(super) fn name(headers: &mut HeaderMap, run_id: &CallId, lane: Option<&Lane>) {
    let mut put = |name: HeaderName, value: Option<HeaderValue>| {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    };
    put(RUN_ID, HeaderValue::from_str(run_id.as_str()).ok());
    if let Some(Lane { told: Served { service, model }, .. }) = lane {
        put(SERVED_BY, service.clone());
        put(MODEL, model.clone());
    }
}
