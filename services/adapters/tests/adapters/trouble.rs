use pas_adapters::{anthropic, huggingface, ollama, openai};
use pas_testkit::{Fault, Manner, NOBODY, Provider, Script, http};
use serde_json::json;

use crate::support::{Door, adapter, chat, is, message, said};

#[tokio::test]
async fn a_provider_that_is_away_is_told_and_is_back_by_itself() {
    let door = Door::open(&openai::PROFILE, Manner::OpenAi, &["k"], "k").await;
    door.provider.refuse().await;
    let (status, value) = said(door.chat().await).await;
    assert_eq!((status, &value["error"]["code"]), (502, &json!("upstream_error")));
    let wanted = format!("{} can't be reached: Connection refused (os error 111)", door.provider.url());
    assert_eq!(value["error"]["message"], wanted);
    assert_eq!(door.is("provider", "degraded").await, wanted);
    door.provider.accept().await;
    door.is("provider", "ok").await;
    assert!(door.chat().await.status().is_success());
    door.close().await;
}

#[tokio::test]
async fn an_upstream_that_speaks_another_api_is_told_apart() {
    let data = tempfile::tempdir().unwrap();
    // A web server, and another provider.
    let (web, other) = (Provider::start().unwrap(), Provider::in_manner(Manner::Gemini).unwrap());
    web.script(Script::fault(Fault::Html).forever());
    for (url, shown) in [(web.url(), "<!DOCTYPE html>"), (format!("{}/v1beta", other.url()), "")] {
        let adapter = adapter(&anthropic::PROFILE, &url, data.path(), NOBODY, "k", |_| {}).await;
        let why = is(&adapter, "provider", "degraded").await;
        assert!(why.contains("does not speak Anthropic's API: it answers GET /v1/models with"), "{why}");
        assert!(why.contains(shown) && why.ends_with("is PAS_ANTHROPIC_BASE_URL right?"), "{why}");
        adapter.stop().await.unwrap();
    }
    let adapter = adapter(&anthropic::PROFILE, &web.url(), data.path(), NOBODY, "k", |_| {}).await;
    let url = format!("{}/v1/messages", adapter.url());
    let (status, value) = said(http().post(url).json(&message()).send().await.unwrap()).await;
    assert_eq!((status, &value["type"]), (502, &json!("error")));
    let told = value["error"]["message"].as_str().unwrap();
    assert!(told.contains("does not speak Anthropic's API: it answers POST /v1/messages with 200"), "{told}");
    adapter.stop().await.unwrap();
}

#[tokio::test]
async fn a_path_that_the_provider_does_not_have_is_told_with_where_that_was() {
    let door = Door::open(&openai::PROFILE, Manner::OpenAi, &[], "k").await;
    door.provider.script(Script { status: Some(404), ..Script::fault(Fault::Html) }.on("/chat"));
    let (status, value) = said(door.chat().await).await;
    let told = value["error"]["message"].as_str().unwrap();
    assert!(status == 404 && told.contains("is PAS_OPENAI_BASE_URL right?"), "{status} {told}");
    door.close().await;
}

#[tokio::test]
async fn an_unknown_model_is_the_callers_own_fault_in_each_shape() {
    let door = Door::open(&huggingface::PROFILE, Manner::HuggingFace, &[], "k").await;
    door.provider.script(Script::fault(Fault::UnknownModel));
    let (status, value) = said(door.chat().await).await;
    assert_eq!((status, &value["error"]["code"]), (404, &json!("model_not_supported")));
    door.close().await;
    let door = Door::open(&openai::PROFILE, Manner::OpenAi, &[], "k").await;
    door.provider.script(Script::fault(Fault::UnknownModel));
    let (status, value) = said(door.chat().await).await;
    assert_eq!((status, &value["error"]["code"]), (404, &json!("model_not_found")));
    door.is("credential", "ok").await;
    door.close().await;
}

#[tokio::test]
async fn errors_that_are_texts_have_the_dialects_shape() {
    let provider = crate::support::provider(Manner::Ollama, &[]);
    let door = Door::before(&ollama::PROFILE, provider, "", |_| {}).await;
    door.provider
        .script(Script { error: Some(json!({"error": "model failed to load"})), ..Script::status(500) });
    let (status, value) = said(door.chat().await).await;
    let error =
        json!({"message": "model failed to load", "type": "server_error", "param": null, "code": null});
    assert_eq!((status, value), (500, json!({ "error": error })));
    // In its own dialect it is a text, whoever says it.
    door.provider.refuse().await;
    let body = json!({"model": "scripted-1", "messages": []});
    let (status, value) = said(door.post("/api/chat", &body).send().await.unwrap()).await;
    assert!(status == 502 && value["error"].is_string(), "{value}");
    door.close().await;
}

#[tokio::test]
async fn bad_input_is_answered_with_what_is_wrong_and_the_next_call_is_served() {
    let door = Door::open(&openai::PROFILE, Manner::OpenAi, &[], "k").await;
    let send = async |body: Vec<u8>| {
        let url = format!("{}/v1/chat/completions", door.adapter.url());
        let asked = http().post(url).header("content-type", "application/json").body(body);
        said(asked.send().await.unwrap()).await.0
    };
    let deep = [b"{\"a\":".repeat(10_000), b"1".to_vec(), b"}".repeat(10_000)].concat();
    assert_eq!(send(b"{\"model\":".to_vec()).await, 400);
    assert_eq!(send(deep).await, 400);
    assert_eq!(send(b"[]".to_vec()).await, 400);
    assert_eq!(send(vec![b' '; 34 * 1024 * 1024]).await, 413);
    assert_eq!(send(chat(false).to_string().into_bytes()).await, 200);
    assert_eq!(door.turns().len(), 1);
    door.close().await;
}
