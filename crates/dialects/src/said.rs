//! What a provider's own error says, in any of the shapes that are known, and what it means.
//!
//! OpenAI: <https://developers.openai.com/api/docs/guides/error-codes> (all of its billing is a 429, `insufficient_quota`);
//! Anthropic: <https://platform.claude.com/docs/en/api/errors> (`details.error_code` is the cause that stays);
//! Gemini: <https://ai.google.dev/gemini-api/docs/troubleshooting>, `google.rpc.Status` with its details (a bad key is a 400);
//! xAI: <https://docs.x.ai/developers/debugging> (a bad key is a 400, `error` is a text); Ollama:
//! <https://docs.ollama.com/api/errors>; llama.cpp: tools/server/README.md; vLLM: an error without anything around it.

use std::time::Duration;

use serde_json::Value;

/// What a provider says of a failure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Its word for the kind of error.
    pub kind: String,
    /// Its sentence.
    pub message: String,
    /// Its other words for it: types, codes and causes.
    pub words: Vec<String>,
    /// When to come again, where the error itself says so.
    pub wait: Option<Duration>,
    /// It is a text with a code beside it, as xAI's errors are.
    pub(crate) is_text: bool,
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
    /// There were too many requests: it helps to wait.
    RateLimited,
    /// The credential is not taken: it doesn't help to wait.
    Credential,
    /// Nothing is left to be spent by the credential: it doesn't help to wait.
    Spent,
    /// The provider has no such model.
    Missing,
    /// It is the caller's fault.
    Caller,
    /// Something failed.
    Failed,
}

/// Characters of a provider's message that are kept.
const MESSAGE_CHARS: usize = 500;
/// Where a day's quota is spent: that it begins anew at midnight, Pacific time, is found out soon enough so.
const QUOTA_OF_A_DAY: Duration = Duration::from_secs(3600);

const TOO_LONG: [&str; 10] = [
    "context_length_exceeded",
    "exceed_context_size",
    "context length",
    "context window",
    "available context size",
    "prompt is too long",
    "maximum prompt length is",
    "too many tokens",
    "input token count",
    "exceeds the maximum number of tokens",
];
const FILTERED: [&str; 5] = [
    "content_filter",
    "content_policy",
    "content management policy",
    "responsibleaipolicy",
    "violates usage guidelines",
];
/// Words of a 400, which says that the caller is at fault, and is not.
const NO_CREDENTIAL: [&str; 2] = ["api_key_invalid", "organization_on_hold"];
/// A model that is not there, as a word; and how the sentences begin with which others than OpenAI say it.
const MISSING: [&str; 2] = ["model_not_found", "model_not_supported"];
const MISSING_BEGINS: [&str; 5] = ["model:", "model '", "model \"", "models/", "the model "];
/// Words of a 429, which says that it helps to wait, and does not.
const SPENT: [&str; 7] = [
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
];

/// Reads the error in a provider's answer.
pub fn read(body: &[u8]) -> Option<Said> {
    let value = match serde_json::from_slice(body).ok()? {
        // Gemini answers a stream's error as a list of one.
        Value::Array(mut list) if list.len() == 1 => list.swap_remove(0),
        value => value,
    };
    match value.get("error") {
        Some(error @ Value::Object(_)) => Some(Said::of(error)),
        Some(Value::String(text)) => {
            // Ollama passes on the error of what it runs as the text of one of its own.
            let within = text.trim_start().starts_with('{').then(|| read(text.as_bytes())).flatten();
            Some(within.unwrap_or_else(|| {
                let said = Said::new(text, value.get("code").and_then(word));
                Said { is_text: !said.kind.is_empty(), ..said }
            }))
        }
        // vLLM's, and OpenAI's in a stream of a response.
        _ if value["object"] == "error" || value["type"] == "error" => Some(Said::of(&value)),
        // FastAPI's.
        _ => value["detail"].as_str().map(|text| Said::new(text, None)),
    }
}

