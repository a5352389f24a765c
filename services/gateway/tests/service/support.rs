use std::path::Path;

use pas_gateway::Config;
use pas_service::{Running, Settings, Sockets, Swarm};
use pas_testkit::{Provider, http, until};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A gateway and the registry that it hears, in this process, on free ports, over a directory of their own.
pub(crate) struct World {
    pub(crate) registry: Running,
    pub(crate) gateway: Running,
    pub(crate) data: TempDir,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let data = tempfile::tempdir().unwrap();
        let sockets = Sockets::loopback().unwrap();
        let swarm = swarm(data.path(), sockets.url());
        let service = pas_registry::Config { boot_grace_s: 1, ..Default::default() };
        let settings = Settings { swarm: swarm.clone(), service };
        let registry = pas_registry::start(settings, sockets, CancellationToken::new()).await.unwrap();
        let gateway = gateway(&swarm, config).await;
        Self { registry, gateway, data }
    }

    /// Registers a provider as a service of this name, with all dialects that it speaks.
    pub(crate) async fn register(&self, name: &str, provider: &Provider) {
        self.register_at("local", name, provider).await;
    }

    /// The same, as one that is not on this machine.
    pub(crate) async fn register_far(&self, name: &str, provider: &Provider) {
        self.register_at("external", name, provider).await;
    }

    async fn register_at(&self, locality: &str, name: &str, provider: &Provider) {
        self.register_as(json!({
            "name": name, "type": "model", "role": "production", "url": provider.url(),
            "caps": ["infer", "chat", "plan", "tools", "embed"], "ctx_limit": 100_000,
            "labels": {
                "dialects": "openai.chat,openai.responses,openai.embeddings,anthropic.messages,gemini.generate",
                "models": "scripted-1", "locality": locality,
            },
        }))
        .await;
    }

    /// Registers, and waits until the gateway knows.
    pub(crate) async fn register_as(&self, registration: Value) {
        let url = format!("{}/register", self.registry.url());
        let answer = http().post(url).json(&registration).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        let target = json!({
            "target": {"type": registration["type"], "name": registration["name"], "role": registration["role"]},
            "payload": {},
        });
        until("the gateway knows of it", async || {
            let url = format!("{}/invoke?dry_run=true", self.gateway.url());
            let receipt: Value = http().post(url).json(&target).send().await.ok()?.json().await.ok()?;
            let rows = receipt["candidates"].as_array()?;
            rows.iter().any(|row| row["name"] == registration["name"]).then_some(())
        })
        .await;
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        http().post(format!("{}{path}", self.gateway.url()))
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        http().get(format!("{}{path}", self.gateway.url())).send().await.unwrap().json().await.unwrap()
    }

    /// The receipt of an answered call.
    pub(crate) async fn receipt(&self, answer: &Response) -> Value {
        self.get(&format!("/receipts/{}", run_id(answer))).await
    }

    pub(crate) async fn stop(self) {
        self.gateway.stop().await.unwrap();
        self.registry.stop().await.unwrap();
    }
}

pub(crate) fn run_id(answer: &Response) -> String {
    answer.headers()["x-pas-run-id"].to_str().unwrap().to_owned()
}

pub(crate) fn swarm(data: &Path, registry_url: String) -> Swarm {
    let nobody = pas_testkit::NOBODY.to_owned();
    Swarm { data_dir: data.to_owned(), registry_url, events_url: nobody, ..Swarm::default() }
}

pub(crate) async fn gateway(swarm: &Swarm, config: Config) -> Running {
    let service = Config { router_url: pas_testkit::NOBODY.to_owned(), ..config };
    let settings = Settings { swarm: swarm.clone(), service };
    pas_gateway::start(settings, Sockets::loopback().unwrap(), CancellationToken::new()).await.unwrap()
}

/// A chat of OpenAI's.
pub(crate) fn chat(stream: bool) -> Value {
    json!({"model": "scripted-1", "stream": stream, "messages": [{"role": "user", "content": "hello"}], "x_unknown": 1.50})
}

/// A message of Anthropic's.
pub(crate) fn message(stream: bool) -> Value {
    json!({
        "model": "scripted-1", "max_tokens": 100, "stream": stream,
        "messages": [{"role": "user", "content": "hello"}],
    })
}
