//! An answer that is an error: whose fault it is, and how it goes back. In the shape of its dialect, whatever the provider makes
//! of it; and never with a credential in it.
//!
//! What is put right: xAI tells a bad key with 400 and its errors are flat (<https://docs.x.ai/developers/debugging>); Hugging
//! Face's router has errors that are texts, and 400 for a model that it does not serve
//! (<https://huggingface.co/docs/inference-providers>); Ollama's and others' are texts or have numbers for codes.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use pas_dialects::said::{self, Meaning, Said};
use pas_dialects::{Family, error};
use pas_service::{clock, request};
use pas_types::Error;
use pas_types::routing::Dialect;
use pas_upstream::headers;
use serde_json::{Value, json};

use crate::app::App;
use crate::call::Call;
use crate::client::Seen;
use crate::metrics::Outcome;
use crate::secret::Secret;

/// A provider's error.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    verdict: Verdict,
}

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The credential's: for all models, or for this one.
    Credential { whole: bool },
    /// Too much was asked with it.
    Limited(Option<Duration>),
    /// Not the credential's.
    Other(Outcome),
}

impl Refusal {
    /// Of an answer to a call with this credential.
    pub(crate) fn new(
        app: &App,
        dialect: Dialect,
        call: &Call,
        secret: Option<&Secret>,
        parts: Parts,
        body: Bytes,
    ) -> Self {
        let body = secret.map_or_else(|| body.clone(), |secret| secret.masked(body.clone()));
        let code = parts.status.as_u16();
        let said = said::read(&body);
        let meaning = said.as_ref().map_or_else(|| Said::default().meaning(code), |said| said.meaning(code));
        let now = clock::now().wall;
        let wait = headers::retry_after(&parts.headers, now).or_else(|| said.as_ref()?.wait);
        let verdict = match meaning {
            // What says nothing is hardly the provider, but something before it.
            Meaning::Credential if code == 403 && said.is_none() => Verdict::Other(Outcome::Failed),
            Meaning::Credential | Meaning::Spent => {
                Verdict::Credential { whole: code != 403 && !said.as_ref().is_some_and(is_of_scope) }
            }
            Meaning::RateLimited => Verdict::Limited(wait),
            Meaning::ContextTooLong => Verdict::Other(Outcome::TooLong),
            Meaning::Filtered | Meaning::Missing | Meaning::Caller => Verdict::Other(Outcome::Caller),
            Meaning::Overloaded | Meaning::Failed => Verdict::Other(Outcome::Failed),
        };
        let refused = || {
            let name = secret.map_or("a call without a credential", |secret| secret.name());
            format!("{} refuses {name} with {code}", app.profile.title)
        };
        let (status, body) = match said {
            Some(said) => {
                let status = put_right(dialect, parts.status, meaning);
                // What providers say of credentials has parts of them in it.
                let message = matches!(meaning, Meaning::Credential | Meaning::Spent).then(refused);
                (status, shaped(dialect, status, &body, &said, message))
            }
            None => {
                let message = match meaning {
                    Meaning::Credential | Meaning::Spent if code != 403 => refused(),
                    _ if (300..500).contains(&code) && code != 408 && code != 429 => {
                        let (method, path, status) = (&call.method, call.path.as_str(), parts.status);
                        app.provider.stranger(Seen { method, path, status, body, secret })
                    }
                    _ => format!("{} answers with {code} and no error that it documents", app.profile.title),
                };
                (parts.status, spelled(dialect, parts.status, &message, ""))
            }
        };
        let mut headers = headers::back(parts.headers);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Self { status, headers, body, verdict }
    }

    /// Whose fault it is.
    pub(crate) fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The status with which it goes back.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// What goes back with it.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// As it goes back; with the time to wait, where that is known better.
    pub(crate) fn into_response(self, wait: Option<Duration>) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        if let Some(wait) = wait {
            let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            response.headers_mut().remove("retry-after-ms");
        }
        response
    }
}

/// Whether a credential is good, and may not do this: as OpenAI's restricted keys.
fn is_of_scope(said: &Said) -> bool {
    said.message.to_ascii_lowercase().contains("missing scopes")
}

/// The status that says what is meant, in a dialect whose clients go by it.
fn put_right(dialect: Dialect, status: StatusCode, meaning: Meaning) -> StatusCode {
    if Family::of(dialect) != Family::OpenAi || status != StatusCode::BAD_REQUEST {
        return status;
    }
    match meaning {
        Meaning::Credential => StatusCode::UNAUTHORIZED,
        Meaning::Missing => StatusCode::NOT_FOUND,
        _ => status,
    }
}

