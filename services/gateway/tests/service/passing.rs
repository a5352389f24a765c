use pas_gateway::{Config, receipts};
use pas_testkit::provider::Fault;
use pas_testkit::{Provider, Script, until};
use serde_json::{Value, json};

use tokio::task::JoinSet;

use crate::faults::Two;
use crate::support::{World, chat, message, run_id};

#[tokio::test]
async fn what_is_asked_and_answered_in_one_dialect_passes_byte_for_byte() {
    let (world, provider) = (World::start().await, Provider::start().unwrap());
    world.register("scripted", &provider).await;
    let gemini = json!({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]});
    for (path, body) in [
        ("/v1/chat/completions", chat(false)),
        ("/v1/chat/completions", chat(true)),
        ("/chat/completions", chat(false)),
        ("/v1/responses", json!({"model": "scripted-1", "input": "hello"})),
        ("/v1/responses", json!({"model": "scripted-1", "input": "hello", "stream": true})),
        ("/v1/responses/input_tokens", json!({"model": "scripted-1", "input": "hello"})),
        ("/v1/embeddings", json!({"model": "scripted-1", "input": "hello"})),
        ("/v1/messages", message(false)),
        ("/v1/messages", message(true)),
        ("/v1/messages/count_tokens", message(false)),
        ("/v1beta/models/scripted-1:generateContent", gemini.clone()),
        ("/v1beta/models/scripted-1:streamGenerateContent?alt=sse", gemini.clone()),
        ("/v1beta/models/scripted-1:streamGenerateContent", gemini.clone()),
        ("/v1beta/models/scripted-1:countTokens", gemini),
    ] {
        provider.forget();
        let sent = body.to_string();
        let answer = world
            .post(path)
            .header("content-type", "application/json")
            .body(sent.clone())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "{path}: {}", answer.text().await.unwrap());
        let receipt_of = answer.headers()["x-pas-run-id"].to_str().unwrap().to_owned();
        let answered = answer.bytes().await.unwrap();
        let receipt = world.get(&format!("/receipts/{receipt_of}")).await;
        assert_eq!(
            (&receipt["status"], &receipt["attempts"][0]["outcome"]),
            (&json!("ok"), &json!("ok")),
            "{path}"
        );
        // To count is no work of a model, and costs nothing.
        let is_count =
            ["/count_tokens", "/input_tokens", ":countTokens"].iter().any(|end| path.ends_with(end));
        assert_eq!(receipt["attempts"][0]["usage"].is_null(), is_count, "{path}: {receipt}");
        let seen = provider.ended(1).await;
        let seen = &seen[0];
        let is_stream_chat = path.ends_with("completions") && body["stream"] == true;
        if is_stream_chat {
            // Usage is asked for on the caller's behalf, who is not shown it.
            let asked: Value = serde_json::from_slice(&seen.body).unwrap();
            assert_eq!(asked["stream_options"], json!({"include_usage": true}));
            assert!(!String::from_utf8_lossy(&answered).contains("\"total_tokens\""));
        } else {
            assert_eq!(String::from_utf8_lossy(&seen.body), sent, "{path}");
        }
        let is_list = path.ends_with(":streamGenerateContent");
        if is_list {
            let list: Vec<Value> = serde_json::from_slice(&answered).unwrap();
            assert!(list.len() > 2, "{list:?}");
        } else if !is_stream_chat {
            assert_eq!(String::from_utf8_lossy(&answered), String::from_utf8_lossy(&seen.sent), "{path}");
        }
        if !is_count && !path.contains("embed") {
            let usage = &receipt["usage"];
            assert_eq!(
                (&usage["input"], &usage["output"], &usage["source"]),
                (&json!(20), &json!(10), &json!("provider")),
                "{path}: {receipt}"
            );
        }
    }
    world.stop().await;
}

#[tokio::test]
async fn no_credential_of_the_caller_goes_on_and_what_is_between_the_ends_does() {
    let (world, provider) = (World::start().await, Provider::start().unwrap());
    world.register("scripted", &provider).await;
    let asked = world
        .post("/v1/messages")
        .header("x-api-key", "sk-marked")
        .header("authorization", "Bearer sk-marked");
    let asked = asked
        .header("anthropic-beta", "some-beta")
        .header("anthropic-version", "2023-06-01")
        .json(&message(false));
    let answer = asked.send().await.unwrap();
    let receipt = world.receipt(&answer).await.to_string();
    assert!(!receipt.contains("sk-marked"));
    let seen = provider.ended(1).await;
    let headers = format!("{:?}", seen[0].headers);
    assert!(!headers.contains("sk-marked") && headers.contains("some-beta"), "{headers}");
    assert_eq!(seen[0].header("x-pas-hops"), Some("1"));
    assert!(seen[0].header("x-pas-deadline-ms").is_some() && seen[0].header("traceparent").is_some());
    world.stop().await;
}

#[tokio::test]
async fn a_call_in_the_words_of_pas_is_answered_with_its_receipt_and_the_text() {
    let (world, provider) = (World::start().await, Provider::start().unwrap());
    world.register("scripted", &provider).await;
    provider.script(Script::text("hi there"));
    let answer = world.post("/invoke").json(&json!({
        "target": {"type": "model", "require_caps": ["plan"]}, "payload": {"text": "hello"},
        "policy": {"prefer": "local", "timeout_s": 30}, "agent": "Architect", "agent_run_id": "R-001",
    }));
    let answer: Value = answer.send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (&answer["status"], &answer["output"]["text"]),
        (&json!("ok"), &json!("hi there")),
        "{answer}"
    );
    assert_eq!(answer["resolved"]["name"], "scripted");
    let receipt = world.get(&format!("/receipts/{}", answer["run_id"].as_str().unwrap())).await;
    assert_eq!((&receipt["agent"], &receipt["agent_run_id"]), (&json!("Architect"), &json!("R-001")));
    assert_eq!(receipt["dialect"], json!({"in": "pas", "out": "openai.chat"}));
    world.stop().await;
}

