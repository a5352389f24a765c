//! The official SDKs, pointed at the gateway, with the adapter of their provider behind it: what they read is what they read
//! straight from the provider, and what they raise too.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use pas_adapter::{Config, Environment, Profile};
use pas_adapters::{anthropic, gemini, grok, huggingface, lmstudio, ollama, openai};
use pas_service::{Running, Settings, Sockets, Swarm};
use pas_testkit::{Manner, NOBODY, Provider, http, until};
use pas_tests::python;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Errors that are nobody's credential's.
const ERRORS: [&str; 10] = [
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

/// A registry, a gateway, an adapter and its provider, on free ports.
struct Door {
    registry: Running,
    gateway: Running,
    adapter: Running,
    provider: Provider,
    _data: TempDir,
}

impl Door {
    async fn open(profile: &'static Profile, manner: Manner) -> Self {
        let (data, provider) = (tempfile::tempdir().unwrap(), Provider::in_manner(manner).unwrap());
        let sockets = Sockets::loopback().unwrap();
        let swarm = Swarm {
            data_dir: data.path().to_owned(),
            registry_url: sockets.url(),
            events_url: NOBODY.to_owned(),
            ..Swarm::default()
        };
        let settings = Settings { swarm: swarm.clone(), service: pas_registry::Config::default() };
        let registry = pas_registry::start(settings, sockets, CancellationToken::new()).await.unwrap();
        let service = pas_gateway::Config { router_url: NOBODY.to_owned(), ..Default::default() };
        let settings = Settings { swarm: swarm.clone(), service };
        let sockets = Sockets::loopback().unwrap();
        let gateway = pas_gateway::start(settings, sockets, CancellationToken::new()).await.unwrap();
        let mut service = Config::of(profile);
        (service.base_url, service.router_url) = (provider.url(), NOBODY.to_owned());
        service.env_file = data.path().join(".env");
        service.models = (0..ERRORS.len()).map(|number| format!("scripted-1-{number}")).collect();
        service.models.insert(0, "scripted-1".to_owned());
        let credential = (profile.entry.credentials[0].to_owned(), "sk-of-the-adapter".to_owned());
        let environment = Environment::new([credential], service.env_file.clone());
        let (settings, sockets) = (Settings { swarm, service }, Sockets::loopback().unwrap());
        let token = CancellationToken::new();
        let adapter = pas_adapter::start(profile, settings, environment, sockets, token).await.unwrap();
        let models = format!("{}/v1/models", gateway.url());
        until("the gateway knows the adapter", async || {
            let listed = http().get(&models).send().await.ok()?.text().await.ok()?;
            listed.contains("scripted-1").then_some(())
        })
        .await;
        Self { registry, gateway, adapter, provider, _data: data }
    }

    async fn close(self) {
        for running in [self.gateway, self.adapter, self.registry] {
            running.stop().await.unwrap();
        }
    }
}

async fn reads_the_same(
    profile: &'static Profile,
    manner: Manner,
    script: &'static str,
    calls: &'static [&'static str],
) {
    let door = Door::open(profile, manner).await;
    let ask = async |url: String, calls: &'static [&'static str]| {
        let said = tokio::task::spawn_blocking(move || python::said(script, &url, calls)).await;
        said.unwrap().unwrap()
    };
    let (straight, through) = (ask(door.provider.url(), calls).await, ask(door.gateway.url(), calls).await);
    for (call, said) in &straight {
        assert_eq!(through.get(call), Some(said), "{call}");
    }
    assert_eq!((straight.len(), through.len()), (calls.len(), calls.len()));
    let listed = ask(door.gateway.url(), &["models"]).await;
    assert!(listed["models"].to_string().contains("scripted-1"), "{listed:?}");
    door.close().await;
}

/// The classes of exceptions that these errors end in, straight and through the gateway and an adapter.
async fn raised(
    door: &Door,
    script: &'static str,
    errors: &'static [&'static str],
) -> [BTreeMap<String, String>; 2] {
    let ask = async |url: String| {
        let said = tokio::task::spawn_blocking(move || python::errors(script, &url, errors)).await;
        said.unwrap().unwrap()
    };
    [ask(door.provider.url()).await, ask(door.gateway.url()).await]
}

async fn raises_the_same(
    profile: &'static Profile,
    manner: Manner,
    script: &'static str,
    of_credentials: &'static [&'static [&'static str]],
) {
    let door = Door::open(profile, manner).await;
    let [straight, through] = raised(&door, script, &ERRORS).await;
    assert_eq!(through, straight);
    assert_eq!(straight.len(), ERRORS.len());
    door.close().await;
    // What says that a credential is none keeps everybody from being asked, so that each has a door of its own.
    for error in of_credentials {
        let door = Door::open(profile, manner).await;
        let [straight, through] = raised(&door, script, error).await;
        assert_eq!((&through, through.len()), (&straight, 1));
        door.close().await;
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
