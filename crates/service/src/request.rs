//! What happens to every request before a handler sees it, and to every answer after.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use pas_types::error::ErrorEnvelope;
use pas_types::{Error, ErrorCode};
use tower::{Layer, Service};

use crate::body;
use crate::clock;
use crate::config::Limits;
use crate::cors;
use crate::door::Door;
use crate::metrics::{Metrics, RequestLabels, Route, RouteLabel};
use crate::trace;
use crate::web::Failure;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// What the edge of a service knows.
#[derive(Debug)]
pub(crate) struct Edge {
    door: Door,
    metrics: Metrics,
    limits: Limits,
    /// What ids of requests begin with, so that they differ between two runs of a service.
    prefix: String,
    requests: AtomicU64,
}

impl Edge {
    pub(crate) fn new(door: Door, metrics: Metrics, limits: Limits) -> Arc<Self> {
        let prefix = format!("req-{:08x}-", clock::random() >> 32);
        Arc::new(Self { door, metrics, limits, prefix, requests: AtomicU64::new(0) })
    }

    /// The caller's own id, if it can be logged as it is; else a new one.
    fn request_id(&self, headers: &HeaderMap) -> HeaderValue {
        let given = headers.get(REQUEST_ID).filter(|id| id.to_str().is_ok_and(pas_types::id::is_file_safe));
        given.cloned().unwrap_or_else(|| {
            let number = trace::hex(self.requests.fetch_add(1, Ordering::Relaxed));
            let zeros = number.iter().take(15).take_while(|digit| **digit == b'0').count();
            HeaderValue::try_from([self.prefix.as_bytes(), &number[zeros..]].concat())
                .unwrap_or(HeaderValue::from_static("req"))
        })
    }

    fn check(&self, request: &Request) -> Result<(), Error> {
        self.door.check(request.uri(), request.headers())?;
        self.check_size(request.uri(), request.headers())
    }

    fn check_size(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Error> {
        let limits = &self.limits;
        let url_bytes = uri.path_and_query().map_or(0, |path| path.as_str().len());
        if url_bytes > limits.url_bytes {
            let message = format!("the URL has {url_bytes} bytes: use at most {}", limits.url_bytes);
            return Err(Error::invalid("url", message).with_status(414));
        }
        let header_bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if headers.len() > limits.headers || header_bytes > limits.header_bytes {
            let message = format!(
                "the request has {} header fields of {header_bytes} bytes: use at most {} of {} bytes together",
                headers.len(),
                limits.headers,
                limits.header_bytes
            );
            return Err(Error::invalid("headers", message).with_status(431));
        }
        Ok(())
    }
}

/// The id under which the request is logged that is being answered here; none elsewhere.
pub fn id() -> Option<String> {
    trace::current_request_id()
}

/// Names the trace that a handler runs in, if one does, to whom it calls.
pub fn pass_on(headers: &mut HeaderMap) {
    trace::pass_on(headers);
}

/// The outermost layer of every service. Written out, for axum's own from a function takes three allocations a request more.
#[derive(Debug, Clone)]
pub(crate) struct Outermost(pub(crate) Arc<Edge>);

impl<S> Layer<S> for Outermost {
    type Service = Passing<S>;

    fn layer(&self, inner: S) -> Passing<S> {
        Passing { edge: Arc::clone(&self.0), inner }
    }
}

/// A handler behind the edge.
#[derive(Debug, Clone)]
pub(crate) struct Passing<S> {
    edge: Arc<Edge>,
    inner: S,
}

/// What comes of a request.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

impl<S> Service<Request> for Passing<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The one that was found ready is taken.
        let next = self.inner.clone();
        let mut next = std::mem::replace(&mut self.inner, next);
        let edge = Arc::clone(&self.edge);
        let route = request.extensions().get::<MatchedPath>().cloned().map_or(Route::None, Route::Matched);
        Box::pin(async move {
            let next = async move |request| match next.call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            Ok(pass(&edge, request, route, next).await)
        })
    }
}

/// A route that is asked for so often that it isn't left to the router: a lookup, two erased services and their futures are spared.
#[derive(Clone)]
pub struct Direct {
    path: &'static str,
    handler: Handler,
}

type Handler = Arc<dyn Fn(Request) -> Pin<Box<dyn Future<Output = Response> + Send>> + Send + Sync>;

