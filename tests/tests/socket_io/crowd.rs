use std::time::Duration;

use pas_testkit::{until, until_within};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::client::Client;
use crate::stream::{Stream, log};

const COUNT: u32 = 500;

/// Waits until everybody has received this event.
async fn everybody_has(crowd: &Client, seq: &Value) {
    until("everybody has received it", async || {
        crowd.lines("everybody").iter().any(|line| line["seq"] == *seq).then_some(())
    })
    .await;
}

#[tokio::test]
#[expect(clippy::disallowed_macros, reason = "whoever reads the test's output wants to know the figure")]
async fn five_hundred_clients_are_back_within_five_seconds_of_a_restart() {
    let mut stream = Stream::start(&[]);
    let crowd = Client::start("crowd.mjs", &json!({"generation": 4, "url": stream.url(), "count": COUNT}));
    crowd.waits_for("everybody", 1).await;
    let first = stream.publish(log("to everybody")).await;
    everybody_has(&crowd, &first["seq"]).await;

    stream.process.kill().unwrap();
    crowd.waits_for("nobody", 1).await;
    stream.process.restart().unwrap();
    let begun = Instant::now();
    until_within(Duration::from_secs(5), "everybody is back", async || {
        let lines = crowd.said("everybody");
        (lines.iter().filter(|what| **what == "subscribed").count() == 2).then_some(())
    })
    .await;
    println!("{COUNT} clients are back after {:.1?}", begun.elapsed());
    let last = stream.publish(log("to everybody again")).await;
    everybody_has(&crowd, &last["seq"]).await;
    assert_eq!(crowd.said("fault"), Vec::<Value>::new());
}
