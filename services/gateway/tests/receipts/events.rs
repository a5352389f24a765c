use std::process::Child;

use anyhow::Result;
use pas_service::Sockets;
use pas_testkit::events::{EventStream, Will};
use pas_testkit::until;
use pas_types::event::CallStatus;
use serde_json::Value;

use crate::child::{crowded, start};
use crate::support::{Gateway, caught_up, config, settle};

fn kill(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn keys(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| event["idempotency_key"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_stream_that_was_away_is_told_of_every_call_in_order_and_once() -> Result<()> {
    let data = tempfile::tempdir()?;
    let stream = EventStream::default();
    let sockets = Sockets::loopback()?;
    let url = sockets.url();
    drop(sockets);
    let gateway = Gateway::told_by(data.path(), config(), &url).await?;
    let mut ids = settle(&gateway.receipts, 300, CallStatus::Ok).await?;
    gateway.stop().await?;

    // It comes, takes what it is sent, and says nothing of it; then the gateway starts anew.
    stream.will(Will::Silent);
    let sockets = Sockets::loopback()?;
    let url = sockets.url();
    let serving = stream.serve(sockets)?;
    let gateway = Gateway::told_by(data.path(), config(), &url).await?;
    ids.extend(settle(&gateway.receipts, 200, CallStatus::Cut).await?);
    until("something comes", async || (!stream.events().is_empty()).then_some(())).await;
    gateway.stop().await?;
    stream.will(Will::Takes);
    let gateway = Gateway::told_by(data.path(), config(), &url).await?;
    until("all are told", async || (stream.events().len() >= ids.len()).then_some(())).await;
    let expected: Vec<String> = ids.iter().map(ToString::to_string).collect();
    assert_eq!(keys(&stream.events()), expected);
    let events = stream.events();
    let event = &events[0];
    assert_eq!(
        (&event["event_type"], &event["call_id"], &event["run_id"], &event["status"], &event["cost"]["usd"]),
        (&"receipt".into(), &expected[0].clone().into(), &"R-001".into(), &"ok".into(), &1.5e-6.into())
    );
    until("it knows that all are told", async || {
        let lag = gateway.client.metric("pas_gateway_receipts_events_lag").await.ok()?;
        (lag == 0.0).then_some(())
    })
    .await;
    gateway.stop().await?;
    let doubled = stream.doubled();
    let gateway = Gateway::told_by(data.path(), config(), &url).await?;
    settle(&gateway.receipts, 1, CallStatus::Ok).await?;
    until("the last is told", async || (stream.events().len() > ids.len()).then_some(())).await;
    assert_eq!(stream.doubled(), doubled, "what it has is not told again");
    gateway.stop().await?;
    serving.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_killed_tells_of_every_receipt_afterwards() -> Result<()> {
    let data = tempfile::tempdir()?;
    let stream = EventStream::default();
    let sockets = Sockets::loopback()?;
    let url = sockets.url();
    let serving = stream.serve(sockets)?;
    let mut child = start("crowd", data.path(), &url, "");
    until("some are told", async || (stream.events().len() > 50).then_some(())).await;
    kill(&mut child);
    let gateway = Gateway::told_by(data.path(), crowded(), &url).await?;
    caught_up(&gateway).await;
    let mut listed: Vec<String> = gateway
        .client
        .all("limit=1000")
        .await?
        .iter()
        .map(|it| it["run_id"].as_str().unwrap().to_owned())
        .collect();
    listed.sort();
    let told = until("all are told", async || {
        let mut told = keys(&stream.events());
        told.sort();
        (told.len() >= listed.len()).then_some(told)
    })
    .await;
    assert_eq!(told, listed);
    gateway.stop().await?;
    serving.stop().await
}
