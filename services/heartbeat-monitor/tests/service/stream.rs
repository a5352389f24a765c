//! Alerts from and to the event stream, over stops of either side.

use crate::monitor::Monitor;
use crate::script::{Script, time, transition};
use crate::target::nobody;
use pas_heartbeat_monitor::Config;
use pas_service::{Running, Sockets, Swarm};
use pas_testkit::{EventStream, until};
use pas_types::alert::HeartbeatAlert;
use serde_json::{Value, json};

fn free_port() -> u16 {
    Sockets::loopback().unwrap().port()
}

fn serve(stream: &EventStream, port: u16) -> Running {
    let swarm = Swarm { bind: vec!["127.0.0.1".parse().unwrap()], ..Swarm::default() };
    stream.serve(Sockets::bind(&swarm, port).unwrap()).unwrap()
}

async fn has(stream: &EventStream, count: usize) {
    until(&format!("{count} events"), async || (stream.events().len() >= count).then_some(())).await;
}

/// An alert of the gateway, as its event.
fn breaker_open(number: u64) -> Value {
    let id = format!("018f0000-0000-7000-8000-{number:012}");
    json!({
        "event_type": "alert", "ts": time(number), "alert_id": id, "idempotency_key": id,
        "alert_type": "breaker_open", "severity": "warning", "service_name": format!("upstream-{number}"),
        "missed_beats": 0, "last_seen": null, "action": "none", "acked": false, "message": "left alone for 30 s",
    })
}

fn ids(alerts: &[HeartbeatAlert]) -> Vec<String> {
    alerts.iter().map(|alert| alert.alert_id.to_string()).collect()
}

#[tokio::test]
async fn own_alerts_are_told_once_and_in_order_whoever_stops_and_starts() {
    let script = Script::default();
    let registry = script.serve(Sockets::loopback().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let (stream, port) = (EventStream::default(), free_port());
    let events_url = format!("http://127.0.0.1:{port}");
    let start =
        async || Monitor::start_on(directory.path(), &registry.url(), &events_url, Config::default()).await;
    let miss = |seq: u64, name: &str| transition(seq, seq, "beat_missed", name, 1);

    let monitor = start().await;
    script.happened([miss(1, "a"), miss(2, "b")]);
    monitor.wait_for_alerts(2).await;
    let (_, health) = monitor.get("/health").await;
    let reason = until("the stream is away", async || {
        let (_, health) = monitor.get("/health").await;
        health["checks"]["event_alerts"]["reason"].as_str().map(str::to_owned)
    })
    .await;
    assert!(reason.starts_with("alerts of other services don't come: "), "{reason}");
    assert_eq!(health["status"], "ok");
    let running = serve(&stream, port);
    has(&stream, 2).await;
    running.stop().await.unwrap();
    script.happened([miss(3, "c")]);
    monitor.wait_for_alerts(3).await;
    monitor.stop().await;

    let monitor = start().await;
    let running = serve(&stream, port);
    has(&stream, 3).await;
    let mute = r#"{"match":{"service":"quiet"},"for_s":60}"#;
    assert_eq!(monitor.post("/alerts/mute", mute).await.0.as_u16(), 200);
    script.happened([miss(4, "quiet"), miss(5, "d")]);
    has(&stream, 4).await;
    stream.happened(breaker_open(6));
    monitor.wait_for_alerts(6).await;
    // What comes after it would not be told before it, if it were told again.
    script.happened([miss(7, "e")]);
    has(&stream, 6).await;
    let alerts = monitor.wait_for_alerts(7).await;
    let told: Vec<_> =
        stream.events().iter().map(|event| event["alert_id"].as_str().unwrap().to_owned()).collect();
    let mut heard = alerts;
    heard.retain(|alert| alert.service_name != "quiet");
    assert_eq!((told, stream.doubled()), (ids(&heard), 0));
    monitor.stop().await;
    running.stop().await.unwrap();
    registry.stop().await.unwrap();
}

#[tokio::test]
async fn alerts_of_other_services_are_in_the_history_once_whatever_becomes_of_the_stream() {
    let directory = tempfile::tempdir().unwrap();
    let (stream, port) = (EventStream::default(), free_port());
    let events_url = format!("http://127.0.0.1:{port}");
    let start = async || Monitor::start_on(directory.path(), &nobody(), &events_url, Config::default()).await;
    stream.happened(breaker_open(1));
    stream.happened(json!({"event_type": "log", "ts": time(1), "message": "no alert"}));
    let mut unknown = breaker_open(2);
    unknown["alert_type"] = json!("levitation");
    stream.happened(unknown);

    let monitor = start().await;
    let running = serve(&stream, port);
    let first = monitor.wait_for_alerts(1).await.remove(0);
    let mut wanted = breaker_open(1);
    for of_the_event in ["event_type", "idempotency_key"] {
        wanted.as_object_mut().unwrap().remove(of_the_event);
    }
    wanted["service_id"] = Value::Null;
    assert_eq!(serde_json::to_value(&first).unwrap(), wanted);
    stream.happened(breaker_open(3));
    monitor.wait_for_alerts(2).await;
    assert_eq!(monitor.metric("pas_heartbeat_monitor_alerts_passed_over_total").await, Some(1.0));
    monitor.stop().await;

    stream.happened(breaker_open(4));
    let monitor = start().await;
    monitor.wait_for_alerts(3).await;
    running.stop().await.unwrap();
    // It lost its journal; what is published again is known by its id.
    stream.lose();
    for number in [3, 4, 5] {
        stream.happened(breaker_open(number));
    }
    let running = serve(&stream, port);
    let alerts = monitor.wait_for_alerts(4).await;
    let names: Vec<_> = alerts.iter().map(|alert| alert.service_name.as_str()).collect();
    assert_eq!(names, ["upstream-1", "upstream-3", "upstream-4", "upstream-5"]);

    let (status, acked) = monitor.post(&format!("/alerts/{}/ack", first.alert_id), "").await;
    assert_eq!((status.as_u16(), &acked["acked"]), (200, &json!(true)));
    let mute = r#"{"match":{"service":"upstream-6"},"for_s":60}"#;
    assert_eq!(monitor.post("/alerts/mute", mute).await.0.as_u16(), 200);
    stream.happened(breaker_open(6));
    let muted = monitor.wait_for_alerts(5).await.remove(4);
    assert!(muted.details.is_some_and(|details| details.contains_key("muted_until")));
    monitor.stop().await;
    running.stop().await.unwrap();
}
