use pas_testkit::provider::{Offer, Options};
use pas_testkit::{Fault, Manner, Provider, Script};
use serde_json::{Value, json};

use crate::client::{Answer, CHAT, Client, End, OLLAMA};

const TEXT: &str = "The quick brown fox jumps over the lazy dog. Grüße aus Zürich, 世界 🙂.";

fn provider() -> Provider {
    Provider::in_manner(Manner::Ollama).unwrap()
}

async fn asked(provider: &Provider, fields: Value) -> Answer {
    asked_at(provider, OLLAMA, fields).await
}

async fn asked_at(provider: &Provider, path: &str, fields: Value) -> Answer {
    let mut body = json!({"model": "scripted-1", "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let mut client = Client::open(provider).await;
    client.send(path, &body.to_string()).await;
    client.answer().await
}

/// What is said in each line.
fn texts(lines: &[Value]) -> Vec<&str> {
    let texts = lines.iter().filter_map(|line| line["message"]["content"].as_str());
    texts.filter(|text| !text.is_empty()).collect()
}

fn without_extra(mut line: Value) -> Value {
    line.as_object_mut().unwrap().remove("x_extra").unwrap();
    line
}

#[tokio::test]
async fn a_chat_comes_line_by_line_unless_it_is_wanted_whole() {
    let provider = provider();
    let used = || Script {
        thinking: Some("let me".to_owned()),
        input_tokens: 11,
        output_tokens: 18,
        ..Script::text("a b").call("weather", r#"{"city":"Zürich"}"#)
    };
    let (model, created) = ("scripted-1", "2026-10-26T17:14:07.414671Z");
    let calls = json!([{"id": "call_scripted0",
        "function": {"index": 0, "name": "weather", "arguments": {"city": "Zürich"}}}]);
    let line =
        |message: Value| json!({"model": model, "created_at": created, "message": message, "done": false});
    let last = |message: Value| {
        json!({"model": model, "created_at": created, "message": message, "done": true, "done_reason": "stop",
            "total_duration": 174_560_334, "load_duration": 101_397_084, "prompt_eval_count": 11,
            "prompt_eval_duration": 13_074_791, "eval_count": 18, "eval_duration": 52_479_709})
    };
    provider.script(used());
    let streamed = asked(&provider, json!({})).await;
    assert_eq!((streamed.header("content-type"), streamed.end), (Some("application/x-ndjson"), End::Whole));
    assert_eq!(
        streamed.lines().into_iter().map(without_extra).collect::<Vec<_>>(),
        [
            line(json!({"role": "assistant", "content": "", "thinking": "let me"})),
            line(json!({"role": "assistant", "content": "a "})),
            line(json!({"role": "assistant", "content": "b"})),
            line(json!({"role": "assistant", "content": "", "tool_calls": calls})),
            last(json!({"role": "assistant", "content": ""})),
        ]
    );
    provider.script(used());
    let whole = asked(&provider, json!({"stream": false})).await;
    assert_eq!(whole.header("content-type"), Some("application/json"));
    let message = json!({"role": "assistant", "content": "a b", "thinking": "let me", "tool_calls": calls});
    assert_eq!(without_extra(whole.json()), last(message));
}

#[tokio::test]
async fn a_chat_tells_why_it_ended_and_nothing_of_what_it_took_when_that_is_kept_from_it() {
    let provider = provider();
    provider.script(Script::parse("stop=length,no_usage").unwrap());
    let last = asked(&provider, json!({})).await.lines().pop().unwrap();
    assert_eq!((&last["done_reason"], last.get("prompt_eval_count")), (&json!("length"), None));
    provider.script(Script { tools: 1, ..Script::new() });
    let tools = json!([{"type": "function", "function": {"name": "time"}}]);
    let lines = asked(&provider, json!({ "tools": tools })).await.lines();
    assert_eq!(lines[0]["message"]["tool_calls"][0]["function"]["name"], "time");
    assert_eq!(lines[1]["done_reason"], "stop");
}

#[tokio::test]
async fn a_chat_can_break_in_every_way_that_the_other_dialects_can() {
    let provider = provider();
    let streamed = async |script: Script| {
        provider.script(script);
        asked(&provider, json!({})).await
    };
    for (fault, end) in [(Fault::Close, End::Closed), (Fault::Reset, End::Reset), (Fault::End, End::Whole)] {
        for after in [0, 3] {
            let answer = streamed(Script::fault_after(fault, after)).await;
            let lines = answer.lines();
            assert_eq!((answer.status, answer.end, lines.len()), (200, end, after), "{fault:?}");
            assert_eq!(texts(&lines).len(), after, "{fault:?}");
        }
    }
    let short = streamed(Script::fault(Fault::End)).await;
    assert_eq!(texts(&short.lines()).concat(), TEXT);
    assert!(short.end == End::Whole && short.lines().iter().all(|line| line["done"] == false));
    let error = streamed(Script::fault_after(Fault::Error, 2)).await.lines();
    assert_eq!((error.len(), &error[2]), (3, &json!({"error": "llama runner process has terminated"})));
    let garbage = streamed(Script::fault_after(Fault::Garbage, 2)).await;
    assert_eq!(texts(&garbage.lines()).concat(), TEXT);
    assert_eq!(garbage.text().lines().count(), garbage.lines().len() + 1);
    let empty = streamed(Script::fault(Fault::Empty)).await.lines();
    assert_eq!((empty.len(), &empty[0]["done"]), (1, &json!(true)));
    let invalid = streamed(Script::fault(Fault::InvalidUtf8)).await;
    assert!(std::str::from_utf8(&invalid.body).is_err());
    let pinged = streamed(Script { pings: 3, split_bytes: Some(7), ..Script::new() }).await;
    assert_eq!(texts(&pinged.lines()).concat(), TEXT);
    let refused = streamed(Script::status(503)).await;
    assert_eq!((refused.status, refused.header("content-type")), (503, Some("application/json")));
}

#[tokio::test]
async fn a_chat_is_known_to_nobody_but_ollama() {
    for manner in [Manner::Plain, Manner::OpenAi, Manner::LlamaCpp] {
        let provider = Provider::in_manner(manner).unwrap();
        assert_eq!(asked(&provider, json!({})).await.status, 404, "{manner:?}");
    }
}

#[tokio::test]
async fn what_does_not_fit_in_is_cut_in_silence_unless_that_is_forbidden() {
    let models = vec![Offer::new("scripted-1").context(100)];
    let provider = Provider::with(Options { manner: Manner::Ollama, models, ..Options::default() }).unwrap();
    let messages = |words: usize| json!([{"role": "user", "content": "word ".repeat(words)}]);
    let parts = json!([{"role": "user", "content": [{"type": "text", "text": "word ".repeat(101)}]}]);
    let read = async |fields: Value| {
        asked(&provider, fields).await.lines().pop().unwrap()["prompt_eval_count"].clone()
    };
    assert_eq!(read(json!({"messages": messages(100), "truncate": false})).await, 20);
    assert_eq!(read(json!({"messages": messages(101)})).await, 50);
    assert_eq!(read(json!({"messages": messages(101), "truncate": true})).await, 50);
    assert_eq!(
        read(json!({"messages": messages(101), "truncate": false, "options": {"num_ctx": 200}})).await,
        20
    );
    let refused = asked(&provider, json!({"messages": messages(101), "truncate": false})).await;
    let runner = "{\"error\":{\"code\":400,\"message\":\"request (101 tokens) exceeds the available context size (100 \
                  tokens), try increasing it\",\"type\":\"exceed_context_size_error\",\"n_prompt_tokens\":101,\
                  \"n_ctx\":100}}";
    assert_eq!((refused.status, refused.json()), (400, json!({ "error": runner })));
    for messages in [messages(101), parts] {
        let fields = json!({"messages": messages, "truncate": false, "options": {"num_ctx": 200}});
        let chat = asked_at(&provider, CHAT, fields).await;
        assert_eq!((chat.status, &chat.json()["usage"]["prompt_tokens"]), (200, &json!(50)));
    }
}
