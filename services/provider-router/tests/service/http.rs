//! What is asked over HTTP: of files, of nobody, and of what a real registry has.

use pas_provider_router::core::SHIPPED;
use pas_service::{Running, Settings, Sockets, Swarm};
use pas_testkit::{NOBODY, until};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::router::Router;

/// A registry in this process.
async fn registry(directory: &TempDir) -> Running {
    let swarm = Swarm {
        data_dir: directory.path().to_owned(),
        events_url: NOBODY.to_owned(),
        grace_s: 1,
        ..Swarm::default()
    };
    let settings = Settings { swarm, service: pas_registry::Config::default() };
    pas_registry::start(settings, Sockets::loopback().unwrap(), CancellationToken::new()).await.unwrap()
}

async fn register(registry: &Running, registration: Value) -> Value {
    let request = pas_testkit::http().post(format!("{}/register", registry.url()));
    let answer = request.header("content-type", "application/json").body(registration.to_string());
    answer.send().await.unwrap().json().await.unwrap()
}

fn names(answer: &Value, list: &str) -> Vec<String> {
    let rows = answer[list].as_array().unwrap();
    rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_is_in_force_is_answered_with_its_versions() {
    let router = Router::start().await;
    let (_, matrix) = router.get("/matrix").await;
    assert_eq!(matrix["matrix"]["providers"][0]["name"], "anthropic");
    let (_, policies) = router.get("/policies").await;
    assert_eq!(policies["policies"]["default"], "balanced");
    let (_, prices) = router.get("/prices").await;
    let price = |model: &str| {
        prices["prices"].as_array().unwrap().iter().find(|row| row["model"] == model).unwrap().clone()
    };
    assert_eq!(price("gpt-4o")["usd_per_million"]["input"], 2.5);
    assert!(price("gpt-4o")["source"].as_str().unwrap().starts_with("https://"));
    assert_eq!(price("llama3.2")["usd_per_million"], Value::Null);
    assert_eq!(price("claude-haiku-5-5")["above_input_tokens"], 100_000);
    assert_eq!(prices["version"].as_str().unwrap().len(), 16);
    router.stop().await;
}

#[tokio::test]
async fn while_nobody_is_registered_the_answer_says_so() {
    let router = Router::start().await;
    let (status, answer) = router.route(&json!({"target": {"type": "model", "model": "gpt-4o"}})).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["candidates"], json!([]));
    assert_eq!(
        (&answer["refusal"]["code"], &answer["refusal"]["http_status"]),
        (&json!("no_candidate"), &json!(404))
    );
    let message = answer["refusal"]["message"].as_str().unwrap();
    assert!(message.starts_with("nobody who is registered serves the model gpt-4o"), "{message}");
    router.stop().await;
}

#[tokio::test]
async fn what_is_no_request_is_refused_by_field() {
    let router = Router::start().await;
    let refused = async |body: Value| {
        let (status, answer) = router.route(&body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        answer["error"]["field"].as_str().unwrap().to_owned()
    };
    let model = json!({"type": "model"});
    assert_eq!(refused(json!({"target": {"type": "model", "colour": 1}})).await, "target.colour");
    assert_eq!(refused(json!({"target": model, "policy": {"name": "wild"}})).await, "policy.name");
    assert_eq!(refused(json!({"target": model, "policy": {"timeout_s": -1}})).await, "policy.timeout_s");
    assert_eq!(refused(json!({"target": model, "output_tokens": 0})).await, "output_tokens");
    assert_eq!(refused(json!({"target": {"type": "model", "model": "cap:"}})).await, "target.model");
    router.stop().await;
}

#[tokio::test]
async fn what_is_registered_is_chosen_from_and_each_reason_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let registry = registry(&directory).await;
    let router = Router::start_with(&registry.url(), NOBODY, SHIPPED).await;
    register(&registry, json!({
        "name": "tlc-domain-classifier", "type": "model", "role": "production", "url": "http://127.0.0.1:8052",
        "caps": ["infer", "classify", "classify_light", "summarize"],
    })).await;
    register(&registry, json!({
        "name": "anthropic", "type": "model", "role": "production", "url": "http://127.0.0.1:8101",
        "labels": {"provider": "anthropic", "dialects": "anthropic.messages", "models": "claude-sonnet-5-5"},
    })).await;
    // The first users' own example, without its payload.
    let body = json!({
        "target": {"type": "model", "role": "production", "require_caps": ["classify"]},
        "policy": {"prefer": "local", "timeout_s": 30},
    });
    let both = until("both are known", async || {
        let (_, answer) = router.route(&body).await;
        (answer["usable"] == 2).then_some(answer)
    })
    .await;
    assert_eq!(names(&both, "candidates"), ["tlc-domain-classifier", "anthropic"]);
    assert_eq!(both["candidates"][0]["cost_estimate"], json!({"usd": 0.0, "state": "confirmed"}));
    assert_eq!(both["candidates"][0]["dialect"], "pas");
    assert_eq!(both["policy"]["name"], "local");
    // Paused: the other one is taken, and the answer says why.
    let pause = pas_testkit::http().post(format!("{}/pause", registry.url()));
    let pause = pause.header("content-type", "application/json").body(r#"{"name":"tlc-domain-classifier"}"#);
    assert_eq!(pause.send().await.unwrap().status(), StatusCode::OK);
    let other = until("the pause is known", async || {
        let (_, answer) = router.route(&body).await;
        (answer["usable"] == 1).then_some(answer)
    })
    .await;
    assert_eq!(names(&other, "candidates"), ["anthropic"]);
    assert_eq!(other["excluded"][0]["excluded"], "paused: taken out of service");
    assert_eq!(other["excluded_counts"], json!({"paused": 1}));
    // The registry is gone: what was known goes on to hold, and /health says so.
    registry.stop().await.unwrap();
    until("it is said", async || {
        let (_, health) = router.get("/health").await;
        (health["checks"]["fleet"]["status"] == "degraded").then_some(())
    })
    .await;
    assert_eq!(names(&router.route(&body).await.1, "candidates"), ["anthropic"]);
    router.stop().await;
}