impl Direct {
    /// `POST path`, just that, which is a route of the router's too.
    pub fn post<F: Future<Output = Response> + Send + 'static>(
        path: &'static str,
        handler: impl Fn(Request) -> F + Send + Sync + 'static,
    ) -> Self {
        Self { path, handler: Arc::new(move |request| Box::pin(handler(request))) }
    }

    /// Whether the request is for it.
    pub(crate) fn is_for<B>(&self, request: &http::Request<B>) -> bool {
        request.uri().path() == self.path && request.method() == Method::POST
    }

    /// Answers the request.
    pub(crate) fn answer(&self, edge: &Arc<Edge>, request: Request) -> Answering {
        let (edge, handler, route) = (Arc::clone(edge), Arc::clone(&self.handler), Route::Direct(self.path));
        Box::pin(async move { Ok(pass(&edge, request, route, |request| handler(request)).await) })
    }
}

impl std::fmt::Debug for Direct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.path)
    }
}

async fn pass<F: Future<Output = Response>>(
    edge: &Edge,
    mut request: Request,
    route: Route,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let request_id = edge.request_id(request.headers());
    let trace_id = trace::TraceId::of(request.headers());
    request.extensions_mut().insert(body::Limit(edge.limits.body_bytes));
    let context = trace::Context { request_id: request_id.clone(), trace_id };
    trace::within(context, handle(edge, request, route, next, request_id)).await
}

async fn handle<F: Future<Output = Response>>(
    edge: &Edge,
    request: Request,
    route: Route,
    next: impl FnOnce(Request) -> F,
    request_id: HeaderValue,
) -> Response {
    let started = clock::monotonic();
    let is_rpc = is_rpc(request.headers());
    let method = request.method().clone();

    let mut page = None;
    let mut response = match edge.check(&request) {
        Ok(()) => {
            page = request.headers().get(header::ORIGIN).cloned();
            match page.as_ref().and_then(|_| cors::preflight(&request)) {
                Some(answer) => answer,
                None => answer(request, next).await,
            }
        }
        Err(error) => Failure(error).into_response(),
    };
    if let Some(Failure(error)) = response.extensions_mut().remove::<Failure>() {
        log(&error, &method, route.as_str());
        if is_rpc {
            response = crate::rpc::status(&error).into_http();
        } else {
            enclose(&mut response, &error, request_id.to_str().unwrap_or_default());
        }
    }
    response.headers_mut().insert(REQUEST_ID, request_id);
    if let Some(origin) = page {
        cors::admit(response.headers_mut(), origin);
    }
    let status = response.status().as_u16();
    let took = clock::monotonic().saturating_sub(started);
    tracing::debug!(%method, route = route.as_str(), status, took_us = took.as_micros() as u64, "answered");
    edge.metrics.requests.get_or_create(&RequestLabels { route: route.clone(), status }).inc();
    edge.metrics.request_seconds.get_or_create(&RouteLabel { route }).observe(took.as_secs_f64());
    response
}

/// Runs the handler. One that panics has failed, and says so as every other failure does.
async fn answer<F: Future<Output = Response>>(request: Request, next: impl FnOnce(Request) -> F) -> Response {
    // The call itself may panic, too.
    let answered = AssertUnwindSafe(async move { next(request).await }).catch_unwind().await;
    answered.unwrap_or_else(|_| {
        let message = "the service failed at this request; its log has the reason under this request_id";
        Failure(Error::new(ErrorCode::Internal, message)).into_response()
    })
}

fn log(error: &Error, method: &Method, route: &str) {
    let code = error.code.as_str();
    match error.code {
        ErrorCode::Internal => tracing::error!(%method, route, code, %error, "a request failed"),
        ErrorCode::Unavailable => tracing::warn!(%method, route, code, %error, "a request failed"),
        _ => tracing::info!(%method, route, code, %error, "a request was refused"),
    }
}

/// Makes `response` the envelope of `error`; headers that are there (as `allow`) stay.
fn enclose(response: &mut Response, error: &Error, request_id: &str) {
    let envelope = ErrorEnvelope::new(error, request_id);
    let body = serde_json::to_vec(&envelope).unwrap_or_default();
    let retry = if error.retryable() { "true" } else { "false" };
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
