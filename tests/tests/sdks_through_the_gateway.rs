//! The same SDKs, with nothing but the base URL changed, pointed at the gateway: what they read is what they read straight from
//! the provider.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use pas_service::{Running, Settings, Sockets, Swarm};
use pas_testkit::{NOBODY, Provider, http, until};
use pas_tests::python;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A registry, a gateway, and a provider as the one model, on free ports.
struct Door {
    registry: Running,
    gateway: Running,
    provider: Provider,
    _data: TempDir,
}

impl Door {
    async fn open() -> Self {
        let (data, provider) = (tempfile::tempdir().unwrap(), Provider::start().unwrap());
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
        let settings = Settings { swarm, service };
        let sockets = Sockets::loopback().unwrap();
        let gateway = pas_gateway::start(settings, sockets, CancellationToken::new()).await.unwrap();
        let registration = json!({
            "name": "scripted", "type": "model", "role": "production", "url": provider.url(),
            "caps": ["infer", "chat", "tools", "embed", "thinking", "vision", "json_schema"],
            "labels": {
                "dialects": "openai.chat,openai.responses,openai.embeddings,anthropic.messages,gemini.generate",
                "models": "scripted-1,scripted-2",
            },
        });
        let register = format!("{}/register", registry.url());
        let answer = http().post(register).json(&registration).send().await.unwrap();
        assert!(answer.status().is_success());
        let models = format!("{}/v1/models", gateway.url());
        until("the gateway knows the provider", async || {
            let listed = http().get(&models).send().await.ok()?.text().await.ok()?;
            listed.contains("scripted-2").then_some(())
        })
        .await;
        Self { registry, gateway, provider, _data: data }
    }

    /// What the calls of a script tell, straight from the provider and through the gateway.
    async fn both(
        &self,
        script: &'static str,
        calls: &'static [&'static str],
    ) -> [BTreeMap<String, Value>; 2] {
        let ask = async |url: String| {
            let said = tokio::task::spawn_blocking(move || python::said(script, &url, calls)).await;
            said.unwrap().unwrap()
        };
        [ask(self.provider.url()).await, ask(self.gateway.url()).await]
    }

    async fn close(self) {
        self.gateway.stop().await.unwrap();
        self.registry.stop().await.unwrap();
    }
}

async fn reads_the_same(script: &'static str, calls: &'static [&'static str]) {
    let door = Door::open().await;
    let [straight, through] = door.both(script, calls).await;
    assert_eq!(straight.keys().collect::<Vec<_>>(), through.keys().collect::<Vec<_>>());
    for (call, said) in &straight {
        assert_eq!(through.get(call), Some(said), "{call}");
    }
    assert_eq!(straight.len(), calls.len());
    door.close().await;
}

#[tokio::test]
async fn openais_sdk_reads_the_same_through_the_gateway() {
    let calls = &[
        "chat",
        "chat_bytes",
        "stream",
        "stream_without_usage",
        "stream_async",
        "tools",
        "tools_stream",
        "refusal",
        "responses",
        "responses_stream",
        "responses_tools_stream",
        "count_tokens",
        "embeddings",
    ];
    reads_the_same("openai_sdk.py", calls).await;
}

#[tokio::test]
async fn anthropics_sdk_reads_the_same_through_the_gateway() {
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
    reads_the_same("anthropic_sdk.py", calls).await;
}

#[tokio::test]
async fn googles_sdk_reads_the_same_through_the_gateway() {
    let calls = &["generate", "stream", "thinking", "tools", "tools_stream", "refusal", "count_tokens"];
    reads_the_same("gemini_sdk.py", calls).await;
}
