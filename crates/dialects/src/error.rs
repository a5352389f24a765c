//! Errors of PAS, in the shape that the caller's SDK knows.
//!
//! <https://platform.openai.com/docs/guides/error-codes>, <https://docs.anthropic.com/en/api/errors>,
//! <https://ai.google.dev/gemini-api/docs/troubleshooting>

use bytes::Bytes;
use pas_types::{Error, ErrorCode};
use serde_json::json;

use crate::{Dialect, Family, sse};

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

/// A provider's own error, in the shape that a caller's SDK knows, where the provider has another; `code` is its own word for it.
pub fn reshaped(family: Family, status: u16, message: &str, code: &str) -> Vec<u8> {
    let code = Some(code).filter(|code| !code.is_empty());
    let value = match family {
        Family::Pas => json!({ "error": message }),
        Family::OpenAi => {
            json!({"error": {"message": message, "type": openai_kind(status), "param": null, "code": code}})
        }
        Family::Anthropic => {
            let kind = anthropic_kind(status);
            json!({"type": "error", "error": {"type": kind, "message": message, "details": {"error_code": code}}})
        }
        Family::Gemini => json!({"error": {"code": status, "message": message, "status": code}}),
    };
    value.to_string().into_bytes()
}

fn openai(error: &Error) -> serde_json::Value {
    let kind = openai_kind(error.status());
    // By this word SDKs and agents know to shorten what they ask.
    if error.is_too_long() {
        return json!({"message": error.message, "type": kind, "param": null, "code": "context_length_exceeded"});
    }
    json!({"message": error.message, "type": kind, "param": error.field, "code": error.code})
}

fn openai_kind(status: u16) -> &'static str {
    match status {
        400 | 404 | 405 | 413 | 414 | 415 | 422 | 431 => "invalid_request_error",
        401 => "authentication_error",
        403 => "permission_error",
        402 => "insufficient_quota",
        429 => "rate_limit_error",
        _ => "server_error",
    }
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
        let too_long = render(Family::OpenAi, &Error::too_long("the prompt is too long"), "req-1", None);
        let said = crate::said::read(&too_long).unwrap();
        assert_eq!(said.meaning(400), crate::said::Meaning::ContextTooLong, "as what a provider says of it");
    }
}
