//! What happens to every request before a handler sees it, and to every answer after.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use pas_types::error::ErrorEnvelope;
use pas_types::{Error, ErrorCode, limits};
use tracing::Instrument;

use crate::body;
use crate::clock;
use crate::door::Door;
use crate::metrics::{Metrics, RequestLabels, RouteLabel};
use crate::web::Failure;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// The place of a request in a trace, as W3C's `traceparent` says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// 32 hexadecimal digits, the same for everything that one request sets off.
    pub trace_id: String,
    /// 16 hexadecimal digits: this service's part of it.
    pub span_id: String,
}

impl TraceContext {
    /// Continues the trace of the caller, or begins one.
    fn of(headers: &HeaderMap) -> Self {
        let span_id = format!("{:016x}", clock::random());
        let parent = headers.get(TRACE_PARENT).and_then(|value| value.to_str().ok());
        let trace_id =
            parent.and_then(trace_id_of).unwrap_or_else(|| format!("{:032x}", clock::new_id().as_u128()));
        Self { trace_id, span_id }
    }
}

/// The trace id of a `traceparent`, if it is one.
fn trace_id_of(parent: &str) -> Option<String> {
    let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let mut parts = parent.split('-');
    let (version, trace_id, span_id, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let whole = version.len() == 2 && trace_id.len() == 32 && span_id.len() == 16 && flags.len() == 2;
    let known = version != "ff" && (version != "00" || parts.next().is_none());
    let set = trace_id.bytes().any(|b| b != b'0') && span_id.bytes().any(|b| b != b'0');
    (whole && known && set && [version, trace_id, span_id, flags].into_iter().all(is_hex))
        .then(|| trace_id.to_owned())
}

/// What the edge of a service knows.
#[derive(Debug)]
pub(crate) struct Edge {
    door: Door,
    metrics: Metrics,
    body_limit: body::Limit,
    /// Makes ids of requests differ between two runs of a service.
    boot: u32,
    requests: AtomicU64,
}

impl Edge {
    pub(crate) fn new(door: Door, metrics: Metrics, body_limit: usize) -> Arc<Self> {
        let boot = (clock::random() >> 32) as u32;
        Arc::new(Self {
            door,
            metrics,
            body_limit: body::Limit(body_limit),
            boot,
            requests: AtomicU64::new(0),
        })
    }

    /// The caller's own id, if it can be logged as it is; else a new one.
    fn request_id(&self, headers: &HeaderMap) -> HeaderValue {
        let given = headers.get(REQUEST_ID).filter(|id| id.to_str().is_ok_and(pas_types::id::is_file_safe));
        given.cloned().unwrap_or_else(|| {
            let number = self.requests.fetch_add(1, Ordering::Relaxed);
            let id = format!("req-{:08x}-{number:x}", self.boot);
            HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("req"))
        })
    }

    fn check(&self, request: &Request) -> Result<(), Error> {
        self.door.check(request.uri(), request.headers())?;
        check_size(request.uri(), request.headers())
    }
}

fn check_size(uri: &Uri, headers: &HeaderMap) -> Result<(), Error> {
    let url_bytes = uri.path_and_query().map_or(0, |path| path.as_str().len());
    if url_bytes > limits::URL_BYTES {
        let message = format!("the URL has {url_bytes} bytes: use at most {}", limits::URL_BYTES);
        return Err(Error::invalid("url", message).with_status(414));
    }
    let header_bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() > limits::HEADERS || header_bytes > limits::HEADER_BYTES {
        let message = format!(
            "the request has {} header fields of {header_bytes} bytes: use at most {} of {} bytes together",
            headers.len(),
            limits::HEADERS,
            limits::HEADER_BYTES
        );
        return Err(Error::invalid("headers", message).with_status(431));
    }
    Ok(())
}

