use pas_adapters::ollama;
use pas_testkit::provider::Offer;
use pas_testkit::{Fault, Manner, Script};
use serde_json::Value;

use crate::support::{adapter, is, registered, registry, server};

#[tokio::test]
async fn a_server_that_is_away_is_no_candidate_and_is_one_again_when_it_is_back() {
    let provider = server(Manner::Ollama, &[Offer::new("gemma3:latest").context(8_192)]);
    let data = tempfile::tempdir().unwrap();
    let registry = registry(data.path()).await;
    let adapter = adapter(&ollama::PROFILE, &provider.url(), data.path(), &registry.url(), "", |_| {}).await;
    registered(&registry, "ollama", |service| service["status"] == "ok").await;
    provider.refuse().await;
    let down = registered(&registry, "ollama", |service| service["status"] == "down").await;
    let reason = down["status_reasons"][0].as_str().unwrap();
    assert!(reason.starts_with("says: no_backend: ") && reason.contains("`ollama serve`"), "{reason}");
    provider.accept().await;
    registered(&registry, "ollama", |service| service["status"] == "ok").await;
    adapter.stop().await.unwrap();
    registry.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_without_a_model_says_how_to_get_one() {
    let provider = server(Manner::Ollama, &[Offer::new("gemma3:latest")]);
    provider.script(Script::fault(Fault::Empty).on("/api/tags").forever());
    let data = tempfile::tempdir().unwrap();
    let registry = registry(data.path()).await;
    let adapter = adapter(&ollama::PROFILE, &provider.url(), data.path(), &registry.url(), "", |_| {}).await;
    let why = is(&adapter, "models", "down").await;
    assert!(
        why.starts_with("no_weights: Ollama has no model to offer at http://127.0.0.1:")
            && why.contains("`ollama pull"),
        "{why}"
    );
    provider.clear();
    registered(&registry, "ollama", |service: &Value| service["labels"]["models"] == "gemma3:latest").await;
    adapter.stop().await.unwrap();
    registry.stop().await.unwrap();
}
