use anyhow::{Context, Result};
use pas_event_stream::Config;
use pas_testkit::until;
use serde_json::{Value, json};

use crate::support::{Server, log, seqs};

fn beat(agent: &str, progress: f64) -> Value {
    json!({"event_type": "heartbeat", "agent": agent, "status": "running", "progress": progress})
}

#[tokio::test]
async fn pages_and_the_export_tell_the_same_story() -> Result<()> {
    let server = Server::start().await?;
    let batch: Vec<_> =
        (0..250).map(|n| if n % 5 == 0 { beat("A", 0.1) } else { log(&format!("m{n}")) }).collect();
    server.client.publish(json!(batch)).await?;
    let all = server.client.all("limit=7").await?;
    assert_eq!(seqs(&all), (1..=250).collect::<Vec<_>>());
    let beats = server.client.all("limit=7&type=heartbeat&agent=A").await?;
    assert_eq!(seqs(&beats), (0..50).map(|n| 5 * n + 1).collect::<Vec<_>>());

    let export = server.client.http.get(format!("{}/events/export", server.client.url)).send().await?;
    let lines: Vec<Value> =
        export.text().await?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!(lines, all);
    let since = format!(
        "{}/events/export?since={}:200&type=heartbeat",
        server.client.url,
        server.client.head().await?.epoch
    );
    let text = server.client.http.get(since).send().await?.text().await?;
    assert_eq!(text.lines().count(), 10);
    Ok(())
}

#[tokio::test]
async fn a_cursor_that_names_no_place_is_refused_with_what_would_be_accepted() -> Result<()> {
    let server = Server::start().await?;
    server.client.publish(log("a")).await?;
    let epoch = server.client.head().await?.epoch;
    for path in ["/events", "/events/export", "/events/stream"] {
        for cursor in [format!("{}:1", epoch + 1), format!("{epoch}:2"), "yesterday".to_owned()] {
            let (status, answer) = server.client.get(&format!("{path}?since={cursor}")).await?;
            let error = &answer["error"];
            let told = (status, &error["code"], &error["field"]);
            assert_eq!(told, (400, &json!("invalid_argument"), &json!("since")), "{path} {cursor}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_snapshot_has_the_latest_of_each_agent_also_of_long_ago() -> Result<()> {
    // So few keys that the first beat lies before what is read at once.
    let mut server = Server::with(Config { keys: 1_000, ..Config::default() }).await?;
    server.client.publish(json!([beat("old", 0.5), beat("new", 0.1)])).await?;
    server.client.publish(json!(vec![log("filler"); 1_500])).await?;
    server.client.publish(beat("new", 0.9)).await?;
    for _ in 0..2 {
        let snapshot = until("the past is read", async || {
            let (status, snapshot) = server.client.get("/snapshot").await.ok()?;
            (status == 200 && snapshot["head"] == 1_503).then_some(snapshot)
        })
        .await;
        let progress = |agent: &Value| (agent["agent"].clone(), agent["heartbeat"]["progress"].clone());
        let agents: Vec<_> = snapshot["agents"].as_array().context("a list")?.iter().map(progress).collect();
        assert_eq!(agents, [(json!("new"), json!(0.9)), (json!("old"), json!(0.5))]);
        server.restart().await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_is_too_much_goes_and_a_cursor_into_it_is_refused() -> Result<()> {
    let server = Server::with(Config { keep_mb: 2, segment_mb: 1, ..Config::default() }).await?;
    let big = log(&"x".repeat(20_000));
    let epoch = server.client.head().await?.epoch;
    let oldest = until("old events go", async || {
        server.client.publish(json!(vec![big.clone(); 50])).await.ok()?;
        let (_, page) = server.client.get("/events?limit=1").await.ok()?;
        page["oldest"].as_u64().filter(|oldest| *oldest > 1)
    })
    .await;
    let (status, answer) = server.client.get(&format!("/events?since={epoch}:0")).await?;
    assert_eq!((status, &answer["error"]["field"]), (400, &json!("since")), "{answer}");
    let first = server.client.all("limit=1000").await?;
    assert!(seqs(&first)[0] >= oldest);
    Ok(())
}
