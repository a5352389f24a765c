use std::time::Duration;

use pas_testkit::{until, until_within};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::client::Client;
use crate::stream::{Stream, log};

const COUNT: usize = 500;

/// So many clients, half of them of each generation.
struct Crowd([Client; 2]);

impl Crowd {
    fn start(stream: &Stream, transports: &[&str]) -> Self {
        let half = |generation| {
            let asked = json!({
                "generation": generation, "url": stream.url(), "count": COUNT / 2, "transports": transports,
            });
            Client::start("crowd.mjs", &asked)
        };
        Self([half(2), half(4)])
    }

    /// Waits until all of each half are subscribed for the nth time.
    async fn is_subscribed(&self, times: usize, patience: Duration) {
        until_within(patience, "everybody is there", async || {
            let is_there = |half: &Client| {
                half.said("everybody").iter().filter(|it| **it == "subscribed").count() == times
            };
            self.0.iter().all(is_there).then_some(())
        })
        .await;
    }

    /// Waits until everybody has received this event.
    async fn has(&self, seq: &Value) {
        until("everybody has received it", async || {
            let has = |half: &Client| half.lines("everybody").iter().any(|line| line["seq"] == *seq);
            self.0.iter().all(has).then_some(())
        })
        .await;
    }
}

#[expect(clippy::disallowed_macros, reason = "whoever reads the test's output wants to know the figure")]
async fn are_back_after_a_kill(transports: &[&str]) {
    let mut stream = Stream::start(&[]);
    let crowd = Crowd::start(&stream, transports);
    crowd.is_subscribed(1, pas_testkit::PATIENCE).await;
    let first = stream.publish(log("to everybody")).await;
    crowd.has(&first["seq"]).await;

    stream.process.kill().unwrap();
    for half in &crowd.0 {
        half.waits_for("nobody", 1).await;
    }
    stream.process.restart().unwrap();
    let begun = Instant::now();
    crowd.is_subscribed(2, Duration::from_secs(5)).await;
    println!("{COUNT} clients are back after {:.1?} by {}", begun.elapsed(), transports.join(" and "));
    let last = stream.publish(log("to everybody again")).await;
    crowd.has(&last["seq"]).await;
    for half in &crowd.0 {
        assert_eq!(half.said("fault"), Vec::<Value>::new());
    }
}

#[tokio::test]
async fn five_hundred_clients_are_back_within_five_seconds_of_a_kill() {
    are_back_after_a_kill(&["websocket"]).await;
}

#[tokio::test]
async fn five_hundred_clients_that_begin_by_polling_are_back_within_five_seconds_of_a_kill() {
    are_back_after_a_kill(&["polling", "websocket"]).await;
}

#[tokio::test]
async fn five_hundred_clients_that_only_poll_are_back_within_five_seconds_of_a_kill() {
    are_back_after_a_kill(&["polling"]).await;
}