/// A code, which is a number with some.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl Said {
    fn new(message: &str, kind: Option<String>) -> Self {
        let message = message.chars().take(MESSAGE_CHARS).collect();
        Self { kind: kind.unwrap_or_default(), message, ..Self::default() }
    }

    fn of(error: &Value) -> Self {
        // Gemini's `status` says more than its `code`; OpenAI's `code` more than its `type`.
        let mut words = ["status", "code", "type"].into_iter().filter_map(|name| word(&error[name]));
        let mut said = Self::new(error["message"].as_str().unwrap_or_default(), words.next());
        said.words = words.collect();
        match &error["details"] {
            Value::Array(details) => details.iter().for_each(|detail| said.detail(detail)),
            detail => said.detail(detail),
        }
        said
    }

    /// What stands beside it: Anthropic's `error_code`, or one of Google's, each of a type of its own.
    fn detail(&mut self, detail: &Value) {
        self.words.extend(["error_code", "reason"].into_iter().filter_map(|name| word(&detail[name])));
        let delay = detail["retryDelay"].as_str().and_then(|text| text.strip_suffix('s')?.parse().ok());
        let delay = delay.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let delay = delay.filter(|delay| !delay.is_zero());
        let violations = detail["violations"].as_array().into_iter().flatten();
        let is_of_a_day =
            |violation: &Value| violation["quotaId"].as_str().is_some_and(|quota| quota.contains("PerDay"));
        // The delay is half a minute also where a day's quota is spent.
        if violations.into_iter().any(is_of_a_day) {
            self.wait = Some(QUOTA_OF_A_DAY);
        } else if self.wait.is_none() {
            self.wait = delay;
        }
    }

    /// What it means, with the HTTP status that it came with; 200 for one inside of an answer.
    pub fn meaning(&self, status: u16) -> Meaning {
        let message = self.message.to_ascii_lowercase();
        let words: Vec<String> =
            self.words.iter().chain([&self.kind]).map(|word| word.to_ascii_lowercase()).collect();
        let says = |what: &[&str]| {
            what.iter().any(|it| message.contains(it) || words.iter().any(|word| word.contains(it)))
        };
        // What is held against a candidate for all callers is never taken from a sentence that may repeat one caller's words.
        let is = |what: &[&str]| what.iter().any(|it| words.iter().any(|word| word == it));
        let begins = |how: &str| message.starts_with(how);
        match status {
            200 | 400 | 413 | 422 if says(&TOO_LONG) => Meaning::ContextTooLong,
            200 | 400 | 403 | 413 | 422 if says(&FILTERED) => Meaning::Filtered,
            200 | 400 if is(&NO_CREDENTIAL) => Meaning::Credential,
            400 if self.is_text && begins("incorrect api key provided: ") => Meaning::Credential,
            400 if is(&["failed_precondition"]) && begins("user location is not supported") => {
                Meaning::Credential
            }
            200 | 429 if is(&SPENT) => Meaning::Spent,
            429 if self.is_text && begins("your team has either used all available credits") => {
                Meaning::Spent
            }
            200 | 400 | 404 if is(&MISSING) => Meaning::Missing,
            400 if begins("no models loaded") => Meaning::Missing,
            404 if MISSING_BEGINS.iter().any(|how| begins(how)) => Meaning::Missing,
            402 => Meaning::Spent,
            401 | 403 => Meaning::Credential,
            // It is larger than a minute's limit, and will be.
            429 if begins("request too large") => Meaning::ContextTooLong,
            429 => Meaning::RateLimited,
            529 => Meaning::Overloaded,
            200 if says(&["overloaded", "unavailable"]) => Meaning::Overloaded,
            200 if is(&["429"]) || says(&["rate_limit", "resource_exhausted"]) => Meaning::RateLimited,
            200 if says(&["invalid_request", "invalid_argument"]) => Meaning::Caller,
            400..=499 => Meaning::Caller,
            _ => Meaning::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(status: u16, body: &str) -> Meaning {
        read(body.as_bytes()).unwrap().meaning(status)
    }

    #[test]
    fn what_does_not_fit_is_known_in_the_words_of_each() {
        for body in [
            r#"{"error":{"message":"Your input exceeds the context window of this model.","type":"invalid_request_error","param":"input","code":"context_length_exceeded"}}"#,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#,
            r#"[{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}]"#,
            r#"{"code":"invalid-argument","error":"This model's maximum prompt length is 500000 but the request contains 637815 tokens."}"#,
            r#"{"error":{"code":400,"message":"request (4170 tokens) exceeds the available context size (4096 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":4170,"n_ctx":4096}}"#,
            r#"{"error":"{\"error\":{\"code\":400,\"message\":\"too much\",\"type\":\"exceed_context_size_error\"}}"}"#,
            r#"{"error":"the input length exceeds the context length"}"#,
            r#"{"type":"error","code":"context_length_exceeded","message":"too much","param":null,"sequence_number":3}"#,
            r#"{"object":"error","message":"This model's maximum context length is 32768 tokens.","type":"BadRequestError","param":null,"code":400}"#,
        ] {
            assert_eq!(meaning(400, body), Meaning::ContextTooLong, "{body}");
            assert_eq!(meaning(500, body), Meaning::Failed, "{body}");
        }
    }

    #[test]
    fn a_credential_that_is_not_taken_is_known_whatever_the_status() {
        let google = r#"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":
            [{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#;
        for (status, body) in [
            (400, google),
            (
                400,
                r#"{"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}}"#,
            ),
            (
                400,
                r#"{"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***gA."}"#,
            ),
            (
                400,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"no","details":{"error_code":"organization_on_hold"}}}"#,
            ),
            (401, r#"{"error":"Invalid credentials in Authorization header"}"#),
        ] {
            assert_eq!(meaning(status, body), Meaning::Credential, "{body}");
        }
        for (status, body) in [
            (402, r#"{"error":"You have exceeded your monthly included credits for Inference Providers."}"#),
            (
                429,
                r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"credit_balance_exhausted"}}"#,
            ),
            (
                429,
                r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":null}}"#,
            ),
            (
                429,
                r#"{"type":"error","error":{"type":"rate_limit_error","message":"no","details":{"error_code":"enforced_spend_limit_reached"}}}"#,
            ),
            (
                429,
                r#"{"code":"Some resource has been exhausted","error":"Your team has either used all available credits or reached its monthly spending limit."}"#,
            ),
        ] {
            assert_eq!(meaning(status, body), Meaning::Spent, "{body}");
        }
        assert_eq!(
            meaning(400, r#"{"error":{"message":"`model` is missing","code":null}}"#),
            Meaning::Caller
        );
        assert_eq!(
            meaning(
                429,
                r#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#
            ),
            Meaning::RateLimited
        );
    }

    #[test]
    fn no_caller_benches_a_candidate_by_his_own_words() {
        for said in [
            "Incorrect API key provided: x",
            "api_key_invalid",
            "insufficient_quota",
            "User location is not supported",
        ] {
            for body in [
                format!(
                    r#"{{"type":"error","error":{{"type":"invalid_request_error","message":"{said}: Extra inputs are not permitted"}}}}"#
                ),
                format!(
                    r#"{{"error":{{"message":"Unknown parameter: '{said}'.","type":"invalid_request_error","param":"{said}","code":"unknown_parameter"}}}}"#
                ),
                format!(r#"{{"error":"{said}"}}"#),
                format!(r#"{{"code":"invalid-argument","error":"no such field: {said}"}}"#),
            ] {
                assert_eq!(meaning(400, &body), Meaning::Caller, "{body}");
            }
        }
        assert_eq!(
            meaning(200, r#"{"error":{"message":"64290 tokens","type":"server_error"}}"#),
            Meaning::Failed
        );
    }

    #[test]
    fn a_model_that_is_not_there_is_known_in_the_words_of_each() {
        for (status, body) in [
            (
                404,
                r#"{"error":{"message":"The model `gpt-0` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
            ),
            (404, r#"{"type":"error","error":{"type":"not_found_error","message":"model: claude-0"}}"#),
            (400, r#"{"error":"No models loaded. Please load a model in the developer page."}"#),
            (
                404,
                r#"[{"error":{"code":404,"message":"models/gemini-0 is not found for API version v1beta, or is not supported for generateContent.","status":"NOT_FOUND"}}]"#,
            ),
            (
                404,
                r#"{"code":"Some requested entity was not found","error":"The model grok-0 does not exist or your team x does not have access to it."}"#,
            ),
            (404, r#"{"error":"model 'llama0' not found"}"#),
            (
                404,
                r#"{"object":"error","message":"The model `m` does not exist.","type":"NotFoundError","param":null,"code":404}"#,
            ),
            (
                400,
                r#"{"error":{"message":"The requested model 'm' is not supported by any provider you have enabled.","type":"invalid_request_error","param":"model","code":"model_not_supported"}}"#,
            ),
        ] {
            assert_eq!(meaning(status, body), Meaning::Missing, "{body}");
        }
        // Another credential may have it.
        let closed = r#"{"error":{"message":"Project `x` does not have access to model `gpt-0`","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#;
        assert_eq!(meaning(403, closed), Meaning::Credential);
        for (status, body) in [
            (
                404,
                r#"{"type":"error","error":{"type":"not_found_error","message":"File not found: file_1"}}"#,
            ),
            (404, r#"{"code":"Some requested entity was not found","error":"No handler found on route."}"#),
            (
                400,
                r#"{"error":{"message":"model: Extra inputs are not permitted","type":"invalid_request_error"}}"#,
            ),
        ] {
            assert_eq!(meaning(status, body), Meaning::Caller, "{body}");
        }
    }

    #[test]
    fn what_is_nobodys_fault_and_what_the_callers_is_told_apart() {
        let overloaded = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        assert_eq!([529, 200].map(|status| meaning(status, overloaded)), [Meaning::Overloaded; 2]);
        assert_eq!(meaning(400, r#"{"error":{"message":"no","code":"content_filter"}}"#), Meaning::Filtered);
        assert_eq!(meaning(404, r#"{"detail":"Not Found"}"#), Meaning::Caller);
        assert_eq!(Said::default().meaning(503), Meaning::Failed);
    }

    #[test]
    fn what_is_no_error_is_none() {
        for body in [
            "<html>",
            "{}",
            "[]",
            r#"{"error":null}"#,
            r#"{"message":{"content":"hi"}}"#,
            r#"{"message":"hi"}"#,
        ] {
            assert_eq!(read(body.as_bytes()), None, "{body}");
        }
        assert_eq!(read(br#"{"error":{}}"#), Some(Said::default()));
    }

    #[test]
    fn how_long_to_wait_is_told_by_the_error_itself() {
        let quota = |id: &str| {
            let body = format!(
                r#"{{"error":{{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[
                {{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{{"quotaId":"{id}"}}]}},
                {{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"38.495166512s"}}]}}}}"#
            );
            read(body.as_bytes()).unwrap().wait
        };
        assert_eq!(quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier"), Some(QUOTA_OF_A_DAY));
        let minute = quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier");
        assert_eq!(minute, Some(Duration::from_nanos(38_495_166_512)));
        assert_eq!(
            read(br#"{"error":{"message":"m","details":[{"retryDelay":"-1s"}]}}"#).unwrap().wait,
            None
        );
    }
}
