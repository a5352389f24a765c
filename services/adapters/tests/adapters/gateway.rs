//! Adapters behind the gateway: who answers when one doesn't, and what the receipt says of it.

use pas_adapter::Profile;
use pas_adapters::{grok, huggingface, lmstudio, ollama, openai};
use pas_service::{Running, Settings, Sockets};
use pas_testkit::provider::Offer;
use pas_testkit::{Fault, Manner, NOBODY, Provider, Script, http, until};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::support::{adapter, provider, registry, server, swarm};

/// A gateway, the registry and the provider router that it hears, and adapters, in this process.
struct World {
    data: TempDir,
    registry: Running,
    router: Running,
    gateway: Running,
    adapters: Vec<Running>,
}

impl World {
    async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let registry = registry(data.path()).await;
        // As shipped, but for the time to a first token, and for what a busy machine decides: who is slow or has much to do.
        let config = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
        let policies = std::fs::read_to_string(config.join("policies.yaml")).unwrap();
        assert!(policies.contains("first_token_s: 120"));
        let policies = policies.replace("first_token_s: 120", "first_token_s: 0.3");
        assert!(policies.contains("latency: 3, price: 3, locality: 1, load: 2"));
        let policies = policies.replace(
            "latency: 3, price: 3, locality: 1, load: 2",
            "latency: 0, price: 3, locality: 1, load: 0",
        );
        std::fs::write(data.path().join("policies.yaml"), policies).unwrap();
        let service = pas_provider_router::Config {
            matrix: config.join("providers.matrix.json"),
            policies: data.path().join("policies.yaml"),
            ..Default::default()
        };
        let settings = Settings { swarm: swarm(data.path(), NOBODY), service };
        let sockets = Sockets::loopback().unwrap();
        let router = pas_provider_router::start(settings, sockets, CancellationToken::new()).await.unwrap();
        let service = pas_gateway::Config { router_url: router.url(), ..Default::default() };
        let settings = Settings { swarm: swarm(data.path(), &registry.url()), service };
        let sockets = Sockets::loopback().unwrap();
        let gateway = pas_gateway::start(settings, sockets, CancellationToken::new()).await.unwrap();
        Self { data, registry, router, gateway, adapters: Vec::new() }
    }

    /// Puts an adapter in front of this provider.
    async fn open(&mut self, profile: &'static Profile, provider: &Provider) {
        let data = self.data.path().join(profile.entry.name);
        std::fs::create_dir_all(&data).unwrap();
        let router_url = self.router.url();
        let change = |config: &mut pas_adapter::Config| config.router_url = router_url;
        let started = adapter(profile, &provider.url(), &data, &self.registry.url(), "k-1", change).await;
        self.adapters.push(started);
        let listed = format!("{}/v1/models", self.gateway.url());
        until("the gateway knows its models", async || {
            let models: Value = http().get(&listed).send().await.ok()?.json().await.ok()?;
            let names = models["data"].as_array()?;
            names.iter().any(|model| model["owned_by"] == "pas-model").then_some(())?;
            let ask =
                json!({"target": {"type": "model", "name": profile.entry.name}, "payload": {"text": "x"}});
            let url = format!("{}/invoke?dry_run=true", self.gateway.url());
            let answer: Value = http().post(url).json(&ask).send().await.ok()?.json().await.ok()?;
            (answer["resolved"]["name"] == profile.entry.name).then_some(())
        })
        .await;
    }

    /// Calls by capability, and answers the status, the body, and the receipt.
    async fn call(&self, stream: bool) -> (u16, String, Value) {
        let body = json!({"model": "cap:chat", "stream": stream, "messages": [{"role": "user", "content": "hello"}]});
        let url = format!("{}/v1/chat/completions", self.gateway.url());
        let answer = http().post(url).json(&body).send().await.unwrap();
        let run_id = answer.headers()["x-pas-run-id"].to_str().unwrap().to_owned();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        let url = format!("{}/receipts/{run_id}", self.gateway.url());
        (status, text, http().get(url).send().await.unwrap().json().await.unwrap())
    }

    async fn stop(self) {
        for running in self.adapters.into_iter().chain([self.gateway, self.router, self.registry]) {
            running.stop().await.unwrap();
        }
    }
}

