use pas_testkit::until;
use pas_types::event::Cursor;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::client::{CLIENTS, Client};
use crate::stream::{Stream, alert, log};

/// Keeps next to nothing, and waits long for who is slow.
const FORGETFUL: [&str; 8] =
    ["--window", "1", "--ack-timeout-s", "60", "--keep-mb", "1", "--segment-mb", "1"];

fn clients(stream: &Stream, script: &str) -> [(String, Client); 4] {
    CLIENTS.map(|(generation, transport)| {
        let asked = json!({
            "generation": generation, "url": stream.url(), "transports": [transport],
            "subscribe": {"types": ["alert"]},
        });
        (format!("{generation}.x over {transport}"), Client::start(script, &asked))
    })
}

/// Publishes until what came next for those who stopped at `place` is not kept any more, and no connection holds it.
async fn forget(stream: &Stream, place: &Value) {
    let place = place["seq"].as_u64().unwrap();
    let (big, mut published) = (json!(vec![log(&"x".repeat(60_000)); 20]), 0);
    until("retention takes what they lack", async || {
        stream.publish(big.clone()).await;
        published += 1;
        (published >= 30 && stream.oldest().await > place + 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_subscriber_that_lacks_what_retention_took_is_told_of_the_reset_and_goes_on() {
    let stream = Stream::start(&FORGETFUL);
    let clients = clients(&stream, "follow.mjs");
    for (_, client) in &clients {
        client.waits_for("answer", 1).await;
    }
    let place = stream.publish(alert("first")).await;
    for (_, client) in &clients {
        client.waits_for("frame", 1).await;
        client.signal(Signal::STOP);
    }
    // The window is closed with the first of these that goes out.
    stream.publish(alert("second")).await;
    let lacked = stream.publish(alert("third")).await;
    forget(&stream, &lacked).await;
    for (_, client) in &clients {
        client.signal(Signal::CONT);
    }
    let mut resets = Vec::new();
    for (shown, client) in &clients {
        let reset = client.waits_for("subscribed", 2).await;
        let oldest = reset["oldest"].as_u64().unwrap();
        assert_eq!(reset["mode"], "reset", "{shown}");
        assert!(oldest > lacked["seq"].as_u64().unwrap(), "{shown}: {reset}");
        resets.push(Cursor { epoch: place["epoch"].as_u64().unwrap(), seq: reset["head"].as_u64().unwrap() });
    }
    stream.publish(alert("last")).await;
    for ((shown, client), reset) in clients.iter().zip(resets) {
        let is_last =
            |frame: &Value| frame["events"].as_array().unwrap().iter().any(|it| it["service_name"] == "last");
        let frames = until(&format!("{shown} goes on"), async || {
            Some(client.said("frame")).filter(|frames| frames.iter().any(is_last))
        })
        .await;
        let names: Vec<_> = frames
            .iter()
            .flat_map(|frame| frame["events"].as_array().unwrap())
            .map(|event| event["service_name"].as_str().unwrap())
            .collect();
        // What was on its way when it was stopped has come, too.
        let in_order: Vec<_> =
            ["first", "second", "third", "last"].into_iter().filter(|it| names.contains(it)).collect();
        assert_eq!((&names, names[0]), (&in_order, "first"), "{shown}: nothing comes twice");
        let after = frames.iter().find(|frame| frame["from"] == reset.to_string());
        assert!(
            after.is_some(),
            "{shown}: a frame begins where it was told that it goes on, at {reset}: {frames:?}"
        );
        assert_eq!(client.said("disconnected"), Vec::<Value>::new(), "{shown}: on the same connection");
    }
}

#[tokio::test]
async fn who_is_sent_everything_and_lacks_what_retention_took_is_told_of_the_reset_and_goes_on() {
    let stream = Stream::start(&FORGETFUL);
    let clients = clients(&stream, "named.mjs");
    for (_, client) in &clients {
        client.waits_for("connected", 1).await;
        client.signal(Signal::STOP);
    }
    let place = stream.publish(alert("first")).await;
    forget(&stream, &place).await;
    until("they lack what was taken", async || {
        let oldest = stream.oldest().await;
        let places = stream.places().await;
        (places.len() == 4 && places.iter().all(|at| at + 1 < oldest)).then_some(())
    })
    .await;
    for (_, client) in &clients {
        client.signal(Signal::CONT);
    }
    for (shown, client) in &clients {
        let reset = client.waits_for("reset", 1).await;
        assert_eq!(reset["mode"], "reset", "{shown}");
    }
    stream.publish(alert("last")).await;
    for (shown, client) in &clients {
        until(&format!("{shown} goes on"), async || {
            client.said("event").last().filter(|event| event["service_name"] == "last").map(drop)
        })
        .await;
        assert_eq!(client.said("disconnected"), Vec::<Value>::new(), "{shown}: on the same connection");
    }
}
