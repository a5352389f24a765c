//! Calls through the gateway, as any agent makes them.

use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use pas_service::client::root_cause;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::core::{Call, Fault, Outcome, Way};
use crate::story::{CALL_MS, SILENT_CALL_MS};

/// The gateway keeps to the time that it was given; it has so much longer to say so.
const MARGIN: Duration = Duration::from_secs(10);
/// The wait where none is named.
const WAIT: Duration = Duration::from_secs(3);
/// Bytes of an answer's end that are looked at.
const TAIL: usize = 4 * 1024;
/// Characters of a reason that are repeated.
const REASON: usize = 300;

/// The way to the gateway; clones share connections.
#[derive(Debug, Clone)]
pub(crate) struct Gateway {
    url: String,
    pool: Client<HttpConnector, Full<Bytes>>,
}

impl Gateway {
    pub(crate) fn new(url: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(2)));
        Self { url: url.to_owned(), pool: Client::builder(TokioExecutor::new()).build(connector) }
    }

    /// Makes a call, and reads its answer to the end.
    pub(crate) async fn call(&self, agent: &str, call: &Call) -> Outcome {
        let time = match call.fault {
            Some(Fault::Silent) => SILENT_CALL_MS,
            _ => CALL_MS,
        };
        let exchange = async {
            let request = self.request(agent, call, time).map_err(|error| error.to_string())?;
            let answer = self.pool.request(request).await;
            let answer =
                answer.map_err(|error| format!("the gateway can't be reached: {}", root_cause(&error)))?;
            read(answer).await
        };
        let outcome = timeout(Duration::from_millis(time) + MARGIN, exchange).await;
        outcome
            .unwrap_or_else(|_| Err("the gateway does not answer".to_owned()))
            .unwrap_or_else(Outcome::Failed)
    }

    fn request(&self, agent: &str, call: &Call, time_ms: u64) -> Result<Request<Full<Bytes>>, http::Error> {
        let (path, body) = body(call);
        let request = Request::post(format!("{}{path}", self.url))
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-pas-agent", agent)
            .header("x-pas-run", call.run.as_str())
            .header("x-pas-deadline-ms", time_ms);
        let request = match call.way {
            Way::Message | Way::MessageStream => request.header("anthropic-version", "2023-06-01"),
            _ => request,
        };
        let request = match call.fault {
            Some(Fault::Silent) => request.header("x-scripted", "fault=stall"),
            Some(Fault::Cut) => {
                request.header("x-scripted", "fault=close,after=6,chunks=20,gap_ms=80,head_ms=400")
            }
            None => request,
        };
        request.body(Full::new(Bytes::from(body.to_string())))
    }
}

fn body(call: &Call) -> (&'static str, Value) {
    let messages = json!([{"role": "user", "content": format!("Go on with: {}.", call.about)}]);
    let model = call.model;
    match call.way {
        Way::Chat => ("/v1/chat/completions", json!({"model": model, "messages": messages})),
        Way::ChatStream => {
            ("/v1/chat/completions", json!({"model": model, "messages": messages, "stream": true}))
        }
        Way::Message => ("/v1/messages", json!({"model": model, "messages": messages, "max_tokens": 800})),
        Way::MessageStream => {
            let message = json!({"model": model, "messages": messages, "max_tokens": 800, "stream": true});
            ("/v1/messages", message)
        }
        Way::Invoke => {
            let target = json!({"type": "model", "name": model});
            ("/invoke", json!({"target": target, "payload": {"messages": messages}}))
        }
        Way::Classify => {
            let target = json!({"type": "model", "name": model, "require_caps": ["classify"]});
            ("/invoke", json!({"target": target, "payload": {"text": call.about}}))
        }
    }
}

async fn read(answer: Response<Incoming>) -> Result<Outcome, String> {
    let (head, mut body) = answer.into_parts();
    let mut tail = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| format!("the answer broke off: {}", root_cause(&error)))?;
        tail.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
        tail.drain(..tail.len().saturating_sub(TAIL));
    }
    let tail = String::from_utf8_lossy(&tail);
    Ok(match head.status.is_success() {
        true if is_stream(&head.headers) && !has_end_mark(&tail) => {
            Outcome::Failed("the answer broke off in the middle".to_owned())
        }
        true => Outcome::Answered,
        false => refused(head.status, &head.headers, &tail),
    })
}

fn is_stream(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// OpenAI's, or Anthropic's.
fn has_end_mark(tail: &str) -> bool {
    tail.contains("data: [DONE]") || tail.contains("message_stop")
}

fn refused(status: StatusCode, headers: &HeaderMap, body: &str) -> Outcome {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let error = &body["error"];
    let message = error["message"].as_str().unwrap_or("no reason was given");
    let why = format!("{}: {}", status.as_u16(), message.chars().take(REASON).collect::<String>());
    let seconds = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let wait = seconds.map_or(WAIT, Duration::from_secs);
    match status {
        // Anthropic's shape has no word for it.
        StatusCode::SERVICE_UNAVAILABLE if error["code"] == "paused" || message.contains("is paused") => {
            Outcome::Paused(wait)
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => Outcome::Busy(wait, why),
        _ => Outcome::Failed(why),
    }
}