/// An error of the provider's, as it is if it has its dialect's shape; and with another message, if there is one.
fn shaped(dialect: Dialect, status: StatusCode, body: &Bytes, said: &Said, message: Option<String>) -> Bytes {
    let value = serde_json::from_slice::<Value>(body).unwrap_or_default();
    if !is_native(dialect, &value) {
        return spelled(dialect, status, message.as_deref().unwrap_or(&said.message), &said.kind);
    }
    let Some(message) = message else { return body.clone() };
    let mut value = value;
    let first = if value.is_array() { value.get_mut(0) } else { Some(&mut value) };
    match first.and_then(|it| it.get_mut("error")) {
        Some(Value::Object(error)) => drop(error.insert("message".to_owned(), message.into())),
        Some(error) => *error = message.into(),
        None => {}
    }
    value.to_string().into()
}

fn is_native(dialect: Dialect, value: &Value) -> bool {
    let error = &value["error"];
    match Family::of(dialect) {
        Family::OpenAi => error["message"].is_string() && !error["code"].is_number(),
        Family::Anthropic => value["type"] == "error" && error["message"].is_string(),
        Family::Gemini => {
            let first = value.get(0).map_or(error, |first| &first["error"]);
            first["status"].is_string() && first["message"].is_string()
        }
        Family::Pas => error.is_string(),
    }
}

fn spelled(dialect: Dialect, status: StatusCode, message: &str, code: &str) -> Bytes {
    error::reshaped(Family::of(dialect), status.as_u16(), message, code).into()
}

/// An error of the adapter's own.
pub(crate) fn own(dialect: Dialect, error: &Error) -> Response {
    let id = request::id().unwrap_or_default();
    let body = match dialect {
        Dialect::OllamaChat => json!({ "error": error.message }).to_string().into_bytes(),
        other => error::render(Family::of(other), error, &id, None),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let retry = if error.retryable() { "true" } else { "false" };
    headers.insert("x-should-retry", HeaderValue::from_static(retry));
    if let Some(seconds) = error.retry_after_s {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shaped_as(dialect: Dialect, status: u16, body: &str, message: Option<&str>) -> (u16, Value) {
        let body = Bytes::from(body.to_owned());
        let said = said::read(&body).unwrap();
        let status = StatusCode::from_u16(status).unwrap();
        let status = put_right(dialect, status, said.meaning(status.as_u16()));
        let text = shaped(dialect, status, &body, &said, message.map(str::to_owned));
        (status.as_u16(), serde_json::from_slice(&text).unwrap())
    }

    #[test]
    fn an_error_in_its_dialects_shape_stays_as_it_is() {
        for (dialect, body) in [
            (
                Dialect::OpenaiChat,
                r#"{"error":{"message":"no","type":"invalid_request_error","param":"x","code":null},"more":1}"#,
            ),
            (
                Dialect::AnthropicMessages,
                r#"{"type":"error","error":{"type":"overloaded_error","message":"no"}}"#,
            ),
            (
                Dialect::GeminiGenerate,
                r#"[{"error":{"code":400,"message":"no","status":"INVALID_ARGUMENT"}}]"#,
            ),
            (Dialect::OllamaChat, r#"{"error":"no"}"#),
        ] {
            let value: Value = serde_json::from_str(body).unwrap();
            assert_eq!(shaped_as(dialect, 429, body, None), (429, value));
        }
    }

    #[test]
    fn another_shape_becomes_its_dialects() {
        let chat = |status, body| shaped_as(Dialect::OpenaiChat, status, body, None);
        let error = |message: &str, kind: &str, code: Value| json!({"error": {"message": message, "type": kind, "param": null, "code": code}});
        let flat = r#"{"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***gA."}"#;
        let code = json!("Client specified an invalid argument");
        assert_eq!(
            chat(400, flat),
            (401, error("Incorrect API key provided: xa***gA.", "authentication_error", code))
        );
        let unserved = r#"{"error":{"message":"not supported","type":"invalid_request_error","param":"model","code":"model_not_supported"}}"#;
        assert_eq!(chat(400, unserved).0, 404);
        let text = r#"{"error":"You have exceeded your monthly included credits."}"#;
        let spent =
            error("You have exceeded your monthly included credits.", "insufficient_quota", Value::Null);
        assert_eq!(chat(402, text), (402, spent));
        let numbered = r#"{"error":{"code":400,"message":"too long","type":"exceed_context_size_error"}}"#;
        assert_eq!(chat(400, numbered).1["error"]["code"], "400");
    }

    #[test]
    fn what_is_said_of_a_credential_is_said_in_our_own_words() {
        let body = r#"{"error":{"message":"Incorrect API key provided: sk-proj-abcd.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#;
        let (_, value) = shaped_as(Dialect::OpenaiChat, 401, body, Some("ours"));
        let wanted = json!({"error": {"message": "ours", "type": "invalid_request_error", "param": null, "code": "invalid_api_key"}});
        assert_eq!(value, wanted);
    }
}
