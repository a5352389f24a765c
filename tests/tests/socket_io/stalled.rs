use std::time::Duration;

use pas_service::clock;
use pas_testkit::{until, until_within};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::client::{CLIENTS, Client};
use crate::stream::{Stream, alert, log, messages};

/// Events a second while it is measured.
const RATE: u32 = 200;
/// What a latency is measured against at the least: that long events may wait for others to go in one frame.
const COALESCED_MS: f64 = 10.0;

#[tokio::test]
async fn a_client_that_never_acks_is_dropped_and_resumes() {
    let stream = Stream::start(&["--ack-timeout-s", "1"]);
    for generation in [2, 4] {
        let asked = json!({"generation": generation, "url": stream.url(), "subscribe": {}, "deaf": true});
        let client = Client::start("follow.mjs", &asked);
        let answer = client.waits_for("answer", 1).await;
        let begun = Instant::now();
        let place = stream.publish(json!([log("one"), log("two")])).await;
        client.waits_for("disconnected", 1).await;
        let after = begun.elapsed();
        assert!((1.0..4.0).contains(&after.as_secs_f64()), "it was dropped after {after:?}");
        assert_eq!(client.said("unheard").len(), 1, "it was sent a frame, and not twice");
        let why = client.waits_for("refused", 1).await.to_string();
        assert!(why.contains("nothing was acknowledged"), "{why}");

        until("all of it has come", async || (client.framed().len() == 2).then_some(())).await;
        let since = format!("since={}:{}", answer["epoch"], answer["head"]);
        assert_eq!(client.framed(), stream.history(&since).await);
        assert_eq!(client.framed()[1]["seq"], place["last_seq"]);
    }
}

#[tokio::test]
async fn a_client_that_never_acks_is_sent_no_more_than_the_window() {
    let stream = Stream::start(&["--window", "4", "--ack-timeout-s", "5"]);
    let asked = json!({"generation": 4, "url": stream.url(), "subscribe": {}, "deaf": true});
    let client = Client::start("follow.mjs", &asked);
    client.waits_for("answer", 1).await;
    for number in 1..=4 {
        stream.publish(log(&format!("number {number}"))).await;
        client.waits_for("unheard", number).await;
    }
    for number in 5..=50 {
        stream.publish(log(&format!("number {number}"))).await;
    }
    client.waits_for("disconnected", 1).await;
    assert_eq!(client.said("unheard").len(), 4);
    until("all of it has come", async || (client.framed().len() == 50).then_some(())).await;
}

/// Publishes evenly; each says when it was sent.
async fn publish_for(stream: &Stream, time: Duration) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE);
    let end = Instant::now() + time;
    while Instant::now() < end {
        ticks.tick().await;
        let sent_us = clock::now().wall.as_microsecond();
        stream.publish(log(&sent_us.to_string())).await;
    }
}

/// How long the events of these frames took, at the 99th percentile.
fn p99_ms(frames: &[Value]) -> f64 {
    let mut took: Vec<f64> = Vec::new();
    for line in frames {
        let at_ms = line["at"].as_f64().unwrap();
        let events = line["frame"]["events"].as_array().unwrap();
        took.extend(messages(events).iter().map(|sent_us| at_ms - sent_us.parse::<f64>().unwrap() / 1000.0));
    }
    took.sort_by(f64::total_cmp);
    took[(took.len() * 99).div_ceil(100) - 1]
}

