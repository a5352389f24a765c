use std::collections::BTreeMap;

use pas_testkit::until;
use serde_json::{Value, json};

use crate::client::{CLIENTS, Client};
use crate::stream::{Stream, after, log, messages};

fn follower(stream: &Stream, generation: u8, transport: &str) -> Client {
    let asked = json!({
        "generation": generation, "url": stream.url(), "transports": [transport], "subscribe": {"types": ["log"]},
    });
    Client::start("follow.mjs", &asked)
}

/// By number, each with one content, however often it came.
fn each_once(events: Vec<Value>) -> Vec<Value> {
    let mut by_seq = BTreeMap::new();
    for event in events {
        let seq = event["seq"].as_u64().unwrap();
        if let Some(before) = by_seq.insert(seq, event.clone()) {
            assert_eq!(before, event, "number {seq} came with two contents");
        }
    }
    by_seq.into_values().collect()
}

#[tokio::test]
async fn a_subscriber_misses_nothing_over_a_kill_and_a_restart() {
    let mut stream = Stream::start(&[]);
    let before = stream.publish(log("before anybody came")).await;
    let clients = CLIENTS.map(|(generation, transport)| follower(&stream, generation, transport));
    for client in &clients {
        client.waits_for("answer", 1).await;
    }
    let url = stream.url();
    let numbers = |range: std::ops::Range<u32>| range.map(|number| format!("number {number}"));
    stream.publish_surely(&url, numbers(0..50)).await;
    stream.process.kill().unwrap();
    stream.process.restart().unwrap();
    // Those who are back already, and those who are not yet, are to get these.
    stream.publish_surely(&url, numbers(50..100)).await;

    let wanted = stream.history(&after(&before)).await;
    assert_eq!(messages(&wanted), numbers(0..100).collect::<Vec<_>>());
    for (client, (generation, transport)) in clients.iter().zip(CLIENTS) {
        let shown = format!("{generation}.x over {transport}");
        until(&format!("{shown} has all"), async || {
            (messages(&client.framed()).last() == Some(&"number 99")).then_some(())
        })
        .await;
        assert_eq!(each_once(client.framed()), wanted, "{shown}");
        assert_eq!(client.said("answer")[1]["mode"], "delta", "{shown}");
    }
}

#[tokio::test]
async fn a_cursor_that_means_nothing_here_is_answered_by_a_reset_and_what_happens_from_then_on() {
    let stream = Stream::start(&[]);
    let here = stream.publish(log("one")).await;
    let epoch = here["epoch"].as_u64().unwrap();
    for (since, generation) in [(format!("{}:1", epoch + 1), 2), (format!("{epoch}:99"), 4)] {
        let asked = json!({"generation": generation, "url": stream.url(), "subscribe": {"since": since}});
        let client = Client::start("follow.mjs", &asked);
        let answer = client.waits_for("answer", 1).await;
        assert_eq!(answer["mode"], "reset", "{since}");
        let place = stream.publish(json!({"event_type": "log", "message": since})).await;
        client.waits_for("frame", 1).await;
        assert_eq!(messages(&client.framed()), [since]);
        assert_eq!(client.framed()[0]["seq"], place["seq"]);
    }
}
