//! What it is asked, and what it answers.

use pas_classifier::Config;
use pas_registry::Config as RegistryConfig;
use pas_service::{Settings, Sockets, Swarm};
use pas_testkit::{http, until};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::{Server, shipped};

async fn shipped_server() -> Server {
    Server::with(Config { training_dir: shipped(), ..Config::default() }).await
}

#[tokio::test]
async fn a_payload_that_names_no_task_is_classified() {
    let server = shipped_server().await;
    let (status, answer) =
        server.invoke_for("classify", &json!({"text": "quantum entanglement physics"})).await;
    assert_eq!(status, 200);
    assert_eq!((&answer["label"], &answer["text"]), (&json!("physics"), &json!("physics")));
    assert_eq!((&answer["words"], &answer["known_words"]), (&json!(3), &json!(3)));
    let probabilities = answer["probabilities"].as_object().unwrap();
    let names: Vec<&str> = probabilities.keys().map(String::as_str).collect();
    let wanted = ["biology", "computing", "finance", "history", "law", "mathematics", "medicine", "physics"];
    assert_eq!(names, wanted);
    let sum: f64 = probabilities.values().filter_map(Value::as_f64).sum();
    assert!((sum - 1.0).abs() < 1e-9 && probabilities["physics"].as_f64() > Some(0.8), "{answer}");
    assert_eq!(server.invoke(&json!({"prompt": "quantum entanglement physics"})).await, (200, answer));
    server.running.stop().await.unwrap();
}

#[tokio::test]
async fn the_same_payload_is_summarised_when_that_is_what_the_call_requires() {
    let server = shipped_server().await;
    let text = "The bridge over the Aare was closed on Monday. Engineers had found cracks in the bridge. \
        Nobody was hurt. The repair of the bridge will take the engineers two months.";
    let asked = json!({"text": text, "max_sentences": 2});
    let wanted = json!({
        "text": "The bridge over the Aare was closed on Monday. \
            The repair of the bridge will take the engineers two months.",
        "sentences": 2, "of_sentences": 4, "truncated": false,
    });
    assert_eq!(server.invoke_for("summarize", &asked).await, (200, wanted.clone()));
    let mut explicit = asked.clone();
    explicit["task"] = json!("summarize");
    assert_eq!(server.invoke_for("classify", &explicit).await, (200, wanted));
    server.running.stop().await.unwrap();
}

#[tokio::test]
async fn long_texts_are_answered_as_short_ones_are() {
    let server = shipped_server().await;
    let text = "The enzyme binds to the membrane of the cell. ".repeat(20_000);
    assert_eq!(server.label(&text).await, "biology");
    let (status, answer) =
        server.invoke(&json!({"text": text, "task": "summarize", "max_sentences": 1})).await;
    let wanted = json!({
        "text": "The enzyme binds to the membrane of the cell.",
        "sentences": 1, "of_sentences": 20_000, "truncated": false,
    });
    assert_eq!((status, answer), (200, wanted));
    server.running.stop().await.unwrap();
}

#[tokio::test]
async fn a_text_without_a_known_word_is_answered_and_said_to_be_a_guess() {
    let server = shipped_server().await;
    for text in ["量子力学的纠缠", "Квантовая запутанность", "zzyzx qwrt"] {
        let (status, answer) = server.invoke(&json!({"text": text})).await;
        assert_eq!((status, &answer["known_words"]), (200, &json!(0)), "{text}");
        let probabilities = answer["probabilities"].as_object().unwrap();
        let most = probabilities.values().filter_map(Value::as_f64).fold(0.0, f64::max);
        assert!(most < 0.35, "{text}: {answer}");
    }
    server.running.stop().await.unwrap();
}

#[tokio::test]
async fn it_registers_as_the_model_that_it_is_and_its_beats_tell_what_it_measures() {
    let swarm = Swarm {
        data_dir: tempfile::tempdir().unwrap().keep(),
        events_url: pas_testkit::NOBODY.to_owned(),
        ..Swarm::default()
    };
    let settings = Settings { swarm: swarm.clone(), service: RegistryConfig::default() };
    let sockets = Sockets::loopback().unwrap();
    let registry = pas_registry::start(settings, sockets, CancellationToken::new()).await.unwrap();
    let config = Config { training_dir: shipped(), ..Config::default() };
    let server = Server::beside(&registry.url(), config).await;
    server.label("the judge and the jury").await;

    let url = registry.url() + "/discover?type=model&role=production&cap=classify&cap=summarize";
    let service = until("a beat with what it measures", async || {
        let found: Value = http().get(&url).send().await.unwrap().json().await.unwrap();
        let service = found["services"][0].clone();
        service["p95_ms"].is_number().then_some(service)
    })
    .await;
    assert_eq!(service["name"], "tlc-domain-classifier");
    assert_eq!(service["url"], server.running.url());
    assert_eq!(service["caps"], json!(["infer", "classify", "classify_light", "summarize"]));
    let labels = json!({"health_path": "/health", "locality": "local", "models": "tlc-domain-classifier"});
    assert_eq!(service["labels"], labels);
    assert_eq!((&service["status"], &service["queue_depth"]), (&json!("ok"), &json!(0)));
    assert!(service["load"].is_number(), "{service}");

    server.running.stop().await.unwrap();
    let found: Value = http().get(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(found["services"], json!([]));
    registry.stop().await.unwrap();
    std::fs::remove_dir_all(swarm.data_dir).unwrap();
}
