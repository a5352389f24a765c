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
        let registry = registry(&swarm(data.path(), pas_testkit::NOBODY.to_owned())).await;
        let gateway = gateway(&swarm(data.path(), registry.url()), config).await;
        Self { registry, gateway, data }
    }

    /// A gateway that is told these policies and this matrix by a provider router.
    pub(crate) async fn told(policies: &Value, matrix: &Value) -> (Self, Router) {
        let router = Router::start(policies, matrix).await;
        let world = Self::with(Config { router_url: router.running.url(), ..Config::default() }).await;
        world.is_told().await;
        (world, router)
    }

    /// Waits until the gateway has heard the provider router.
    pub(crate) async fn is_told(&self) {
        until("the router is heard", async || {
            let health = self.get("/health").await;
            (health["checks"]["router"]["status"] == "ok").then_some(())
        })
        .await;
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
        self.register_as(scripted(locality, name, provider)).await;
    }

    /// Registers, and waits until the gateway knows.
    pub(crate) async fn register_as(&self, registration: Value) {
        register(&self.registry, &registration).await;
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

/// A provider router in this process, with files of its own.
pub(crate) struct Router {
    pub(crate) running: Running,
    directory: TempDir,
}

impl Router {
    async fn start(policies: &Value, matrix: &Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("policies.yaml"), policies.to_string()).unwrap();
        std::fs::write(directory.path().join("matrix.json"), matrix.to_string()).unwrap();
        let service = pas_provider_router::Config {
            matrix: directory.path().join("matrix.json"),
            policies: directory.path().join("policies.yaml"),
            look_ms: 10,
            ..Default::default()
        };
        let settings = Settings { swarm: swarm(directory.path(), pas_testkit::NOBODY.to_owned()), service };
        let sockets = Sockets::loopback().unwrap();
        let running = pas_provider_router::start(settings, sockets, CancellationToken::new()).await.unwrap();
        let router = Self { running, directory };
        router.files_are("ok").await;
        router
    }

    /// Writes its matrix anew.
    pub(crate) fn write_matrix(&self, text: &str) {
        std::fs::write(self.directory.path().join("matrix.json"), text).unwrap();
    }

    /// Waits until its check of the files is so; answers why.
    pub(crate) async fn files_are(&self, status: &str) -> String {
        until(&format!("the files are {status}"), async || {
            let url = format!("{}/health", self.running.url());
            let health: Value = http().get(url).send().await.ok()?.json().await.ok()?;
            let check = &health["checks"]["files"];
            assert!(check["status"] != "down", "{check}");
            (check["status"] == status).then(|| check["reason"].as_str().unwrap_or_default().to_owned())
        })
        .await
    }
}

/// Policies with this beside them.
pub(crate) fn policies(more: Value) -> Value {
    let near = json!({"weights": {"locality": 12, "dialect": 1}});
    let mut policies = json!({"default": "local", "policies": {
        "balanced": near, "local": near, "cheapest": near, "fastest": near, "best": near,
    }});
    let (Value::Object(all), Value::Object(more)) = (&mut policies, more) else { unreachable!("objects") };
    all.extend(more);
    policies
}

/// A registry in this process.
pub(crate) async fn registry(swarm: &Swarm) -> Running {
    registry_at(swarm, Sockets::loopback().unwrap()).await
}

/// The same, on these sockets.
pub(crate) async fn registry_at(swarm: &Swarm, sockets: Sockets) -> Running {
    let service = pas_registry::Config { boot_grace_s: 1, ..Default::default() };
    let settings = Settings { swarm: swarm.clone(), service };
    pas_registry::start(settings, sockets, CancellationToken::new()).await.unwrap()
}

/// What a provider is registered with, with all dialects that it speaks.
pub(crate) fn scripted(locality: &str, name: &str, provider: &Provider) -> Value {
    json!({
        "name": name, "type": "model", "role": "production", "url": provider.url(),
        "caps": ["infer", "chat", "plan", "tools", "embed"], "ctx_limit": 100_000,
        "labels": {
            "dialects": "openai.chat,openai.responses,openai.embeddings,anthropic.messages,gemini.generate",
            "models": "scripted-1", "locality": locality,
        },
    })
}

pub(crate) async fn register(registry: &Running, registration: &Value) {
    let url = format!("{}/register", registry.url());
    let answer = http().post(url).json(registration).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

pub(crate) fn run_id(answer: &Response) -> String {
    answer.headers()["x-pas-run-id"].to_str().unwrap().to_owned()
}

pub(crate) fn swarm(data: &Path, registry_url: String) -> Swarm {
    let nobody = pas_testkit::NOBODY.to_owned();
    Swarm { data_dir: data.to_owned(), registry_url, events_url: nobody, ..Swarm::default() }
}

pub(crate) async fn gateway(swarm: &Swarm, config: Config) -> Running {
    gateway_at(swarm, config, Sockets::loopback().unwrap()).await
}

pub(crate) async fn gateway_at(swarm: &Swarm, config: Config, sockets: Sockets) -> Running {
    let nobody = Config::default().router_url == config.router_url;
    let router_url = if nobody { pas_testkit::NOBODY.to_owned() } else { config.router_url };
    let settings = Settings { swarm: swarm.clone(), service: Config { router_url, ..config } };
    pas_gateway::start(settings, sockets, CancellationToken::new()).await.unwrap()
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