fn attempts(receipt: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let attempts = receipt["attempts"].as_array().unwrap().iter();
    attempts.map(|one| (text(&one["name"]), text(&one["outcome"]))).collect()
}

/// OpenAI refuses, limits, fails, or is silent: whoever speaks as it does answers, and the receipt tells the story.
#[tokio::test]
async fn whoever_speaks_the_same_dialect_answers_when_one_does_not() {
    for (other, manner) in [
        (&grok::PROFILE, Manner::Xai),
        (&huggingface::PROFILE, Manner::HuggingFace),
        (&lmstudio::PROFILE, Manner::LmStudio),
    ] {
        let mut world = World::start().await;
        let first = provider(Manner::OpenAi, &[]);
        first.script(Script { path: Some("/v1/models".into()), ..Script::status(403) }.forever());
        let second = server(manner, &[Offer::new("other-1").context(100_000)]);
        world.open(&openai::PROFILE, &first).await;
        world.open(other, &second).await;
        let faults = [
            (Script::status(503), "status_503"),
            (Script::status(429), "status_429"),
            (Script::fault(Fault::Stall), "first_token_timeout"),
            (Script::status(401), "status_401"),
        ];
        for (script, outcome) in faults {
            let script = Script { model: None, ..script.on("/chat") }.forever();
            first.clear();
            first.script(Script { path: Some("/v1/models".into()), ..Script::status(403) }.forever());
            first.script(script);
            // Those that tie take turns: one of the next calls begins with it.
            until(&format!("a call has gone on from {outcome} to {}", other.entry.name), async || {
                let (status, text, receipt) = world.call(true).await;
                assert_eq!(status, 200, "{text}");
                assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
                let told = attempts(&receipt);
                let story = told.iter().any(|(name, said)| name == "openai" && said == outcome);
                let is_answered =
                    told.last().is_some_and(|(name, said)| name == other.entry.name && said == "ok");
                assert!(is_answered, "{told:?}");
                story.then_some(())
            })
            .await;
            // What it has against OpenAI is forgotten with a service that says otherwise of itself.
            let renamed = world.adapters.remove(0);
            renamed.stop().await.unwrap();
            first.clear();
            first.script(Script { path: Some("/v1/models".into()), ..Script::status(403) }.forever());
            world.open(&openai::PROFILE, &first).await;
            let last = world.adapters.pop().unwrap();
            world.adapters.insert(0, last);
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn a_prompt_that_ollama_would_cut_is_no_candidate_and_the_receipt_says_why() {
    let mut world = World::start().await;
    let small = server(Manner::Ollama, &[Offer::new("gemma3:latest").context(4_096)]);
    world.open(&ollama::PROFILE, &small).await;
    let long = "word ".repeat(20_000);
    let body = json!({"model": "gemma3:latest", "messages": [{"role": "user", "content": long}]});
    let url = format!("{}/v1/chat/completions", world.gateway.url());
    let answer = http().post(url).json(&body).send().await.unwrap();
    let run_id = answer.headers()["x-pas-run-id"].to_str().unwrap().to_owned();
    assert_eq!(answer.status().as_u16(), 400);
    let url = format!("{}/receipts/{run_id}", world.gateway.url());
    let receipt: Value = http().get(url).send().await.unwrap().json().await.unwrap();
    let excluded = receipt["candidates"][0]["excluded"].as_str().unwrap();
    assert!(excluded.starts_with("context: needs ") && excluded.ends_with("has 4k"), "{excluded}");
    assert!(small.requests().iter().all(|one| one.path != "/v1/chat/completions"));
    world.stop().await;
}

#[tokio::test]
async fn what_only_one_credential_could_do_is_told_as_its_refusal() {
    let mut world = World::start().await;
    let first = provider(Manner::OpenAi, &[]);
    first.script(Script { path: Some("/v1/models".into()), ..Script::status(403) }.forever());
    world.open(&openai::PROFILE, &first).await;
    first.script(Script::status(401).on("/chat").forever());
    for _ in 0..2 {
        let (status, text, _) = world.call(false).await;
        let error: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, &error["error"]["code"]), (401, &json!("unauthenticated")), "{text}");
    }
    world.stop().await;
}