/// Stops one of three clients for so long, and measures the others before and meanwhile.
#[expect(clippy::disallowed_macros, reason = "whoever reads the test's output wants to know the figures")]
async fn stall(arguments: &[&str], stopped: Duration, dropped_within: Duration) {
    let stream = Stream::start(arguments);
    let asked = json!({
        "generation": 4, "url": stream.url(), "transports": ["websocket"], "subscribe": {"types": ["log"]},
    });
    let clients = [(); 3].map(|()| Client::start("follow.mjs", &asked));
    let [stalled, others @ ..] = &clients;
    for client in &clients {
        client.waits_for("answer", 1).await;
    }
    assert_eq!(stream.subscribers().await, Some(3.0));
    // What is measured first is slow, while everything is still cold.
    publish_for(&stream, Duration::from_secs(1)).await;
    let cold: Vec<usize> = others.iter().map(|client| client.lines("frame").len()).collect();
    publish_for(&stream, Duration::from_secs(4)).await;
    let warm: Vec<usize> = others.iter().map(|client| client.lines("frame").len()).collect();

    stalled.signal(Signal::STOP);
    let dropped = async {
        let begun = Instant::now();
        until_within(dropped_within, "it is dropped", async || {
            (stream.subscribers().await == Some(2.0)).then_some(())
        })
        .await;
        begun.elapsed()
    };
    let (dropped, ()) = tokio::join!(dropped, publish_for(&stream, stopped));

    for ((client, cold), warm) in others.iter().zip(cold).zip(warm) {
        let frames = client.lines("frame");
        let (before, meanwhile) = (p99_ms(&frames[cold..warm]), p99_ms(&frames[warm..]));
        println!("p99 {before:.1} ms before, {meanwhile:.1} ms meanwhile; dropped after {dropped:.1?}");
        assert!(
            meanwhile < 2.0 * before.max(COALESCED_MS) && meanwhile < 150.0,
            "{before}, then {meanwhile} ms"
        );
        assert_eq!(client.said("disconnected"), Vec::<Value>::new());
    }

    stalled.signal(Signal::CONT);
    let wanted = export(&stream).await;
    until("it has all that it missed", async || (stalled.framed().len() == wanted.len()).then_some(())).await;
    assert_eq!(stalled.framed(), wanted);
    assert_eq!(stream.subscribers().await, Some(3.0));
}

async fn export(stream: &Stream) -> Vec<Value> {
    let url = stream.url() + "/events/export";
    let lines = pas_testkit::http().get(url).send().await.unwrap().text().await.unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_client_that_stalls_is_dropped_and_resumes_and_nobody_else_notices() {
    stall(&["--ack-timeout-s", "2"], Duration::from_secs(5), Duration::from_secs(5)).await;
}

#[tokio::test]
#[ignore = "takes over a minute: scripts/test.sh --long runs it"]
async fn a_client_that_stalls_for_a_minute_is_dropped_in_half_of_it_and_resumes_and_nobody_else_notices() {
    stall(&[], Duration::from_secs(60), Duration::from_secs(30)).await;
}

/// What may wait for one connection: half a mebibyte, and one packet.
const WAITING_BYTES: f64 = 600_000.0;

#[tokio::test]
#[expect(clippy::disallowed_macros, reason = "whoever reads the test's output wants to know the figures")]
async fn what_waits_for_clients_that_take_nothing_is_bounded_in_bytes_and_they_are_dropped() {
    let stream = Stream::start(&["--ack-timeout-s", "3"]);
    let clients = CLIENTS.into_iter().chain(CLIENTS).map(|(generation, transport)| {
        let asked = json!({"generation": generation, "url": stream.url(), "transports": [transport]});
        Client::start("named.mjs", &asked)
    });
    let clients: Vec<Client> = clients.collect();
    for client in &clients {
        client.waits_for("connected", 1).await;
    }
    // As much as is held of the newest events, and more.
    let big = json!(vec![log(&"x".repeat(60_000)); 10]);
    for _ in 0..15 {
        stream.publish(big.clone()).await;
    }
    let before = stream.process.resident_bytes().unwrap();
    for client in &clients {
        client.signal(Signal::STOP);
    }
    let most = clients.len() as f64 * WAITING_BYTES;
    let (mut waiting, mut resident) = (0.0_f64, 0);
    // 36 MB: what the kernel takes for each connection, and more than 256 packets behind it.
    for _ in 0..60 {
        stream.publish(big.clone()).await;
        waiting = waiting.max(stream.metrics("socket_waiting_bytes").await.unwrap().into_iter().sum());
        resident = resident.max(stream.process.resident_bytes().unwrap());
    }
    let grown = resident.saturating_sub(before);
    println!("{} clients: at most {waiting} bytes waited, and {grown} more were resident", clients.len());
    assert!(waiting > 1_000_000.0 && waiting <= most, "{waiting} bytes wait for {} clients", clients.len());
    assert!(grown < 40_000_000, "{grown} bytes more are resident");
    until("all are dropped, and nothing waits for them", async || {
        let (dropped, waiting) =
            (stream.metrics("cut_off_total").await?, stream.metrics("socket_waiting").await?);
        (dropped == [8.0] && waiting == [0.0]).then_some(())
    })
    .await;

    for client in &clients {
        client.signal(Signal::CONT);
    }
    for client in &clients {
        client.waits_for("connected", 2).await;
    }
    stream.publish(alert("after")).await;
    for client in &clients {
        assert_eq!(client.waits_for("event", 1).await["service_name"], "after");
    }
}
