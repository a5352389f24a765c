use pas_testkit::until;
use serde_json::{Value, json};

use crate::client::{CLIENTS, Client};
use crate::stream::Stream;

#[tokio::test]
async fn what_agents_use_comes_as_gauges_to_who_subscribes_and_to_who_does_not() {
    let stream = Stream::start(&["--gauges-ms", "100"]);
    let start = |script: &str| {
        CLIENTS.map(|(generation, transport)| {
            let asked = json!({
                "generation": generation, "url": stream.url(), "transports": [transport],
                "subscribe": {"types": ["alert"]},
            });
            (format!("{script}, {generation}.x over {transport}"), Client::start(script, &asked))
        })
    };
    let (named, framed) = (start("named.mjs"), start("follow.mjs"));
    for (_, client) in &named {
        client.waits_for("connected", 1).await;
    }
    for (_, client) in &framed {
        client.waits_for("answer", 1).await;
    }
    let beat = |agent: &str, cpu: f64, mem_mb: f64| {
        json!({
            "event_type": "heartbeat", "agent": agent, "status": "running",
            "resources": {"cpu": cpu, "mem_mb": mem_mb},
        })
    };
    stream.publish(json!([beat("Coder", 0.5, 256.0), beat("Critic", 0.25, 128.0)])).await;
    for (shown, client) in named.iter().chain(&framed) {
        let gauges = client.waits_for("gauges", 1).await;
        let told = |key: &str| gauges[key].as_f64();
        assert_eq!(
            (told("cpu"), told("mem_mb"), told("interval_ms")),
            (Some(0.75), Some(384.0), Some(100.0)),
            "{shown}"
        );
        let agents: Vec<_> =
            gauges["agents"].as_array().unwrap().iter().map(|it| (&it["agent"], &it["cpu"])).collect();
        assert_eq!(agents, [(&json!("Coder"), &json!(0.5)), (&json!("Critic"), &json!(0.25))], "{shown}");
    }

    // They go on, and the sum is of all that use something, whoever has just beaten.
    stream.publish(beat("Critic", 0.5, 128.0)).await;
    for (shown, client) in named.iter().chain(&framed) {
        let latest = async || client.said("gauges").pop().filter(|gauges| gauges["cpu"] == 1.0);
        let gauges = until(&format!("{shown}: another frame"), latest).await;
        assert_eq!(gauges["agents"], json!([{"agent": "Critic", "cpu": 0.5, "mem_mb": 128}]), "{shown}");
        assert_eq!(client.said("disconnected"), Vec::<Value>::new(), "{shown}");
    }
}
