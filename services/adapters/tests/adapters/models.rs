use pas_adapter::Profile;
use pas_adapters::{anthropic, gemini, grok, huggingface, lmstudio, ollama, openai};
use pas_service::{Settings, Sockets};
use pas_testkit::provider::{Offer, Options};
use pas_testkit::{Fault, Manner, NOBODY, Provider, Script};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::support::{adapter, registered, registry, server, swarm, write_keys};

/// The labels with which an adapter registers before this provider, once it offers something.
async fn labels(profile: &'static Profile, provider: &Provider) -> Value {
    let data = tempfile::tempdir().unwrap();
    let registry = registry(data.path()).await;
    let adapter = adapter(profile, &provider.url(), data.path(), &registry.url(), "k", |_| {}).await;
    let wanted = |service: &Value| service["labels"]["models"].is_string() && service["status"] == "ok";
    let found = registered(&registry, profile.entry.name, wanted).await;
    adapter.stop().await.unwrap();
    registry.stop().await.unwrap();
    found["labels"].clone()
}

#[tokio::test]
async fn each_provider_is_asked_for_its_models_in_its_own_way() {
    let models = ["gpt-5", "gpt-image-1"].map(|id| Offer::new(id).context(8_000));
    for (profile, manner, wanted, limits) in [
        (&openai::PROFILE, Manner::OpenAi, "gpt-5", Value::Null),
        (&anthropic::PROFILE, Manner::Anthropic, "gpt-5,gpt-image-1", "gpt-5=8000,gpt-image-1=8000".into()),
        (&gemini::PROFILE, Manner::Gemini, "gpt-5", "gpt-5=8000".into()),
        (
            &huggingface::PROFILE,
            Manner::HuggingFace,
            "gpt-5,gpt-image-1",
            "gpt-5=8000,gpt-image-1=8000".into(),
        ),
    ] {
        let labels = labels(profile, &server(manner, &models)).await;
        assert_eq!((labels["models"].as_str(), &labels["ctx_limits"]), (Some(wanted), &limits), "{manner:?}");
    }
    let labels = labels(&grok::PROFILE, &server(Manner::Xai, &[Offer::new("grok-9")])).await;
    assert_eq!((labels["models"].as_str(), labels["provider"].as_str()), (Some("grok-9"), Some("xai")));
    assert_eq!(labels["dialects"], "openai.chat,openai.responses");
}

#[tokio::test]
async fn a_list_of_several_pages_is_read_to_its_end() {
    let models: Vec<Offer> = (0..1_500).map(|number| Offer::new(format!("m{number}"))).collect();
    for (profile, manner) in [(&anthropic::PROFILE, Manner::Anthropic), (&gemini::PROFILE, Manner::Gemini)] {
        let provider = server(manner, &models);
        let labels = labels(profile, &provider).await;
        assert!(labels["models"].as_str().unwrap().starts_with("m0,m1,m2,"), "{labels}");
        let is_next = |one: &pas_testkit::Recorded| {
            ["after_id=", "pageToken="].iter().any(|word| one.query.contains(word))
        };
        assert!(provider.requests().iter().any(is_next), "{manner:?}");
    }
}

#[tokio::test]
async fn a_servers_own_context_is_registered_and_follows_what_it_loads() {
    let loaded = Offer::new("gemma3:latest").context(65_536);
    // One sets it for itself, the other has what the server was started with, which nobody tells until it is loaded.
    let own = Offer::new("llama3.2:latest").context(8_192).unloaded();
    let unset = Offer::new("qwen3:8b").unloaded();
    let provider = server(Manner::Ollama, &[loaded, own, unset]);
    let data = tempfile::tempdir().unwrap();
    let registry = registry(data.path()).await;
    let start = |config: &mut pas_adapter::Config| config.context_tokens = 16_384;
    let adapter = adapter(&ollama::PROFILE, &provider.url(), data.path(), &registry.url(), "", start).await;
    let limits = |wanted: &'static str| move |service: &Value| service["labels"]["ctx_limits"] == wanted;
    registered(&registry, "ollama", limits("gemma3:latest=65536,llama3.2:latest=8192,qwen3:8b=16384")).await;
    let url = format!("{}/v1/chat/completions", adapter.url());
    let body = serde_json::json!({"model": "qwen3:8b", "messages": []});
    assert!(pas_testkit::http().post(url).json(&body).send().await.unwrap().status().is_success());
    registered(&registry, "ollama", limits("gemma3:latest=65536,llama3.2:latest=8192,qwen3:8b=4096")).await;
    adapter.stop().await.unwrap();
    registry.stop().await.unwrap();
}

#[tokio::test]
async fn both_lists_of_lm_studio_are_understood() {
    let newer = server(Manner::LmStudio, &[Offer::new("qwen3-8b").context(4_096)]);
    let labels_of_newer = labels(&lmstudio::PROFILE, &newer).await;
    let older = server(Manner::LmStudio, &[Offer::new("qwen3-8b").context(4_096)]);
    let unknown = serde_json::json!({"error": "Unexpected endpoint or method. (GET /api/v1/models)"});
    older.script(
        Script { error: Some(unknown), ..Script::fault(Fault::Error) }.on("/api/v1/models").forever(),
    );
    let labels_of_older = labels(&lmstudio::PROFILE, &older).await;
    for labels in [labels_of_newer, labels_of_older] {
        assert_eq!((&labels["models"], &labels["ctx_limits"]), (&"qwen3-8b".into(), &"qwen3-8b=4096".into()));
    }
}

#[tokio::test]
async fn whoever_may_not_list_models_offers_those_of_the_matrix() {
    let data = tempfile::tempdir().unwrap();
    let registry = registry(data.path()).await;
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
    let service = pas_provider_router::Config {
        matrix: root.join("providers.matrix.json"),
        policies: root.join("policies.yaml"),
        ..Default::default()
    };
    let settings = Settings { swarm: swarm(data.path(), NOBODY), service };
    let sockets = Sockets::loopback().unwrap();
    let router = pas_provider_router::start(settings, sockets, CancellationToken::new()).await.unwrap();
    let provider = Provider::with(Options { manner: Manner::OpenAi, ..Options::default() }).unwrap();
    provider.script(Script::status(403).on("/v1/models").forever());
    write_keys(&openai::PROFILE, data.path(), "k");
    let (url, router_url) = (provider.url(), router.url());
    let with_router = |config: &mut pas_adapter::Config| config.router_url = router_url;
    let adapter = adapter(&openai::PROFILE, &url, data.path(), &registry.url(), "k", with_router).await;
    let known =
        |service: &Value| service["labels"]["models"].as_str().is_some_and(|all| all.contains("gpt-4.1"));
    let found = registered(&registry, "openai", known).await;
    assert_eq!((&found["status"], &found["labels"]["locality"]), (&"ok".into(), &"external".into()));
    for running in [adapter, router, registry] {
        running.stop().await.unwrap();
    }
}
