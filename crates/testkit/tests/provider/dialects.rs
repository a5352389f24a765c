use pas_testkit::{Provider, Script};
use serde_json::{Value, json};

use crate::client::{CHAT, Client, GENERATE, MESSAGES, RESPONSES, STREAM, body};

const TEXT: &str = "The quick brown fox jumps over the lazy dog. Grüße aus Zürich, 世界 🙂.";

#[tokio::test]
async fn a_stream_says_what_the_whole_answer_does() {
    let provider = Provider::start().unwrap();
    for (path, stream) in [(CHAT, CHAT), (RESPONSES, RESPONSES), (MESSAGES, MESSAGES), (GENERATE, STREAM)] {
        let mut client = Client::open(&provider).await;
        let streamed = client.ask(stream, true).await;
        let whole = client.ask(path, false).await;
        assert_eq!(streamed.texts().concat(), TEXT, "{path}");
        assert!(whole.text().contains(TEXT), "{path}");
        assert!(streamed.header("content-type").unwrap().starts_with("text/event-stream"));
    }
}

#[tokio::test]
async fn usage_comes_at_the_end_of_a_chat_only_when_it_was_asked_for() {
    let provider = Provider::start().unwrap();
    let used = || Script { cache_read_tokens: 7, reasoning_tokens: 3, ..Script::text("a") };
    provider.script(used());
    provider.script(used());
    let mut client = Client::open(&provider).await;
    let without = client.ask(CHAT, true).await;
    assert!(without.events().iter().all(|event| event.get("usage").is_none()));
    let asked = r#"{"model": "m", "stream": true, "stream_options": {"include_usage": true}}"#;
    client.send(CHAT, asked).await;
    let with = client.answer().await.events();
    let (last, others) = with.split_last().unwrap();
    assert_eq!(last["choices"], json!([]));
    let usage = &last["usage"];
    assert_eq!((&usage["prompt_tokens"], &usage["completion_tokens"]), (&json!(27), &json!(10)));
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 7);
    assert!(others.iter().all(|event| event["usage"].is_null() && event.get("usage").is_some()));
}

#[tokio::test]
async fn calls_come_at_once_or_in_pieces_with_the_same_arguments() {
    let provider = Provider::start().unwrap();
    let script = || Script::new().call("weather", r#"{"city":"Zürich"}"#).call("time", "{}");
    for _ in 0..4 {
        provider.script(script());
    }
    let mut client = Client::open(&provider).await;
    let chat = client.ask(CHAT, true).await.events();
    let pieces = chat.iter().filter_map(|event| event["choices"][0]["delta"]["tool_calls"][0].as_object());
    let mut arguments = [String::new(), String::new()];
    for piece in pieces {
        let place = piece["index"].as_u64().unwrap() as usize;
        arguments[place] += piece["function"]["arguments"].as_str().unwrap();
    }
    assert_eq!(arguments, [r#"{"city":"Zürich"}"#, "{}"]);
    assert_eq!(chat.last().unwrap()["choices"][0]["finish_reason"], "tool_calls");
    let messages = client.ask(MESSAGES, true).await.events();
    let json: String = messages
        .iter()
        .filter(|event| event["index"] == 0)
        .filter_map(|event| event["delta"]["partial_json"].as_str())
        .collect();
    assert_eq!(json, r#"{"city":"Zürich"}"#);
    let whole = client.ask(MESSAGES, false).await.json();
    let inputs: Vec<_> = whole["content"].as_array().unwrap().iter().map(|block| &block["input"]).collect();
    assert_eq!(
        (inputs, &whole["stop_reason"]),
        (vec![&json!({"city": "Zürich"}), &json!({})], &json!("tool_use"))
    );
    let gemini = client.ask(GENERATE, false).await.json();
    let parts = gemini["candidates"][0]["content"]["parts"].as_array().unwrap();
    assert_eq!(parts[0]["functionCall"]["args"], json!({"city": "Zürich"}));
}

#[tokio::test]
async fn events_of_messages_and_responses_are_in_the_order_that_is_documented() {
    let provider = Provider::start().unwrap();
    let mut client = Client::open(&provider).await;
    let script = || Script { thinking: Some("so be it".to_owned()), ..Script::text("a b").call("t", "{}") };
    provider.script(script());
    provider.script(script());
    let kinds = |events: &[Value]| {
        let mut kinds: Vec<_> =
            events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect();
        kinds.dedup();
        kinds
    };
    let block = ["content_block_start", "content_block_delta", "content_block_stop"];
    let expected: Vec<_> = ["message_start"]
        .into_iter()
        .chain(block)
        .chain(block)
        .chain(block)
        .chain(["message_delta", "message_stop"])
        .collect();
    assert_eq!(kinds(&client.ask(MESSAGES, true).await.events()), expected);
    let events = client.ask(RESPONSES, true).await.events();
    assert_eq!(
        kinds(&events),
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.reasoning_summary_part.added",
            "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.done",
            "response.reasoning_summary_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    let numbers: Vec<_> = events.iter().map(|event| event["sequence_number"].as_u64().unwrap()).collect();
    assert!(numbers.iter().copied().eq(0..numbers.len() as u64), "{numbers:?}");
}

#[tokio::test]
async fn a_list_of_models_has_the_shape_that_its_headers_ask_for() {
    let provider = Provider::start().unwrap();
    let http = pas_testkit::http();
    let get = async |path: &str, version: Option<&str>| -> Value {
        let mut request = http.get(format!("{}{path}", provider.url()));
        if let Some(version) = version {
            request = request.header("anthropic-version", version);
        }
        request.send().await.unwrap().json().await.unwrap()
    };
    let openai = get("/v1/models", None).await;
    assert_eq!((&openai["object"], &openai["data"][0]["object"]), (&json!("list"), &json!("model")));
    assert_eq!(get("/models/scripted-2", None).await["id"], "scripted-2");
    let anthropic = get("/v1/models", Some("2023-06-01")).await;
    assert_eq!((&anthropic["has_more"], &anthropic["data"][0]["type"]), (&json!(false), &json!("model")));
    assert_eq!(get("/v1beta/models", None).await["models"][0]["name"], "models/scripted-1");
}

#[tokio::test]
async fn an_embedding_comes_as_numbers_or_as_the_same_in_base64() {
    let provider = Provider::start().unwrap();
    let mut client = Client::open(&provider).await;
    client.send("/v1/embeddings", r#"{"model": "m", "input": ["a", "b"], "dimensions": 3}"#).await;
    let numbers = client.answer().await.json();
    assert_eq!(numbers["data"][1]["embedding"], json!([0.015625, 0.03125, 0.046875]));
    client
        .send(
            "/v1/embeddings",
            r#"{"model": "m", "input": "a", "dimensions": 3, "encoding_format": "base64"}"#,
        )
        .await;
    let text = client.answer().await.json();
    assert_eq!(
        (&text["data"][0]["embedding"], text["data"].as_array().unwrap().len()),
        (&json!("AAAAAAAAgDwAAAA9"), 1)
    );
}

#[tokio::test]
async fn what_is_unknown_is_taken_and_what_is_sent_has_something_unknown_in_it() {
    let provider = Provider::start().unwrap();
    for path in [CHAT, RESPONSES, MESSAGES, GENERATE] {
        let answer = Client::open(&provider).await.ask(path, false).await;
        assert!(
            answer.status == 200
                && answer.text().contains(r#""x_extra":{"n" : 1.50, "e":1E2,"u":"\u00fc\/"}"#)
        );
    }
    assert!(provider.requests().iter().all(|one| one.body == body(false).into_bytes()));
}
