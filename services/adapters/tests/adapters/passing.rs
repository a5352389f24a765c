use pas_adapters::{anthropic, gemini, grok, huggingface, ollama, openai};
use pas_testkit::{Fault, Manner, Script, until};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Door, chat, message, said};

#[tokio::test]
async fn requests_and_answers_pass_byte_for_byte_and_only_the_credential_is_another() {
    let door = Door::open(&openai::PROFILE, Manner::OpenAi, &["sk-real"], "sk-real").await;
    let body = r#"{ "model":"scripted-1",  "messages":[{"role":"user","content":"ü 🙂"}],"x":1.50 }"#;
    let url = format!("{}/v1/chat/completions?x=1&key=sk-callers", door.adapter.url());
    let request = pas_testkit::http().post(url).body(body).header("content-type", "application/json");
    let request = request.header("authorization", "Bearer sk-callers").header("openai-beta", "x");
    let request = request
        .header("openai-organization", "org-callers")
        .header("cookie", "a=b")
        .header("origin", "http://127.0.0.1:6101");
    let answer = request.send().await.unwrap();
    let headers = answer.headers().clone();
    let text = answer.bytes().await.unwrap();
    let asked = &door.turns()[0];
    assert_eq!(asked.body, body.as_bytes());
    assert_eq!(text, asked.sent);
    assert_eq!((asked.path.as_str(), asked.query.as_str()), ("/v1/chat/completions", "x=1"));
    let sent = |name: &str| asked.header(name);
    assert_eq!((sent("authorization"), sent("openai-beta")), (Some("Bearer sk-real"), Some("x")));
    assert_eq!(["openai-organization", "cookie", "origin", "x-pas-deadline-ms"].map(sent), [None; 4]);
    assert_eq!(headers["openai-version"], "2020-10-01");
    assert!(headers["x-pas-credential"].to_str().unwrap().starts_with('k'));
    door.close().await;
}