/// The outermost layer of every service.
pub(crate) async fn pass(State(edge): State<Arc<Edge>>, mut request: Request, next: Next) -> Response {
    let started = clock::now();
    let request_id = edge.request_id(request.headers());
    let trace = TraceContext::of(request.headers());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let is_rpc = is_rpc(request.headers());
    let span = tracing::info_span!(
        "request",
        request_id = request_id.to_str().unwrap_or_default(),
        trace_id = trace.trace_id.as_str(),
        method = request.method().as_str(),
        route = route.as_str(),
    );
    request.extensions_mut().insert(trace);
    request.extensions_mut().insert(edge.body_limit);

    let mut response = match edge.check(&request) {
        Ok(()) => next.run(request).instrument(span.clone()).await,
        Err(error) => Failure(error).into_response(),
    };
    if let Some(Failure(error)) = response.extensions_mut().remove::<Failure>() {
        span.in_scope(|| log(&error));
        if is_rpc {
            response = crate::rpc::status(&error).into_http();
        } else {
            enclose(&mut response, &error, request_id.to_str().unwrap_or_default());
        }
    }
    response.headers_mut().insert(REQUEST_ID, request_id);
    let status = response.status().as_u16();
    let took = clock::now().monotonic.saturating_sub(started.monotonic);
    edge.metrics.requests.get_or_create(&RequestLabels { route: route.clone(), status }).inc();
    edge.metrics.request_seconds.get_or_create(&RouteLabel { route }).observe(took.as_secs_f64());
    span.in_scope(|| tracing::debug!(status, took_us = took.as_micros() as u64, "answered"));
    response
}

fn log(error: &Error) {
    match error.code {
        ErrorCode::Internal => tracing::error!(code = error.code.as_str(), %error, "a request failed"),
        ErrorCode::Unavailable => tracing::warn!(code = error.code.as_str(), %error, "a request failed"),
        _ => tracing::debug!(code = error.code.as_str(), %error, "a request was refused"),
    }
}

/// Makes `response` the envelope of `error`; headers that are there (as `allow`) stay.
fn enclose(response: &mut Response, error: &Error, request_id: &str) {
    let envelope = ErrorEnvelope::new(error, request_id);
    let body = serde_json::to_vec(&envelope).unwrap_or_default();
    let retry = if error.code.retryable() { "true" } else { "false" };
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(SHOULD_RETRY, HeaderValue::from_static(retry));
    if let Some(seconds) = error.retry_after_s {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    *response.body_mut() = Body::from(body);
}

fn is_rpc(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// Answers what no route matches.
pub(crate) async fn no_route(request: Request) -> Response {
    if is_rpc(request.headers()) {
        return tonic::Status::unimplemented("no such method here").into_http();
    }
    let message =
        format!("there is no {} here: GET /openapi.json lists what there is", shown_path(request.uri()));
    Failure(Error::not_found(message)).into_response()
}

/// Answers a route that doesn't have the method.
pub(crate) async fn no_method(request: Request) -> Response {
    let message = format!(
        "{} doesn't take {}: GET /openapi.json lists what there is",
        shown_path(request.uri()),
        request.method()
    );
    Failure(Error::invalid("method", message).with_status(405)).into_response()
}

/// The path, cut where it is long, so that an error doesn't echo a megabyte.
fn shown_path(uri: &Uri) -> String {
    uri.path().chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_continued_only_when_its_parent_is_well_formed() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let parent = |text: &str| trace_id_of(text);
        assert_eq!(parent(&format!("00-{id}-00f067aa0ba902b7-01")), Some(id.to_owned()));
        assert_eq!(parent(&format!("cc-{id}-00f067aa0ba902b7-01-what-comes")), Some(id.to_owned()));
        for bad in [
            "",
            "00",
            &format!("00-{id}-00f067aa0ba902b7-01-more"),
            &format!("ff-{id}-00f067aa0ba902b7-01"),
            &format!("00-{id}-0000000000000000-01"),
            &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            &format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
        ] {
            assert_eq!(parent(bad), None, "{bad}");
        }
    }
}
