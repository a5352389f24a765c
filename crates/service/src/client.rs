//! Calls to other services of PAS, in JSON over HTTP.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use pas_types::error::{ErrorBody, ErrorEnvelope};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Time within which a connection must stand.
const CONNECT: Duration = Duration::from_secs(2);
/// Bytes of an answer.
const ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// A caller of other services; clones share its connections.
#[derive(Debug, Clone)]
pub struct Client {
    pool: Pool<HttpConnector, Full<Bytes>>,
}

/// Why a call brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody answered.
    #[error("{url} can't be reached: {reason}")]
    Unreachable {
        /// Who was called.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The service answered with an error.
    #[error("{url} answered {status}: {message}")]
    Refused {
        /// Who was called.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What it said.
        message: String,
        /// The whole error, where it was one of PAS.
        error: Option<Box<ErrorBody>>,
    },
    /// The answer is not what was expected.
    #[error("{url} answered what can't be read: {reason}")]
    Unreadable {
        /// Who was called.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Default for Client {
    fn default() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT));
        let pool = Pool::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(90))
            .build(connector);
        Self { pool }
    }
}

impl Client {
    /// Calls `url` with `body`, and reads the answer, all `within` the given time.
    pub async fn call<B: Serialize, A: DeserializeOwned>(
        &self,
        method: Method,
        url: &str,
        body: &B,
        within: Duration,
    ) -> Result<A, CallError> {
        let unreachable = |reason: String| CallError::Unreachable { url: url.to_owned(), reason };
        let unreadable = |reason: String| CallError::Unreadable { url: url.to_owned(), reason };
        let body = serde_json::to_vec(body).map_err(|error| unreadable(error.to_string()))?;
        let mut request = Request::builder()
            .method(method)
            .uri(url)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| unreachable(error.to_string()))?;
        crate::trace::pass_on(request.headers_mut());
        let exchange = async {
            let response =
                self.pool.request(request).await.map_err(|error| unreachable(root_cause(&error)))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_BYTES).collect().await;
            let body = body.map_err(|error| unreadable(error.to_string()))?.to_bytes();
            if !status.is_success() {
                return Err(refused(url, status.as_u16(), &body));
            }
            serde_json::from_slice(&body).map_err(|error| unreadable(error.to_string()))
        };
        let late = || unreachable(format!("no answer within {} ms", within.as_millis()));
        tokio::time::timeout(within, exchange).await.unwrap_or_else(|_| Err(late()))
    }
}

fn refused(url: &str, status: u16, body: &[u8]) -> CallError {
    let error = serde_json::from_slice::<ErrorEnvelope>(body).ok().map(|envelope| Box::new(envelope.error));
    let message = error.as_ref().map_or_else(|| "no error of PAS".to_owned(), |error| error.message.clone());
    CallError::Refused { url: url.to_owned(), status, message, error }
}

/// The innermost cause: what the operating system said.
pub fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