#[tokio::test]
async fn each_credential_travels_as_its_provider_wants_it() {
    for (profile, manner, path, body, header, value) in [
        (&anthropic::PROFILE, Manner::Anthropic, "/v1/messages", message(), "x-api-key", "k-1"),
        (
            &gemini::PROFILE,
            Manner::Gemini,
            "/v1beta/models/scripted-1:generateContent",
            json!({"contents": []}),
            "x-goog-api-key",
            "k-1",
        ),
        (&grok::PROFILE, Manner::Xai, "/v1/chat/completions", chat(false), "authorization", "Bearer k-1"),
        (
            &huggingface::PROFILE,
            Manner::HuggingFace,
            "/v1/chat/completions",
            chat(false),
            "authorization",
            "Bearer k-1",
        ),
    ] {
        let door = Door::open(profile, manner, &["k-1"], "k-1").await;
        let answer = door.post(path, &body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        assert_eq!(door.turns()[0].header(header), Some(value));
        door.close().await;
    }
}

#[tokio::test]
async fn a_request_that_names_no_version_of_anthropics_api_gets_one_and_another_keeps_its_own() {
    let door = Door::open(&anthropic::PROFILE, Manner::Anthropic, &[], "k").await;
    door.post("/v1/messages", &message()).send().await.unwrap();
    let newer = door.post("/v1/messages", &message()).header("anthropic-version", "2026-10-21");
    newer.send().await.unwrap();
    let turns = door.turns();
    let versions: Vec<_> = turns.iter().map(|one| one.header("anthropic-version").unwrap()).collect();
    assert_eq!(versions, ["2023-06-01", "2026-10-21"]);
    door.close().await;
}

#[tokio::test]
async fn a_stream_passes_as_it_comes_and_is_counted() {
    let door = Door::open(&openai::PROFILE, Manner::OpenAi, &[], "k").await;
    door.provider.script(Script::paced(5, 20));
    let mut body = chat(true);
    body["stream_options"] = json!({"include_usage": true});
    let mut answer = door.post("/v1/chat/completions", &body).send().await.unwrap();
    let mut pieces = 0;
    let mut text = Vec::new();
    while let Some(piece) = answer.chunk().await.unwrap() {
        pieces += 1;
        text.extend_from_slice(&piece);
    }
    assert!(pieces >= 5, "{pieces}");
    assert_eq!(text, door.turns()[0].sent);
    let metrics = door.metrics().await;
    for wanted in [
        r#"pas_adapter_calls_total{provider="openai",model="scripted-1",outcome="ok"} 1"#,
        r#"pas_adapter_tokens_total{provider="openai",model="scripted-1",kind="input"} 20"#,
        r#"pas_adapter_tokens_total{provider="openai",model="scripted-1",kind="output"} 10"#,
        r#"pas_adapter_first_token_seconds_count{provider="openai",model="scripted-1"} 1"#,
        r#"pas_adapter_limit_remaining{provider="openai",credential="OPENAI_API_KEY#1",kind="requests"} 999"#,
    ] {
        assert!(metrics.contains(wanted), "{wanted} is not in {metrics}");
    }
    door.close().await;
}

#[tokio::test]
async fn what_breaks_off_breaks_off_here_too() {
    let door = Door::open(&openai::PROFILE, Manner::OpenAi, &[], "k").await;
    for (fault, stream) in [(Fault::Close, true), (Fault::Reset, true), (Fault::Close, false)] {
        door.provider.script(Script::fault_after(fault, 2).on("/chat"));
        // What breaks off at once may do so before its head is out.
        let answer = door.post("/v1/chat/completions", &chat(stream)).send().await;
        let read = async { answer?.bytes().await };
        assert!(read.await.is_err(), "{fault:?}");
    }
    until("they are counted", async || {
        let wanted = r#"pas_adapter_calls_total{provider="openai",model="scripted-1",outcome="cut"} 3"#;
        door.metrics().await.contains(wanted).then_some(())
    })
    .await;
    door.close().await;
}

#[tokio::test]
async fn whoever_leaves_takes_his_call_with_him() {
    let door = Door::open(&openai::PROFILE, Manner::OpenAi, &[], "k").await;
    door.provider.script(Script::paced(1_000, 50));
    let mut answer = door.post("/v1/chat/completions", &chat(true)).send().await.unwrap();
    answer.chunk().await.unwrap();
    drop(answer);
    let left = |all: &[pas_testkit::Recorded]| all.iter().any(pas_testkit::Recorded::was_left).then_some(());
    door.provider.when("the provider is left", left).await;
    until("it is counted", async || {
        let wanted = r#"pas_adapter_calls_total{provider="openai",model="scripted-1",outcome="cancelled"} 1"#;
        door.metrics().await.contains(wanted).then_some(())
    })
    .await;
    door.close().await;
}

#[tokio::test]
async fn a_call_ends_at_the_deadline_that_its_caller_gave_it() {
    let door = Door::open(&openai::PROFILE, Manner::OpenAi, &[], "k").await;
    door.provider.script(Script::fault(Fault::Stall).on("/chat"));
    let asked = door.post("/v1/chat/completions", &chat(false)).header("x-pas-deadline-ms", "100");
    let (status, value) = said(asked.send().await.unwrap()).await;
    assert_eq!((status, &value["error"]["code"]), (504, &json!("upstream_timeout")));
    let refused = door.post("/v1/chat/completions", &chat(false)).header("x-pas-deadline-ms", "soon");
    assert_eq!(said(refused.send().await.unwrap()).await.0, 400);
    // In the middle of an answer it is cut.
    door.provider.clear();
    door.provider.script(Script::fault_after(Fault::Stall, 2).on("/chat"));
    let asked = door.post("/v1/chat/completions", &chat(true)).header("x-pas-deadline-ms", "300");
    assert!(asked.send().await.unwrap().bytes().await.is_err());
    door.close().await;
}

#[tokio::test]
async fn a_connection_that_was_closed_while_it_was_kept_costs_no_call() {
    // Each thread keeps connections of its own.
    let alone = |config: &mut pas_adapter::Config| config.threads = 1;
    let provider = crate::support::provider(Manner::OpenAi, &[]);
    let door = Door::before(&openai::PROFILE, provider, "k", alone).await;
    door.chat().await.bytes().await.unwrap();
    door.provider.script(Script::fault(Fault::ClosePooled).on("/chat"));
    assert_eq!(door.chat().await.status().as_u16(), 200);
    assert_eq!(door.turns().len(), 3);
    door.close().await;
}

#[tokio::test]
async fn nothing_but_a_credential_is_ever_tried_twice() {
    let door = Door::open(&openai::PROFILE, Manner::OpenAi, &[], "k-1,k-2").await;
    for script in [Script::status(500), Script::status(503), Script::status(400), Script::fault(Fault::Html)]
    {
        door.provider.forget();
        door.provider.script(script.on("/chat"));
        assert!(!door.chat().await.status().is_success());
        assert_eq!(door.turns().len(), 1);
    }
    door.close().await;
}

#[tokio::test]
async fn tokens_are_counted_and_models_listed_by_the_provider() {
    let door = Door::open(&anthropic::PROFILE, Manner::Anthropic, &[], "k").await;
    let counted = door.post("/v1/messages/count_tokens", &message()).send().await.unwrap();
    assert!(counted.json::<Value>().await.unwrap()["input_tokens"].is_u64());
    let url = format!("{}/v1/models", door.adapter.url());
    let listed: Value = pas_testkit::http().get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(listed["data"][0]["id"], "scripted-1");
    // What costs nothing is no call of a model.
    assert!(!door.metrics().await.contains("pas_adapter_calls_total{"));
    door.close().await;
    let door = Door::open(&gemini::PROFILE, Manner::Gemini, &[], "k").await;
    let counted =
        door.post("/v1/models/scripted-1:countTokens", &json!({"contents": []})).send().await.unwrap();
    assert!(counted.json::<Value>().await.unwrap()["totalTokens"].is_u64());
    door.close().await;
}

#[tokio::test]
async fn ollamas_own_dialect_passes_and_asks_not_to_be_cut() {
    let door =
        Door::before(&ollama::PROFILE, crate::support::provider(Manner::Ollama, &[]), "", |_| {}).await;
    let body = json!({"model": "scripted-1", "messages": [{"role": "user", "content": "hello"}]});
    let text = door.post("/api/chat", &body).send().await.unwrap().text().await.unwrap();
    assert!(text.lines().last().unwrap().contains(r#""done":true"#), "{text}");
    assert_eq!(door.turns()[0].json()["truncate"], false);
    let own = json!({"model": "scripted-1", "truncate": true, "messages": body["messages"]});
    door.post("/api/chat", &own).send().await.unwrap().text().await.unwrap();
    assert_eq!(door.turns()[1].json()["truncate"], true);
    let metrics = door.metrics().await;
    assert!(
        metrics.contains(r#"tokens_total{provider="ollama",model="scripted-1",kind="output"} 20"#),
        "{metrics}"
    );
    door.close().await;
}

#[tokio::test]
async fn more_calls_than_there_is_room_for_are_refused_and_the_next_is_served() {
    let provider = crate::support::provider(Manner::OpenAi, &[]);
    let few = |config: &mut pas_adapter::Config| (config.calls, config.queue) = (1, 1);
    let door = Door::before(&openai::PROFILE, provider, "k", few).await;
    door.provider.script(Script { head_ms: 60_000, ..Script::new() });
    let mut calls = JoinSet::new();
    calls.spawn(door.post("/v1/chat/completions", &chat(false)).send());
    door.provider.when("the first is on its way", |all| (!all.is_empty()).then_some(())).await;
    for _ in 0..8 {
        calls.spawn(door.post("/v1/chat/completions", &chat(false)).send());
    }
    // One waits.
    for _ in 0..7 {
        let (status, value) = said(calls.join_next().await.unwrap().unwrap().unwrap()).await;
        assert_eq!((status, &value["error"]["code"]), (429, &json!("rate_limited")));
    }
    calls.shutdown().await;
    until("the next is served", async || (door.chat().await.status().as_u16() == 200).then_some(())).await;
    door.close().await;
}

#[tokio::test]
async fn geminis_stream_without_events_is_counted_as_well() {
    let door = Door::open(&gemini::PROFILE, Manner::Gemini, &[], "k").await;
    let asked = door.post("/v1beta/models/scripted-1:streamGenerateContent", &json!({"contents": []}));
    let text = asked.send().await.unwrap().text().await.unwrap();
    assert!(text.starts_with('['), "{text}");
    let metrics = door.metrics().await;
    for wanted in [
        r#"pas_adapter_calls_total{provider="gemini",model="scripted-1",outcome="ok"} 1"#,
        r#"pas_adapter_tokens_total{provider="gemini",model="scripted-1",kind="output"} 10"#,
    ] {
        assert!(metrics.contains(wanted), "{wanted} is not in {metrics}");
    }
    door.close().await;
}
