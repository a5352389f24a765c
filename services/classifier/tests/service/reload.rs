//! The examples change while it runs, or aren't there.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pas_testkit::until;
use serde_json::json;

use crate::support::{Server, directory, error, examples};

#[tokio::test]
async fn changed_examples_are_learned_while_it_runs() {
    let files =
        directory(&[("tea.jsonl", examples("tea", "kettle")), ("ale.jsonl", examples("ale", "barrel"))]);
    let server = Server::learning(files.path()).await;
    assert_eq!(server.label("a kettle").await, "tea");
    fs::write(files.path().join("wine.jsonl"), examples("wine", "grape")).unwrap();
    until("a third label", async || (server.label("a grape").await == "wine").then_some(())).await;
    fs::remove_file(files.path().join("tea.jsonl")).unwrap();
    until("the first one gone", async || (server.label("a kettle").await != "tea").then_some(())).await;
    until("two reloads", async || {
        (server.metric("reloads_total{result=\"taken\"}").await.as_deref() == Some("2")).then_some(())
    })
    .await;
    assert_eq!(server.metric("examples").await.as_deref(), Some("20"));
    assert_eq!(server.health().await.0, 200);
    server.running.stop().await.unwrap();
}

#[tokio::test]
async fn a_bad_file_changes_nothing_and_is_named_by_its_line_until_it_is_mended() {
    let files =
        directory(&[("tea.jsonl", examples("tea", "kettle")), ("ale.jsonl", examples("ale", "barrel"))]);
    let server = Server::learning(files.path()).await;
    let bad = examples("tea", "grape") + "\n{\"text\": \"hot\", \"lable\": \"tea\"}\n";
    fs::write(files.path().join("tea.jsonl"), bad).unwrap();
    let (status, health) = until("the fault in the health", async || {
        let (status, health) = server.health().await;
        (health["status"] == "degraded" && health["checks"]["model"]["reason"].is_string())
            .then_some((status, health))
    })
    .await;
    let reason = "tea.jsonl:12: lable: unknown field `lable`, expected `text` or `label`; the model of before stays in force";
    assert_eq!((status, &health["checks"]["model"]["reason"]), (200, &json!(reason)));
    assert_eq!(server.label("a kettle").await, "tea");
    until("the rejection to be counted", async || {
        (server.metric("reloads_total{result=\"rejected\"}").await.as_deref() == Some("1")).then_some(())
    })
    .await;
    assert_eq!(server.metric("reloads_total{result=\"taken\"}").await, None);

    fs::write(files.path().join("tea.jsonl"), examples("tea", "grape")).unwrap();
    until("the health mended", async || {
        (server.health().await.1["checks"]["model"]["status"] == "ok").then_some(())
    })
    .await;
    assert_eq!(server.label("a grape").await, "tea");
    server.running.stop().await.unwrap();
}

#[tokio::test]
async fn without_examples_it_runs_and_says_what_to_do_and_learns_when_they_come() {
    let files = directory(&[]);
    let path = files.path().join("train");
    let server = Server::learning(&path).await;
    let (status, health) = server.health().await;
    let reason = format!(
        "no_weights: there are no examples in {}: put files *.jsonl there, of lines as {{\"text\": \"…\", \"label\": \"…\"}}",
        path.display()
    );
    assert_eq!((status, &health["status"], &health["reason"]), (503, &json!("down"), &json!(reason)));
    let refused = error(server.invoke(&json!({"text": "tea"})).await);
    assert_eq!(refused, (503, "unavailable".to_owned(), None));
    // A summary needs no model.
    assert_eq!(server.invoke(&json!({"text": "tea", "task": "summarize"})).await.0, 200);

    fs::create_dir(&path).unwrap();
    fs::write(path.join("all.jsonl"), examples("tea", "kettle") + &examples("ale", "barrel")).unwrap();
    until("it has learned", async || {
        (server.health().await.1["checks"]["model"]["status"] == "ok").then_some(())
    })
    .await;
    assert_eq!(server.label("a barrel").await, "ale");
    server.running.stop().await.unwrap();
}

#[tokio::test]
async fn examples_that_can_not_be_used_at_the_start_are_named() {
    let files = directory(&[("tea.jsonl", examples("tea", "kettle"))]);
    let server = Server::learning(files.path()).await;
    let (status, health) = server.health().await;
    let reason = "the examples can't be used: there are 1 labels: use 2 to 64";
    assert_eq!((status, &health["reason"]), (503, &json!(reason)));
    server.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_while_examples_change() {
    let files =
        directory(&[("tea.jsonl", examples("tea", "kettle")), ("ale.jsonl", examples("ale", "barrel"))]);
    let server = Server::learning(files.path()).await;
    let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (client, stop, calls) = (server.clone(), Arc::clone(&stop), Arc::clone(&calls));
        callers.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                assert_eq!(client.label("a barrel").await, "ale");
                calls.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    for round in 1..=5_u32 {
        let bad = round % 2 == 0;
        let text = examples("tea", &format!("kettle{round}")) + if bad { "{" } else { "" };
        fs::write(files.path().join("tea.jsonl"), text).unwrap();
        let result = if bad { "rejected" } else { "taken" };
        let wanted = (if bad { round / 2 } else { round.div_ceil(2) }).to_string();
        let name = format!("reloads_total{{result=\"{result}\"}}");
        until("the reload", async || (server.metric(&name).await == Some(wanted.clone())).then_some(()))
            .await;
        let before = calls.load(Ordering::Relaxed);
        until("more calls", async || (calls.load(Ordering::Relaxed) > before + 8).then_some(())).await;
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
    server.running.stop().await.unwrap();
}
