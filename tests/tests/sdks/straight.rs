//! What the provider says is what they read.

use std::collections::BTreeMap;

use pas_testkit::{Provider, Recorded};
use pas_tests::python;
use serde_json::{Value, json};

const TEXT: &str = "The quick brown fox jumps over the lazy dog. Grüße aus Zürich, 世界 🙂.";
const ARGUMENTS: &str = r#"{"city":"Zürich","unit":"celsius","days":[1,2]}"#;

/// What a script's calls tell, and what they sent.
async fn straight(script: &'static str) -> (BTreeMap<String, Value>, Vec<Recorded>) {
    let provider = Provider::start().unwrap();
    let url = provider.url();
    let said = tokio::task::spawn_blocking(move || python::said(script, &url, &[])).await;
    (said.unwrap().unwrap(), provider.requests())
}

/// The names of the errors that statuses end in.
fn named(errors: &[(&str, u16)], without_status: &[&str]) -> serde_json::Map<String, Value> {
    let named = errors.iter().map(|(name, status)| (format!("status={status}"), json!([name, status])));
    let others =
        without_status.iter().map(|script| ((*script).to_owned(), json!(["APIConnectionError", null])));
    named.chain(others).collect()
}

/// Compares whole, call by call, for the sake of a message that can be read.
fn compare(said: &BTreeMap<String, Value>, expected: Value) {
    let expected: BTreeMap<String, Value> = serde_json::from_value(expected).unwrap();
    for (call, said) in said {
        assert_eq!(Some(said), expected.get(call), "{call}");
    }
    assert_eq!(said.len(), expected.len());
}

/// The body of the answer to the first request whose answer is not a stream.
fn body(requests: &[Recorded]) -> String {
    let whole = requests.iter().find(|one| one.sent.starts_with(b"{")).unwrap();
    String::from_utf8(whole.sent.clone()).unwrap()
}

#[tokio::test]
async fn openais_sdk_reads_what_the_provider_says() {
    let (said, requests) = straight("openai_sdk.py").await;
    let extra = json!({"n": 1.5, "e": 100.0, "u": "ü/"});
    let pieces: Vec<_> = TEXT.split_inclusive(' ').collect();
    let calls = json!([["call_scripted0", "weather", ARGUMENTS], ["call_scripted1", "forecast", ARGUMENTS]]);
    let mut errors = named(
        &[
            ("BadRequestError", 400),
            ("AuthenticationError", 401),
            ("PermissionDeniedError", 403),
            ("NotFoundError", 404),
            ("ConflictError", 409),
            ("UnprocessableEntityError", 422),
            ("RateLimitError", 429),
            ("InternalServerError", 500),
            ("InternalServerError", 502),
            ("InternalServerError", 503),
            ("InternalServerError", 529),
        ],
        &["fault=reset", "fault=close", "fault=close,after=1"],
    );
    errors.insert("fault=context_too_long".to_owned(), json!(["BadRequestError", 400]));
    compare(
        &said,
        json!({
            "chat": {"text": TEXT, "finish": "stop", "usage": [20, 10], "extra": extra},
            "chat_bytes": body(&requests),
            "stream": {"pieces": pieces, "finish": "stop", "usage": [[20, 10]], "extra": extra},
            "stream_without_usage": {"usage": []},
            "stream_async": TEXT,
            "tools": {"calls": calls, "text": null, "finish": "tool_calls"},
            "tools_stream": {"calls": calls, "finish": "tool_calls"},
            "refusal": ["content_filter", null],
            "responses": {"text": TEXT, "status": "completed", "usage": [20, 10], "extra": extra},
            "responses_stream": {"text": TEXT, "reasoning": ["let me see what there is"], "status": "completed",
                "pieces": 14, "first": "response.created", "last": "response.completed"},
            "responses_tools_stream": calls,
            "count_tokens": 6,
            "embeddings": {
                "vectors": [[0.0, 0.015625, 0.03125, 0.046875], [0.015625, 0.03125, 0.046875, 0.0625]], "usage": 8},
            "models": ["scripted-1", "scripted-2"],
            "errors": errors,
            "stream_errors": {"fault=error,after=2": ["APIError", null],
                "fault=close,after=2": ["APIConnectionError", null]},
        }),
    );
    assert_eq!(requests[0].json()["x_unknown"], json!({"kept": 1.5}));
}