#[tokio::test]
async fn a_tool_gets_its_payload_as_it_is() {
    let (world, provider) = (World::start().await, Provider::start().unwrap());
    world
        .register_as(json!({"name": "echo", "type": "tool", "role": "production", "url": provider.url(), "caps": ["execute"]}))
        .await;
    let payload = json!({"path": "/tmp", "depth": 3});
    let answer =
        world.post("/invoke").json(&json!({"target": {"type": "tool", "name": "echo"}, "payload": payload}));
    let answer: Value = answer.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["output"]["echo"], payload, "{answer}");
    assert_eq!(provider.requests()[0].path, "/invoke");
    world.stop().await;
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let (world, provider) = (World::start().await, Provider::start().unwrap());
    world.register("scripted", &provider).await;
    let asked = json!({"target": {"type": "model"}, "payload": {"prompt": "hello"}});
    let receipt: Value =
        world.post("/invoke?dry_run=true").json(&asked).send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (&receipt["resolved"]["name"], receipt["attempts"].is_null()),
        (&json!("scripted"), true),
        "{receipt}"
    );
    assert!(provider.requests().is_empty());
    let unknown = world.get(&format!("/receipts/{}", receipt["run_id"].as_str().unwrap())).await;
    assert_eq!(unknown["error"]["code"], "not_found");
    world.stop().await;
}

/// Whether the journal has it that a call has begun.
fn is_recorded(world: &World, run_id: &str) -> bool {
    let segments = pas_journal::segment_files(&world.data.path().join("costs/journal")).unwrap();
    let open = format!("{{\"open\":{{\"run_id\":\"{run_id}\"");
    segments.iter().any(|path| std::fs::read_to_string(path).unwrap().contains(&open))
}

#[tokio::test]
async fn the_journal_knows_of_a_call_that_goes_on_whether_anything_has_come_of_it_or_not() {
    let (world, provider) = (World::start().await, Provider::start().unwrap());
    world.register("scripted", &provider).await;
    // Its first piece is here before the call is long, and the client has it.
    provider.script(Script::fault_after(Fault::Stall, 3));
    let streams = world.post("/v1/chat/completions").json(&chat(true)).send().await.unwrap();
    let id = run_id(&streams);
    until("the stream is recorded", async || is_recorded(&world, &id).then_some(())).await;
    drop(streams);

    provider.script(Script { head_ms: 60_000, ..Script::default() });
    let mut waits = JoinSet::new();
    waits.spawn(world.post("/v1/chat/completions").json(&chat(false)).send());
    let listed = until("it is under way", async || {
        let all = world.get("/inflight").await;
        all["inflight"][0]["run_id"].as_str().filter(|listed| *listed != id).map(str::to_owned)
    });
    let id = listed.await;
    until("the call is recorded", async || is_recorded(&world, &id).then_some(())).await;
    waits.shutdown().await;
    world.stop().await;
}

#[tokio::test]
async fn the_journal_knows_of_every_call_at_once_or_of_none_that_is_over_soon_as_it_is_set() {
    for (open_after_ms, known) in [(0, true), (1_000, false)] {
        let receipts = receipts::Config { open_after_ms, ..receipts::Config::default() };
        let world = World::with(Config { receipts, ..Config::default() }).await;
        let provider = Provider::start().unwrap();
        world.register("scripted", &provider).await;
        let answer = world.post("/v1/chat/completions").json(&chat(false)).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), is_recorded(&world, &run_id(&answer))), (200, known));
        world.stop().await;
    }
}

#[tokio::test]
async fn what_can_be_asked_for_is_listed_in_the_shape_of_whose_sdk_asks() {
    let (world, provider) = (World::start().await, Provider::start().unwrap());
    world.register("scripted", &provider).await;
    let list = async |path: &str, header: (&'static str, &'static str)| {
        let asked =
            pas_testkit::http().get(format!("{}{path}", world.gateway.url())).header(header.0, header.1);
        asked.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let openai = list("/v1/models", ("authorization", "Bearer x")).await;
    assert_eq!((&openai["object"], &openai["data"][0]["id"]), (&json!("list"), &json!("scripted-1")));
    let anthropic = list("/v1/models", ("anthropic-version", "2023-06-01")).await;
    assert_eq!((&anthropic["has_more"], &anthropic["data"][0]["type"]), (&json!(false), &json!("model")));
    for (path, header) in [("/v1/models", ("x-goog-api-key", "x")), ("/v1beta/models", ("accept", "*/*"))] {
        assert_eq!(list(path, header).await["models"][0]["name"], "models/scripted-1", "{path}");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_dry_run_is_refused_where_there_is_none_rather_than_carried_out() {
    let two = Two::start().await;
    for path in ["/v1/chat/completions?dry_run=true", "/v1/chat/completions?x=1&dry_run"] {
        let answer = two.world.post(path).json(&chat(false)).send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        assert!(status == 400 && text.contains("POST /invoke?dry_run=true"), "{status} {text}");
    }
    assert!(two.first.requests().is_empty() && two.second.requests().is_empty());
    two.world.stop().await;
}
