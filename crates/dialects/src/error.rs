//! Errors, in the shape that the caller's SDK knows, and what a provider's own error means.
//!
//! <https://platform.openai.com/docs/guides/error-codes>, <https://docs.anthropic.com/en/api/errors>,
//! <https://ai.google.dev/gemini-api/docs/troubleshooting>

use std::borrow::Cow;

use bytes::Bytes;
use pas_types::{Error, ErrorCode};
use serde::Deserialize;
use serde_json::json;

use crate::{Dialect, Family, sse};

/// What a provider says of a failure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Its word for the kind of error.
    pub kind: String,
    /// Its sentence.
    pub message: String,
}

/// What that means for a call, where the status alone doesn't tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The request does not fit into the model's context.
    ContextTooLong,
    /// The content was refused.
    Filtered,
    /// The provider has too much to do.
    Overloaded,
    /// There were too many requests, or too much is spent.
    RateLimited,
    /// The credential is not taken.
    Credential,
    /// It is the caller's fault.
    Caller,
    /// Something failed.
    Failed,
}

/// Characters of a provider's message that are kept.
const MESSAGE_CHARS: usize = 500;

/// Reads the error in a provider's answer, in any of the shapes that are known.
pub fn read(body: &[u8]) -> Option<Said> {
    #[derive(Deserialize)]
    struct Enclosing<'a> {
        #[serde(borrow, default)]
        error: Option<Inner<'a>>,
        /// Some put it at the top, as FastAPI does.
        #[serde(borrow, default)]
        detail: Option<Cow<'a, str>>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Inner<'a> {
        Whole {
            #[serde(borrow, default, rename = "type")]
            kind: Option<Cow<'a, str>>,
            #[serde(borrow, default)]
            code: Option<Word<'a>>,
            #[serde(borrow, default)]
            status: Option<Cow<'a, str>>,
            #[serde(borrow, default)]
            message: Option<Cow<'a, str>>,
        },
        Text(#[serde(borrow)] Cow<'a, str>),
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Word<'a> {
        Text(#[serde(borrow)] Cow<'a, str>),
        Number(u64),
    }
    // Gemini answers a stream's error as a list of one.
    let body = body.trim_ascii();
    let body = body.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).unwrap_or(body);
    let read: Enclosing<'_> = serde_json::from_slice(body).ok()?;
    let (kind, message) = match (read.error, read.detail) {
        (Some(Inner::Whole { kind, code, status, message }), _) => {
            let code = code.map(|code| match code {
                Word::Text(text) => text.into_owned(),
                Word::Number(number) => number.to_string(),
            });
            let kind = kind.map(Cow::into_owned);
            // OpenAI's `code` says more than its `type`; Gemini's `status` more than its `code`.
            let kind = status.map(Cow::into_owned).or(code).or(kind).unwrap_or_default();
            (kind, message.map(Cow::into_owned).unwrap_or_default())
        }
        (Some(Inner::Text(text)), _) | (None, Some(text)) => (String::new(), text.into_owned()),
        (None, None) => return None,
    };
    let message = message.chars().take(MESSAGE_CHARS).collect();
    Some(Said { kind, message })
}

impl Said {
    /// What it means, with the HTTP status that it came with; 200 for one inside of an answer.
    pub fn meaning(&self, status: u16) -> Meaning {
        let (kind, message) = (self.kind.to_ascii_lowercase(), self.message.to_ascii_lowercase());
        let says = |words: &[&str]| words.iter().any(|word| kind.contains(word) || message.contains(word));
        let caller = matches!(status, 200 | 400 | 413 | 422);
        if caller
            && says(&[
                "context_length_exceeded",
                "context length",
                "context window",
                "prompt is too long",
                "too many tokens",
                "input token count",
                "exceeds the maximum number of tokens",
            ])
        {
            return Meaning::ContextTooLong;
        }
        if caller
            && says(&["content_filter", "content_policy", "content management policy", "responsibleaipolicy"])
        {
            return Meaning::Filtered;
        }
        match status {
            401..=403 => Meaning::Credential,
            429 => Meaning::RateLimited,
            529 => Meaning::Overloaded,
            200 if says(&["overloaded", "unavailable"]) => Meaning::Overloaded,
            200 if says(&["rate_limit", "resource_exhausted", "429"]) => Meaning::RateLimited,
            200 if says(&["invalid_request", "invalid_argument"]) => Meaning::Caller,
            400..=499 => Meaning::Caller,
            _ => Meaning::Failed,
        }
    }
}

/// An error of PAS, as the body of an answer to a caller that speaks a dialect of `family`.
pub fn render(family: Family, error: &Error, request_id: &str, run_id: Option<&str>) -> Vec<u8> {
    let value = match family {
        Family::Pas => {
            let mut envelope = pas_types::error::ErrorEnvelope::new(error, request_id);
            envelope.error.run_id = run_id.map(str::to_owned);
            json!(envelope)
        }
        Family::OpenAi => json!({"error": openai(error)}),
        Family::Anthropic => {
            let kind = anthropic_kind(error.status());
            json!({"type": "error", "error": {"type": kind, "message": error.message}, "request_id": request_id})
        }
        Family::Gemini => json!({"error": gemini(error)}),
    };
    value.to_string().into_bytes()
}

fn openai(error: &Error) -> serde_json::Value {
    let kind = match error.status() {
        400 | 404 | 405 | 413 | 414 | 415 | 422 | 431 => "invalid_request_error",
        401 => "authentication_error",
        403 => "permission_error",
        402 => "insufficient_quota",
        429 => "rate_limit_error",
        _ => "server_error",
    };
    json!({"message": error.message, "type": kind, "param": error.field, "code": error.code})
}

fn anthropic_kind(status: u16) -> &'static str {
    match status {
        400 | 405 | 414 | 415 | 422 | 431 => "invalid_request_error",
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        503 => "overloaded_error",
        _ => "api_error",
    }
}

