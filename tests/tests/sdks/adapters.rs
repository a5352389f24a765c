//! What they read, and what they raise, through the gateway with their provider's adapter behind it is what it is straight.

use pas_adapter::{Config, Environment, Profile};
use pas_adapters::{anthropic, gemini, grok, huggingface, lmstudio, ollama, openai};
use pas_service::{Running, Settings, Sockets};
use pas_testkit::{Manner, NOBODY, Provider};
use tokio_util::sync::CancellationToken;

use crate::door::Door;

/// Errors that are nobody's credential's.
const ERRORS: &[&str] = &[
    "status=400",
    "status=403",
    "status=404",
    "status=409",
    "status=422",
    "status=429",
    "status=500",
    "status=503",
    "status=529",
    "fault=context_too_long",
];

/// A door, and the adapter of its provider.
async fn open(profile: &'static Profile, manner: Manner) -> (Door, Running) {
    let door = Door::open(Provider::in_manner(manner).unwrap()).await;
    let mut service = Config::of(profile);
    (service.base_url, service.router_url) = (door.provider.url(), NOBODY.to_owned());
    service.env_file = door.swarm.data_dir.join(".env");
    service.models = (0..ERRORS.len()).map(|number| format!("scripted-1-{number}")).collect();
    service.models.insert(0, "scripted-1".to_owned());
    let credential = (profile.entry.credentials[0].to_owned(), "sk-of-the-adapter".to_owned());
    let environment = Environment::new([credential], service.env_file.clone());
    let settings = Settings { swarm: door.swarm.clone(), service };
    let (sockets, token) = (Sockets::loopback().unwrap(), CancellationToken::new());
    let adapter = pas_adapter::start(profile, settings, environment, sockets, token).await.unwrap();
    door.knows("scripted-1").await;
    (door, adapter)
}

async fn close((door, adapter): (Door, Running)) {
    adapter.stop().await.unwrap();
    door.close().await;
}

async fn reads_the_same(
    profile: &'static Profile,
    manner: Manner,
    script: &'static str,
    calls: &'static [&'static str],
) {
    let (door, adapter) = open(profile, manner).await;
    door.reads_the_same(script, calls).await;
    let listed = door.says(script, &["models"]).await;
    assert!(listed["models"].to_string().contains("scripted-1"), "{listed:?}");
    close((door, adapter)).await;
}

async fn raises_the_same(
    profile: &'static Profile,
    manner: Manner,
    script: &'static str,
    of_credentials: &'static [&'static [&'static str]],
) {
    // What says that a credential is none keeps everybody from being asked, so that each has a door of its own.
    for errors in [ERRORS].iter().chain(of_credentials) {
        let (door, adapter) = open(profile, manner).await;
        door.raises_the_same(script, errors).await;
        close((door, adapter)).await;
    }
}

/// The answers of a list of models are the gateway's own, which are compared elsewhere.
#[tokio::test]
async fn openais_sdk_reads_the_same_through_the_adapter() {
    let calls = &[
        "chat",
        "chat_bytes",
        "stream",
        "stream_without_usage",
        "tools",
        "tools_stream",
        "refusal",
        "responses",
        "responses_stream",
        "responses_tools_stream",
        "count_tokens",
        "embeddings",
    ];
    reads_the_same(&openai::PROFILE, Manner::OpenAi, "openai_sdk.py", calls).await;
}

/// Those who speak as OpenAI does, each in its own manner.
#[tokio::test]
async fn openais_sdk_reads_the_same_through_the_adapters_of_others() {
    let calls = &["chat", "chat_bytes", "stream", "tools", "tools_stream"];
    for (profile, manner) in [
        (&grok::PROFILE, Manner::Xai),
        (&huggingface::PROFILE, Manner::HuggingFace),
        (&ollama::PROFILE, Manner::Ollama),
        (&lmstudio::PROFILE, Manner::LmStudio),
    ] {
        reads_the_same(profile, manner, "openai_sdk.py", calls).await;
    }
}

#[tokio::test]
async fn anthropics_sdk_reads_the_same_through_the_adapter() {
    let calls = &[
        "message",
        "message_bytes",
        "stream",
        "events",
        "thinking",
        "tools",
        "tools_stream",
        "cached",
        "refusal",
        "count_tokens",
    ];
    reads_the_same(&anthropic::PROFILE, Manner::Anthropic, "anthropic_sdk.py", calls).await;
}

#[tokio::test]
async fn googles_sdk_reads_the_same_through_the_adapter() {
    let calls = &["generate", "stream", "thinking", "tools", "tools_stream", "refusal", "count_tokens"];
    reads_the_same(&gemini::PROFILE, Manner::Gemini, "gemini_sdk.py", calls).await;
}

#[tokio::test]
async fn openais_sdk_raises_the_same_through_the_adapter() {
    let credentials = &[&["status=401"] as &[_], &["fault=unknown_key"], &["fault=quota"]];
    raises_the_same(&openai::PROFILE, Manner::OpenAi, "openai_sdk.py", credentials).await;
}

#[tokio::test]
async fn anthropics_sdk_raises_the_same_through_the_adapter() {
    let credentials = &[&["status=401"] as &[_], &["fault=unknown_key"], &["status=402"]];
    raises_the_same(&anthropic::PROFILE, Manner::Anthropic, "anthropic_sdk.py", credentials).await;
}

#[tokio::test]
async fn googles_sdk_raises_the_same_through_the_adapter() {
    let credentials = &[&["status=401"] as &[_], &["fault=unknown_key"], &["fault=quota"]];
    raises_the_same(&gemini::PROFILE, Manner::Gemini, "gemini_sdk.py", credentials).await;
}
