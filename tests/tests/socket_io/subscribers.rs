use pas_testkit::until;
use serde_json::{Value, json};

use crate::client::{CLIENTS, Client};
use crate::stream::{Stream, after, alert, log, progress};

#[tokio::test]
async fn a_subscriber_is_sent_what_it_asked_for_in_frames_that_it_acks() {
    let stream = Stream::start(&[]);
    for (generation, transport) in CLIENTS {
        let shown = format!("{generation}.x over {transport}");
        let head = stream.publish(log("before")).await;
        let client = Client::start(
            "follow.mjs",
            &json!({
                "generation": generation, "url": stream.url(), "transports": [transport],
                "subscribe": {"types": ["log", "status_update"]},
            }),
        );
        let answer = client.waits_for("answer", 1).await;
        let place = json!({"epoch": head["epoch"], "head": head["seq"], "oldest": 1, "mode": "delta"});
        assert_eq!((&answer, client.waits_for("subscribed", 1).await), (&place, place.clone()), "{shown}");
        assert_eq!(client.said("connected"), [transport], "{shown}");

        // More than may be un-acked at once, so that acks are heard.
        for number in 0..40 {
            stream.publish(log(&format!("number {number}"))).await;
            until("it comes before the next", async || (client.framed().len() == number + 1).then_some(()))
                .await;
        }
        stream.publish(alert("not asked for")).await;
        stream.publish(json!([log("one"), alert("neither"), progress("Coder")])).await;
        until("all of it has come", async || (client.framed().len() == 42).then_some(())).await;
        let wanted = stream.history(&format!("{}&type=log&type=status_update", after(&head))).await;
        assert_eq!(client.framed(), wanted, "{shown}");
        assert_eq!(client.said("named"), Vec::<Value>::new(), "{shown}: nothing comes under its own name");
        assert_eq!(client.said("disconnected"), Vec::<Value>::new(), "{shown}");
    }
}

#[tokio::test]
async fn a_filter_by_agent_and_run_keeps_out_what_is_not_theirs() {
    let stream = Stream::start(&[]);
    let subscribe = json!({"agents": ["Coder", "Critic"], "run": "R-001"});
    let asked = json!({"generation": 4, "url": stream.url(), "subscribe": subscribe});
    let client = Client::start("follow.mjs", &asked);
    client.waits_for("answer", 1).await;
    let of_run = |agent: &str, run: &str| {
        let mut event = progress(agent);
        event["run_id"] = json!(run);
        event
    };
    let events =
        [progress("Coder"), of_run("Coder", "R-002"), of_run("Tester", "R-001"), of_run("Critic", "R-001")];
    stream.publish(json!(events)).await;
    until("what is theirs", async || (!client.framed().is_empty()).then_some(())).await;
    assert_eq!(client.framed(), stream.history("agent=Critic&run_id=R-001").await);
}

#[tokio::test]
async fn the_ten_line_client_gets_each_alert_once() {
    let stream = Stream::start(&[]);
    let clients = [2, 4].map(|generation| {
        Client::start("named.mjs", &json!({"generation": generation, "url": stream.url()}))
    });
    for client in &clients {
        client.waits_for("connected", 1).await;
    }
    // Once a connection is upgraded from polling to a websocket, too.
    let mut count = 0;
    for number in 0..20 {
        stream.publish(json!([alert(&format!("s-{number}")), log("not an alert")])).await;
        count += 1;
        for client in &clients {
            client.waits_for("event", count).await;
        }
    }
    stream.publish(json!([alert("last")])).await;
    let alerts = stream.history("type=alert").await;
    for client in &clients {
        client.waits_for("event", count + 1).await;
        assert_eq!(client.said("event"), alerts);
    }
}

#[tokio::test]
async fn a_refused_subscription_says_why_and_leaves_the_connection_as_it_was() {
    let stream = Stream::start(&[]);
    stream.publish(log("before")).await;
    let cases = [
        (json!({"types": ["hearbeat"]}), "types[0]"),
        (json!({"agents": "Coder"}), "agents"),
        (json!({"run": "../etc"}), "run"),
        (json!({"since": "yesterday"}), "since"),
        (json!({"colour": "red"}), "colour"),
    ];
    for ((subscribe, field), generation) in cases.into_iter().zip([2, 4].into_iter().cycle()) {
        let asked = json!({"generation": generation, "url": stream.url(), "subscribe": subscribe});
        let client = Client::start("follow.mjs", &asked);
        let refused = client.waits_for("refused", 1).await;
        let told = |key: &str| refused["error"][key].clone();
        assert_eq!((told("code"), told("field")), (json!("invalid_argument"), json!(field)), "{subscribe}");
        assert_eq!(client.waits_for("answer", 1).await, refused, "{subscribe}");

        let place = stream.publish(alert("afterwards")).await;
        let named = client.waits_for("event", 1).await;
        assert_eq!(named["seq"], place["seq"], "{subscribe}: it still gets what happens");
        assert_eq!(client.said("disconnected"), Vec::<Value>::new());
    }
}