fn gemini(error: &Error) -> serde_json::Value {
    let status = match error.code {
        ErrorCode::InvalidArgument => "INVALID_ARGUMENT",
        ErrorCode::Unauthenticated => "UNAUTHENTICATED",
        ErrorCode::PermissionDenied => "PERMISSION_DENIED",
        ErrorCode::NotFound => "NOT_FOUND",
        ErrorCode::NoCandidate if error.status() == 404 => "NOT_FOUND",
        ErrorCode::Conflict => "ABORTED",
        ErrorCode::FailedPrecondition => "FAILED_PRECONDITION",
        ErrorCode::BudgetExhausted | ErrorCode::RateLimited | ErrorCode::ResourceExhausted => {
            "RESOURCE_EXHAUSTED"
        }
        ErrorCode::UpstreamTimeout => "DEADLINE_EXCEEDED",
        ErrorCode::Internal => "INTERNAL",
        ErrorCode::UpstreamError | ErrorCode::Paused | ErrorCode::Unavailable | ErrorCode::NoCandidate => {
            "UNAVAILABLE"
        }
    };
    json!({"code": error.status(), "message": error.message, "status": status})
}

/// What a stream said of itself before it broke, as far as its last word must repeat it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spoken {
    /// The id of a response.
    pub response_id: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// The number of its last event.
    pub sequence: Option<u64>,
}

/// An error of PAS as the last word of a stream that had begun. The end mark never follows it.
pub fn in_stream(dialect: Dialect, error: &Error, request_id: &str, spoken: &Spoken) -> Bytes {
    match dialect {
        Dialect::OpenaiResponses => {
            let response = json!({
                "id": spoken.response_id, "object": "response", "status": "failed", "model": spoken.model,
                "error": {"code": "server_error", "message": error.message}, "output": [],
                "incomplete_details": null, "usage": null,
            });
            let number = spoken.sequence.map_or(0, |last| last + 1);
            let last = json!({"type": "response.failed", "sequence_number": number, "response": response});
            sse::event(Some("response.failed"), last.to_string().as_bytes())
        }
        Dialect::AnthropicMessages => {
            sse::event(Some("error"), &render(Family::Anthropic, error, request_id, None))
        }
        other => sse::event(None, &render(Family::of(other), error, request_id, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(status: u16, body: &str) -> Meaning {
        read(body.as_bytes()).unwrap().meaning(status)
    }

    #[test]
    fn what_a_providers_error_means_is_told_by_its_words_where_its_status_does_not() {
        let openai = r#"{"error":{"message":"This model's maximum context length is 8192 tokens.","type":
            "invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#;
        assert_eq!(meaning(400, openai), Meaning::ContextTooLong);
        let anthropic = r#"{"type":"error","error":{"type":"invalid_request_error","message":
            "prompt is too long: 210000 tokens > 200000 maximum"}}"#;
        assert_eq!(meaning(400, anthropic), Meaning::ContextTooLong);
        let overloaded = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        assert_eq!(
            (meaning(529, overloaded), meaning(200, overloaded)),
            (Meaning::Overloaded, Meaning::Overloaded)
        );
        let gemini = r#"[{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}]"#;
        assert_eq!(meaning(400, gemini), Meaning::ContextTooLong);
        assert_eq!(meaning(400, r#"{"error":{"message":"no","code":"content_filter"}}"#), Meaning::Filtered);
        assert_eq!(meaning(500, r#"{"error":"context length"}"#), Meaning::Failed);
        assert_eq!(meaning(404, r#"{"detail":"Not Found"}"#), Meaning::Caller);
        assert_eq!(read(b"<html>"), None);
    }

    #[test]
    fn an_error_has_the_shape_of_the_callers_sdk() {
        let error = Error::invalid("model", "there is no such model");
        let shown = |family| String::from_utf8(render(family, &error, "req-1", Some("gw-1"))).unwrap();
        assert_eq!(
            shown(Family::OpenAi),
            r#"{"error":{"code":"invalid_argument","message":"there is no such model","param":"model","type":"invalid_request_error"}}"#
        );
        assert_eq!(
            shown(Family::Anthropic),
            r#"{"error":{"message":"there is no such model","type":"invalid_request_error"},"request_id":"req-1","type":"error"}"#
        );
        assert_eq!(
            shown(Family::Gemini),
            r#"{"error":{"code":400,"message":"there is no such model","status":"INVALID_ARGUMENT"}}"#
        );
        assert!(shown(Family::Pas).contains(r#""run_id":"gw-1""#));
    }
}
