//! A local model in front of each kind of server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use pas_adapter::{Config, Environment, Profile};
use pas_local_llm::{LLAMA, TINYLLAMA};
use pas_service::{Running, Settings, Sockets, Swarm};
use pas_testkit::provider::{Offer, Options};
use pas_testkit::{Manner, NOBODY, Provider, http, until};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A registry, and a local model in front of a server.
struct World {
    data: TempDir,
    registry: Running,
    model: Running,
}

fn swarm(data: &TempDir, registry_url: &str) -> Swarm {
    let (data_dir, nobody) = (data.path().to_owned(), NOBODY.to_owned());
    Swarm { data_dir, registry_url: registry_url.to_owned(), events_url: nobody, ..Swarm::default() }
}

fn server(manner: Manner, models: &[Offer]) -> Provider {
    Provider::with(Options { manner, models: models.to_vec(), ..Options::default() }).unwrap()
}

impl World {
    async fn start(profile: &'static Profile, server: &Provider, model: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let service = pas_registry::Config { boot_grace_s: 1, ..Default::default() };
        let settings = Settings { swarm: swarm(&data, NOBODY), service };
        let sockets = Sockets::loopback().unwrap();
        let registry = pas_registry::start(settings, sockets, CancellationToken::new()).await.unwrap();
        let mut service = Config::of(profile);
        (service.base_url, service.model) = (server.url(), model.to_owned());
        (service.router_url, service.look_every_s) = (NOBODY.to_owned(), 1);
        service.env_file = data.path().join(".env");
        let environment = Environment::new([], service.env_file.clone());
        let settings = Settings { swarm: swarm(&data, &registry.url()), service };
        let sockets = Sockets::loopback().unwrap();
        let token = CancellationToken::new();
        let model = pas_adapter::start(profile, settings, environment, sockets, token).await.unwrap();
        Self { data, registry, model }
    }

    /// What the registry has of it, once that is as it should be.
    async fn registered(&self, name: &str, accept: impl Fn(&Value) -> bool) -> Value {
        until("it is registered as it should be", async || {
            let url = format!("{}/discover?name={name}&status=any", self.registry.url());
            let found: Value = http().get(url).send().await.ok()?.json().await.ok()?;
            let service = found["services"].get(0)?.clone();
            accept(&service).then_some(service)
        })
        .await
    }

    async fn stop(self) {
        self.model.stop().await.unwrap();
        self.registry.stop().await.unwrap();
        self.data.close().unwrap();
    }
}

#[tokio::test]
async fn whatever_serves_it_is_found_out_and_the_model_goes_by_its_own_name_there() {
    for (manner, id, wanted) in [
        (Manner::Ollama, "llama3.1:8b", "llama3.1:8b"),
        (Manner::LlamaCpp, "/models/llama-3.1-8b.Q4_K_M.gguf", ""),
        (Manner::LmStudio, "meta/llama-3.1-8b", "meta/llama-3.1-8b"),
        (Manner::Vllm, "meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"),
    ] {
        let server = server(manner, &[Offer::new(id).context(8_192)]);
        let world = World::start(&LLAMA, &server, wanted).await;
        let service = world.registered("llama-3.1-8b", |service| service["status"] == "ok").await;
        let labels = &service["labels"];
        assert_eq!(
            (&labels["models"], &labels["ctx_limits"], &labels["locality"], &labels["dialects"]),
            (&json!("llama-3.1-8b"), &json!("llama-3.1-8b=8192"), &json!("local"), &json!("openai.chat")),
            "{manner:?}"
        );
        assert_eq!(service["caps"], json!(["infer", "chat", "summarize", "classify", "classify_light"]));
        let body = json!({"model": "llama-3.1-8b", "messages": [{"role": "user", "content": "hi"}], "x": 1});
        let url = format!("{}/v1/chat/completions", world.model.url());
        let answer = http().post(url).json(&body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{manner:?}");
        let asked = server
            .requests()
            .into_iter()
            .rfind(|one| one.method == "POST" && one.path.ends_with("completions"));
        let asked = asked.unwrap().json();
        assert_eq!((&asked["model"], &asked["x"]), (&json!(id), &json!(1)));
        world.stop().await;
    }
}

#[tokio::test]
async fn without_its_server_or_its_model_it_is_not_configured_and_comes_with_them() {
    let server = server(Manner::Ollama, &[Offer::new("llama3.2:latest")]);
    let world = World::start(&TINYLLAMA, &server, "tinyllama").await;
    let says = |words: &'static str| {
        move |service: &Value| {
            service["status_reasons"][0].as_str().is_some_and(|reason| reason.contains(words))
        }
    };
    let lacking = world.registered("tinyllama", says("no_weights: ")).await;
    let reason = lacking["status_reasons"][0].as_str().unwrap();
    assert!(
        lacking["status"] == "down" && reason.contains(" has no tinyllama (it lists llama3.2:latest): "),
        "{reason}"
    );
    server.refuse().await;
    let away = world.registered("tinyllama", says("no_backend: ")).await;
    assert!(away["status_reasons"][0].as_str().unwrap().contains("PAS_TINYLLAMA_BASE_URL"));
    world.stop().await;
}
