//! Errors in the shape of each dialect, and the headers by which limits are told.
//!
//! Sources: developers.openai.com/api/docs/guides/error-codes and /rate-limits (`x-ratelimit-*`, `Retry-After`);
//! platform.claude.com/docs/en/api/errors and /rate-limits (types, `request_id`, `anthropic-ratelimit-*` as RFC 3339 times,
//! 529, "prompt is too long"); ai.google.dev/gemini-api/docs/generate-content/api-errors (google.rpc.Status, RetryInfo);
//! PAS's own envelope (docs/errors). A provider of some manner has its own words: `manner`.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::manner::{self, Profile};
use super::super::script::{Fault, Script};
use super::{Ask, Dialect};

/// Of every answer.
pub(in crate::provider) const REQUEST_ID: &str = "req_scripted1";

/// The body of an error.
pub(in crate::provider) fn body(profile: &Profile, ask: &Ask, script: &Script) -> Value {
    let status = profile.status(ask, script);
    if let Some(error) = script.error.clone().or_else(|| profile.error(ask, script, status)) {
        return error;
    }
    let is_too_long = script.fault == Some(Fault::ContextTooLong);
    let message = |usual: &str| script.message.clone().unwrap_or_else(|| usual.to_owned());
    match ask.dialect {
        Dialect::OpenAiChat | Dialect::OpenAiResponses => {
            let (kind, code, param, usual) = if is_too_long {
                let usual = "This model's maximum context length is 8192 tokens. However, your messages resulted in \
                             10000 tokens. Please reduce the length of the messages.";
                ("invalid_request_error", Some("context_length_exceeded"), Some("messages"), usual)
            } else {
                openai(status)
            };
            json!({"error": {"message": message(usual), "type": kind, "param": param, "code": code}})
        }
        Dialect::Anthropic => {
            let (kind, usual) = match is_too_long {
                true => ("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
                false => anthropic(status),
            };
            json!({"type": "error", "error": {"type": kind, "message": message(usual)}, "request_id": REQUEST_ID})
        }
        Dialect::Gemini => {
            let (word, mut usual) = google(status);
            if is_too_long {
                usual =
                    "The input token count (1050000) exceeds the maximum number of tokens allowed (1048576).";
            }
            let mut error = json!({"code": status, "message": message(usual), "status": word});
            if let Some(seconds) = script.retry_after_s.or(script.reset_s) {
                let retry = json!({"@type": "type.googleapis.com/google.rpc.RetryInfo",
                    "retryDelay": format!("{seconds}s")});
                error["details"] = json!([retry]);
            }
            json!({ "error": error })
        }
        Dialect::Ollama => json!({"error": message("the scripted provider says so")}),
        Dialect::Pas => {
            let (code, fault) = pas(status);
            let usual = "the scripted service says so";
            json!({"error": {"code": code, "message": message(usual), "retryable": status == 429 || status >= 500,
                "fault": fault, "field": null, "request_id": REQUEST_ID}})
        }
    }
}

/// The headers of an answer that are the dialect's own.
pub(in crate::provider) fn headers(
    profile: &Profile,
    dialect: Dialect,
    script: &Script,
    now: Timestamp,
) -> Vec<(String, String)> {
    let (limit, left) = (1_000, if script.reset_s.is_some() { 0 } else { 999 });
    let reset_s = script.reset_s.unwrap_or(60);
    let own = || match dialect {
        Dialect::OpenAiChat | Dialect::OpenAiResponses => vec![
            ("x-request-id", REQUEST_ID.to_owned()),
            ("openai-processing-ms", "7".to_owned()),
            ("openai-version", "2020-10-01".to_owned()),
            ("x-ratelimit-limit-requests", limit.to_string()),
            ("x-ratelimit-remaining-requests", left.to_string()),
            ("x-ratelimit-reset-requests", format!("{reset_s}s")),
        ],
        Dialect::Anthropic => vec![
            ("request-id", REQUEST_ID.to_owned()),
            ("anthropic-organization-id", "00000000-0000-4000-8000-000000000000".to_owned()),
            ("anthropic-ratelimit-requests-limit", limit.to_string()),
            ("anthropic-ratelimit-requests-remaining", left.to_string()),
            ("anthropic-ratelimit-requests-reset", later(now, reset_s)),
        ],
        Dialect::Gemini => vec![("server-timing", "gfet4t7; dur=7".to_owned())],
        Dialect::Pas => vec![("x-request-id", REQUEST_ID.to_owned())],
        Dialect::Ollama => Vec::new(),
    };
    let mut headers = manner::headers(profile.manner, script, now).unwrap_or_else(own);
    headers.extend(script.retry_after_s.map(|seconds| ("retry-after", seconds.to_string())));
    let scripted = script.headers.iter().map(|(name, value)| (name.clone(), value.clone()));
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(scripted).collect()
}

/// That many seconds from now, as RFC 3339 has it.
pub(in crate::provider) fn later(now: Timestamp, seconds: u64) -> String {
    let at = now.checked_add(Duration::from_secs(seconds)).unwrap_or(now);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

type OpenAi = (&'static str, Option<&'static str>, Option<&'static str>, &'static str);

/// Type, code, parameter, message.
fn openai(status: u16) -> OpenAi {
    const INVALID: &str = "invalid_request_error";
    match status {
        401 => (INVALID, Some("invalid_api_key"), None, "Incorrect API key provided."),
        402 => (
            "insufficient_quota",
            Some("credit_balance_exhausted"),
            None,
            "Your credit balance is exhausted.",
        ),
        403 => (INVALID, Some("unsupported_country_region_territory"), None, "Not supported here."),
        404 => (INVALID, Some("model_not_found"), Some("model"), "The model does not exist."),
        408 => ("timeout", None, None, "Request timed out."),
        429 => ("requests", Some("rate_limit_exceeded"), None, "Rate limit reached for requests."),
        400..=499 => (INVALID, None, None, "The request is not valid."),
        503 => ("server_error", None, None, "The engine is currently overloaded, please try again later."),
        _ => ("server_error", None, None, "The server had an error while processing your request."),
    }
}

/// Type and message.
fn anthropic(status: u16) -> (&'static str, &'static str) {
    match status {
        401 => ("authentication_error", "invalid x-api-key"),
        402 => ("billing_error", "Your credit balance is too low."),
        403 => ("permission_error", "Your API key does not have permission to use the resource."),
        404 => ("not_found_error", "model: not found"),
        409 => ("conflict_error", "The request conflicts with the state of the resource."),
        413 => ("request_too_large", "Request exceeds the maximum size"),
        429 => ("rate_limit_error", "This request would exceed your rate limit."),
        400..=499 => ("invalid_request_error", "The request is not valid."),
        504 => ("timeout_error", "Request timed out."),
        529 => ("overloaded_error", "Overloaded"),
        _ => ("api_error", "Internal server error"),
    }
}

/// The canonical word and a message.
fn google(status: u16) -> (&'static str, &'static str) {
    match status {
        401 => ("UNAUTHENTICATED", "API keys are not supported by this API."),
        402 => ("FAILED_PRECONDITION", "Billing is not enabled."),
        403 => ("PERMISSION_DENIED", "The caller does not have permission."),
        404 => ("NOT_FOUND", "The model is not found for API version v1beta."),
        408 | 504 => ("DEADLINE_EXCEEDED", "The deadline expired before the operation could complete."),
        409 => ("ABORTED", "The operation was aborted."),
        429 => ("RESOURCE_EXHAUSTED", "You exceeded your current quota."),
        400..=499 => ("INVALID_ARGUMENT", "Request contains an invalid argument."),
        502 | 503 | 529 => ("UNAVAILABLE", "The model is overloaded. Please try again later."),
        _ => ("INTERNAL", "An internal error has occurred."),
    }
}

/// Code and fault.
fn pas(status: u16) -> (&'static str, &'static str) {
    match status {
        401 => ("unauthenticated", "caller"),
        402 => ("budget_exhausted", "policy"),
        403 => ("permission_denied", "policy"),
        404 => ("not_found", "caller"),
        409 => ("conflict", "caller"),
        422 => ("failed_precondition", "caller"),
        429 => ("rate_limited", "policy"),
        400..=499 => ("invalid_argument", "caller"),
        502 => ("upstream_error", "upstream"),
        503 | 529 => ("unavailable", "pas"),
        504 => ("upstream_timeout", "upstream"),
        _ => ("internal", "pas"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Route;
    use super::*;

    fn ask(method_path: &str) -> Ask {
        Ask::unread(&Route::of("POST", method_path, false).unwrap())
    }

    #[test]
    fn a_limit_that_is_spent_is_told_as_each_dialect_does() {
        let script = Script { retry_after_s: Some(3), reset_s: Some(2), ..Script::status(429) };
        let now: Timestamp = "2025-11-06T10:30:00.5Z".parse().unwrap();
        let of = |dialect| {
            let headers = headers(&Profile::default(), dialect, &script, now);
            let wanted = ["requests-reset", "reset-requests", "retry-after", "remaining"];
            let told = headers.into_iter().filter(|(name, _)| wanted.iter().any(|part| name.contains(part)));
            told.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
        };
        assert_eq!(
            of(Dialect::OpenAiChat),
            ["x-ratelimit-remaining-requests: 0", "x-ratelimit-reset-requests: 2s", "retry-after: 3"]
        );
        assert_eq!(
            of(Dialect::Anthropic),
            [
                "anthropic-ratelimit-requests-remaining: 0",
                "anthropic-ratelimit-requests-reset: 2025-11-06T10:30:02Z",
                "retry-after: 3"
            ]
        );
        let body = body(&Profile::default(), &ask("/v1beta/models/a:generateContent"), &script);
        assert_eq!(body["error"]["details"][0]["retryDelay"], "3s");
    }

    #[test]
    fn an_error_has_the_shape_of_its_dialect() {
        let of = |path: &str, status| {
            body(
                &Profile::default(),
                &ask(path),
                &Script { message: Some("m".to_owned()), ..Script::status(status) },
            )
        };
        assert_eq!(
            of("/v1/chat/completions", 401),
            json!({"error": {"message": "m", "type": "invalid_request_error", "param": null, "code": "invalid_api_key"}})
        );
        assert_eq!(
            of("/v1/messages", 529),
            json!({"type": "error", "error": {"type": "overloaded_error", "message": "m"}, "request_id": "req_scripted1"})
        );
        assert_eq!(
            of("/v1beta/models/a:generateContent", 503),
            json!({"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}})
        );
    }
}
