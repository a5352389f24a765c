//! What is refused, and that nothing else suffers.

use std::sync::Arc;

use pas_classifier::Config;
use pas_testkit::until;
use serde_json::{Value, json};

use crate::support::{Server, directory, error, examples, shipped, told};

#[tokio::test]
async fn a_bad_payload_is_refused_by_code_and_field_and_the_next_one_is_answered() {
    let files = directory(&[("all.jsonl", examples("tea", "kettle") + &examples("ale", "barrel"))]);
    let server = Server::learning(files.path()).await;
    let cases = [
        (json!({}), 400, "text"),
        (json!({"text": 7}), 400, "text"),
        (json!({"text": ""}), 400, "text"),
        (json!({"prompt": " …!"}), 400, "prompt"),
        (json!({"text": "a", "prompt": "a"}), 400, "prompt"),
        (json!({"text": "a", "temperature": 0.7}), 400, "temperature"),
        (json!({"text": "a", "task": "translate"}), 400, "task"),
        (json!({"text": "a", "max_sentences": 3}), 400, "max_sentences"),
        (json!({"text": "a", "task": "summarize", "max_sentences": 0}), 400, "max_sentences"),
        (json!({"text": "a", "task": "summarize", "max_sentences": -1}), 400, "max_sentences"),
        (json!({"text": "a", "task": "summarize", "max_chars": 5}), 400, "max_chars"),
        (json!({"text": "a".repeat((1 << 20) + 1)}), 413, "text"),
        (json!({"text": "a".repeat(2 << 20)}), 413, "body"),
    ];
    for (payload, status, field) in cases {
        let shown: String = payload.to_string().chars().take(100).collect();
        let wanted = (status, "invalid_argument".to_owned(), Some(field.to_owned()));
        assert_eq!(error(server.invoke(&payload).await), wanted, "{shown}");
    }
    let deep = format!("{{\"text\":{}", "[".repeat(10_000));
    for (kind, body, status) in [
        ("application/json", "", 400),
        ("application/json", "[\"tea\"]", 400),
        ("application/json", "{\"text\": \"tea\"} {}", 400),
        ("application/json", &deep, 400),
        ("text/plain", "tea", 415),
    ] {
        let request = server.post("/invoke").header("content-type", kind).body(body.to_owned());
        let (found, code, _) = error(told(request.send().await.unwrap()).await);
        assert_eq!((found, &*code), (status, "invalid_argument"), "{kind}: {:.30}", body);
    }
    assert_eq!(server.label("a kettle").await, "tea");
    assert_eq!(server.metric("calls_total{task=\"classify\",result=\"ok\"}").await.as_deref(), Some("1"));
    server.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn more_long_texts_than_there_is_room_for_are_refused_for_now_and_short_ones_are_not() {
    let config = Config { training_dir: shipped(), workers: 1, queue: 0, ..Config::default() };
    let server = Server::with(config).await;
    let payload: Arc<Value> =
        Arc::new(json!({"text": "The cell divides. ".repeat(50_000), "task": "summarize"}));
    let refused = until("a refusal", async || {
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (client, payload) = (server.clone(), Arc::clone(&payload));
            calls.spawn(async move { client.post("/invoke").json(&*payload).send().await.unwrap() });
        }
        assert_eq!(server.label("the judge and the jury").await, "law");
        let answers = calls.join_all().await;
        assert!(answers.iter().all(|answer| [200, 503].contains(&answer.status().as_u16())));
        answers.into_iter().find(|answer| answer.status() == 503)
    })
    .await;
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(refused.headers()["x-should-retry"], "true");
    let refused = told(refused).await;
    let message = "1 long texts are worked on and 0 wait, which is the limit: try again";
    assert_eq!(refused.1["error"]["message"], message);
    assert_eq!(error(refused), (503, "unavailable".to_owned(), None));
    assert_eq!(server.invoke(&payload).await.0, 200);
    server.running.stop().await.unwrap();
}