#[tokio::test]
async fn anthropics_sdk_reads_what_the_provider_says() {
    let (said, requests) = straight("anthropic_sdk.py").await;
    let text = json!([{"type": "text", "text": TEXT}]);
    let input: Value = serde_json::from_str(ARGUMENTS).unwrap();
    let uses = json!([
        {"type": "tool_use", "id": "toolu_scripted0", "name": "weather", "input": input},
        {"type": "tool_use", "id": "toolu_scripted1", "name": "forecast", "input": input},
    ]);
    let thought = json!({"type": "thinking", "thinking": "let me see what there is",
        "signature": "EqQBCgIYAhIkc2NyaXB0ZWQgc2lnbmF0dXJl"});
    let mut errors = named(
        &[
            ("BadRequestError", 400),
            ("AuthenticationError", 401),
            ("PaymentRequiredError", 402),
            ("PermissionDeniedError", 403),
            ("NotFoundError", 404),
            ("ConflictError", 409),
            ("UnprocessableEntityError", 422),
            ("RateLimitError", 429),
            ("InternalServerError", 500),
            ("ServiceUnavailableError", 503),
            ("OverloadedError", 529),
        ],
        &["fault=reset", "fault=close", "fault=close,after=1"],
    );
    errors.insert("fault=context_too_long".to_owned(), json!(["BadRequestError", 400]));
    let told = |blocks: &Value, stop: &str| json!({"blocks": blocks, "stop": stop, "usage": [20, 10]});
    compare(
        &said,
        json!({
            "message": {"blocks": text, "stop": "end_turn", "usage": [20, 10],
                "extra": {"n": 1.5, "e": 100.0, "u": "ü/"}},
            "message_bytes": body(&requests),
            "stream": {"blocks": text, "stop": "end_turn", "usage": [20, 10], "pieces": 14},
            // Pings are none of a client's business.
            "events": ["message_start", "content_block_start", "content_block_delta", "content_block_delta",
                "content_block_stop", "message_delta", "message_stop"],
            "thinking": told(&json!([thought, {"type": "text", "text": "done"}]), "end_turn"),
            "tools": told(&uses, "tool_use"),
            "tools_stream": told(&uses, "tool_use"),
            "cached": [7, 5],
            "refusal": ["refusal", "refusal", []],
            "count_tokens": 6,
            "models": [["scripted-1", "scripted-1"], ["scripted-2", "scripted-2"]],
            "errors": errors,
            // In a stream that has begun, the SDK goes by the status of the head.
            "stream_errors": {"fault=error,status=529,after=2": ["APIStatusError", 200]},
        }),
    );
    assert_eq!(requests[0].json()["x_unknown"], json!({"kept": 1.5}));
}

#[tokio::test]
async fn googles_sdk_reads_what_the_provider_says() {
    let (said, _) = straight("gemini_sdk.py").await;
    let input: Value = serde_json::from_str(ARGUMENTS).unwrap();
    let calls = json!([["scripted0", "weather", input], ["scripted1", "forecast", input]]);
    let client = [400, 401, 403, 404, 429].map(|status| ("ClientError", status));
    let server = [500, 503].map(|status| ("ServerError", status));
    let mut errors = named(&[client.as_slice(), &server].concat(), &[]);
    errors.insert("fault=context_too_long".to_owned(), json!(["ClientError", 400]));
    compare(
        &said,
        json!({
            "generate": {"text": TEXT, "finish": "STOP", "usage": [20, 10, 30], "model": "scripted-1"},
            "stream": {"text": TEXT, "finish": "STOP", "usage": [20, 10, 30], "model": "scripted-1", "pieces": 15},
            "thinking": [[["let me see", true], ["done", false]], 4],
            "tools": calls,
            "tools_stream": calls,
            "refusal": ["SAFETY", null],
            "count_tokens": 6,
            "models": [["models/scripted-1", 1_048_576], ["models/scripted-2", 1_048_576]],
            "errors": errors,
            "stream_errors": {"fault=error,status=503,after=2": ["ServerError", 503]},
        }),
    );
}
