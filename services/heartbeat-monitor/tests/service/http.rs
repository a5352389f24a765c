//! The routes: lists and their filters, acknowledgements, mutes, and what is refused.

use crate::monitor::Monitor;
use crate::script::{Script, service_id, time, transition};
use pas_heartbeat_monitor::Config;
use pas_service::{Running, Sockets};
use pas_testkit::until;
use pas_types::alert::HeartbeatAlert;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A monitor with five alerts, from oldest to newest: a missed 1 and 2, b missed 1, a recovered, b missed 2.
struct House {
    monitor: Monitor,
    script: Script,
    registry: Running,
    directory: TempDir,
}

impl House {
    async fn start() -> Self {
        let script = Script::default();
        let registry = script.serve(Sockets::loopback().unwrap());
        script.happened([
            transition(1, 10, "beat_missed", "a", 1),
            transition(2, 20, "beat_missed", "a", 2),
            transition(3, 30, "beat_missed", "b", 1),
            transition(4, 40, "recovered", "a", 2),
            transition(5, 50, "beat_missed", "b", 2),
        ]);
        let directory = tempfile::tempdir().unwrap();
        let monitor = Monitor::start(directory.path(), &registry.url(), Config::default()).await;
        monitor.wait_for_alerts(5).await;
        Self { monitor, script, registry, directory }
    }

    async fn restart_monitor(self) -> Self {
        let Self { monitor, script, registry, directory } = self;
        monitor.stop().await;
        let monitor = Monitor::start(directory.path(), &registry.url(), Config::default()).await;
        Self { monitor, script, registry, directory }
    }

    /// Name and missed beats of the alerts that `query` lists, as they come.
    async fn list(&self, query: &str) -> Vec<(String, u64)> {
        let (status, page) = self.monitor.get(&format!("/alerts{query}")).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let alerts = page["alerts"].as_array().unwrap();
        alerts
            .iter()
            .map(|it| (it["service_name"].as_str().unwrap().to_owned(), it["missed_beats"].as_u64().unwrap()))
            .collect()
    }

    async fn end(self) {
        self.monitor.stop().await;
        self.registry.stop().await.unwrap();
    }
}

fn about(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected.iter().map(|(name, missed)| ((*name).to_owned(), *missed)).collect()
}

#[tokio::test]
async fn the_list_is_newest_first_and_keeps_to_each_filter() {
    let house = House::start().await;
    assert_eq!(house.list("").await, about(&[("b", 2), ("a", 2), ("b", 1), ("a", 2), ("a", 1)]));
    assert_eq!(house.list("?service=b").await, about(&[("b", 2), ("b", 1)]));
    assert_eq!(house.list(&format!("?service={}", service_id("b"))).await, about(&[("b", 2), ("b", 1)]));
    assert_eq!(house.list("?severity=info").await, about(&[("a", 2)]));
    assert_eq!(house.list("?type=recovered").await, about(&[("a", 2)]));
    assert_eq!(house.list("?type=heartbeat_miss&severity=critical").await, about(&[("b", 2), ("a", 2)]));
    assert_eq!(house.list(&format!("?since={}", time(40))).await, about(&[("b", 2), ("a", 2)]));
    assert_eq!(house.list("?acked=true").await, about(&[]));
    assert_eq!(house.list("?service=nobody").await, about(&[]));
    house.end().await;
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition_also_when_alerts_come_in_between() {
    let house = House::start().await;
    let (_, first) = house.monitor.get("/alerts?limit=2&service=a").await;
    assert_eq!(first["alerts"].as_array().unwrap().len(), 2);
    house.script.happened([transition(6, 60, "beat_missed", "a", 1)]);
    house.monitor.wait_for_alerts(6).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let (_, second) = house.monitor.get(&format!("/alerts?limit=2&service=a&cursor={cursor}")).await;
    assert_eq!(second["next_cursor"], Value::Null);
    assert_eq!(house.list(&format!("?limit=2&service=a&cursor={cursor}")).await, about(&[("a", 1)]));
    let (_, whole) = house.monitor.get("/alerts?limit=6").await;
    assert_eq!(whole["next_cursor"], Value::Null, "a page that holds all there is has no next one");
    house.end().await;
}

#[tokio::test]
async fn the_first_acknowledgement_of_an_alert_counts_and_outlives_a_restart() {
    let house = House::start().await;
    let alert: HeartbeatAlert = house.monitor.alerts().await.remove(0);
    let path = format!("/alerts/{}/ack", alert.alert_id);
    let (status, acked) = house.monitor.post(&path, r#"{"reason":"known"}"#).await;
    assert_eq!(status, StatusCode::OK);
    let mut expected = serde_json::to_value(&alert).unwrap();
    expected["acked"] = json!(true);
    expected["details"]["ack_reason"] = json!("known");
    expected["details"]["acked_at"] = acked["details"]["acked_at"].clone();
    assert_eq!(acked, expected);
    assert!(acked["details"]["acked_at"].is_string());

    let house = house.restart_monitor().await;
    let (status, again) = house.monitor.post(&path, "").await;
    assert_eq!((status, again), (StatusCode::OK, acked));
    assert_eq!(house.list("?acked=true").await, about(&[("a", 1)]));
    assert_eq!(house.list("?acked=false").await.len(), 4);
    house.end().await;
}

#[tokio::test]
async fn a_muted_alert_is_kept_and_says_so_and_the_mute_outlives_a_restart() {
    let house = House::start().await;
    let request = r#"{"match":{"service":"a","type":"heartbeat_miss"},"for_s":600}"#;
    let (status, mute) = house.monitor.post("/alerts/mute", request).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(mute["match"], json!({"service": "a", "type": "heartbeat_miss"}));
    let house = house.restart_monitor().await;
    let (status, mutes) = house.monitor.get("/alerts/mutes").await;
    assert_eq!((status, &mutes), (StatusCode::OK, &json!({"mutes": [mute], "next_cursor": null})));

    house
        .script
        .happened([transition(6, 60, "beat_missed", "a", 1), transition(7, 70, "beat_missed", "c", 1)]);
    let alerts = house.monitor.wait_for_alerts(7).await;
    let muted_until = |alert: &HeartbeatAlert| alert.details.as_ref()?.get("muted_until").cloned();
    assert_eq!(muted_until(&alerts[5]), Some(mute["until"].clone()));
    assert_eq!(muted_until(&alerts[6]), None);
    house.end().await;
}

#[tokio::test]
async fn a_mute_is_ended_by_a_shorter_one_of_the_same_alerts() {
    let house = House::start().await;
    for seconds in [600, 1] {
        let request = json!({"match": {"severity": "warning"}, "for_s": seconds}).to_string();
        assert_eq!(house.monitor.post("/alerts/mute", request).await.0, StatusCode::OK);
    }
    until("the end of the mute", async || {
        let (_, mutes) = house.monitor.get("/alerts/mutes").await;
        (mutes["mutes"] == json!([])).then_some(())
    })
    .await;
    house.end().await;
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_name_and_changes_nothing() {
    let house = House::start().await;
    let unknown = "018f0000-0000-7000-8000-000000000009";
    let mute = |body: &str| ("POST", "/alerts/mute".to_owned(), body.to_owned());
    let ack = |id: &str, body: &str| ("POST", format!("/alerts/{id}/ack"), body.to_owned());
    let list = |query: &str| ("GET", format!("/alerts?{query}"), String::new());
    let alert_id = house.monitor.alerts().await[0].alert_id.to_string();
    let cases = [
        (
            list("severity=loud"),
            400,
            "severity",
            "`loud` is not a known severity: use one of info, warning, critical",
        ),
        (list("type=noise"), 400, "type", "`noise` is not a known alert type"),
        (list("since=yesterday"), 400, "since", "use an RFC 3339 time"),
        (list("acked=maybe"), 400, "acked", "use true or false"),
        (list("limit=0"), 400, "limit", "use a whole number from 1 to 1000"),
        (list("limit=1001"), 400, "limit", "use a whole number from 1 to 1000"),
        (list("colour=red"), 400, "colour", "use since, severity, service, type, acked, limit or cursor"),
        (list("cursor=here"), 400, "cursor", "the cursor names no place"),
        (list(&format!("cursor={unknown}")), 400, "cursor", "the cursor names no place"),
        (list("service="), 400, "service", "use 1 to 256"),
        (ack(unknown, ""), 404, "alert_id", "there is no alert"),
        (ack("first", ""), 400, "alert_id", "`first` in the path"),
        (ack(&alert_id, r#"{"why":"known"}"#), 400, "why", "unknown field `why`, expected `reason`"),
        (ack(&alert_id, r#"{"reason":7}"#), 400, "reason", "invalid type: integer `7`, expected a string"),
        (ack(&alert_id, &json!({"reason": "x".repeat(1025)}).to_string()), 400, "reason", "1025 bytes"),
        (mute(""), 400, "", "the body is empty"),
        (mute("{"), 400, "", "the body is not valid JSON"),
        (mute(r#"{"match":{},"for_s":60}"#), 400, "match", "would mute every alert"),
        (mute(r#"{"match":{"service":"a"}}"#), 400, "for_s", "missing field `for_s`"),
        (mute(r#"{"match":{"service":"a"},"for_s":0}"#), 400, "for_s", "1"),
        (mute(r#"{"match":{"service":"a"},"for_s":-1}"#), 400, "for_s", "expected a whole number, 0 or more"),
        (mute(r#"{"match":{"service":"a"},"for_s":604801}"#), 400, "for_s", "604800"),
        (mute(r#"{"match":{"severity":"loud"},"for_s":60}"#), 400, "match.severity", "loud"),
        (mute(r#"{"match":{"names":"a"},"for_s":60}"#), 400, "match.names", "unknown field `names`"),
    ];
    for ((method, path, body), status, field, said) in cases {
        let (answered, envelope) = match method {
            "GET" => house.monitor.get(&path).await,
            _ => house.monitor.post(&path, body.clone()).await,
        };
        let error = &envelope["error"];
        let case = format!("{method} {path} {body} → {envelope}");
        assert_eq!(answered.as_u16(), status, "{case}");
        assert_eq!(error["field"].as_str().unwrap_or_default(), field, "{case}");
        assert!(error["message"].as_str().unwrap().contains(said), "{case}");
        let code = if status == 404 { "not_found" } else { "invalid_argument" };
        assert_eq!((error["code"].as_str(), error["fault"].as_str()), (Some(code), Some("caller")), "{case}");
    }
    assert_eq!(house.list("?acked=true").await, about(&[]));
    assert_eq!(house.monitor.get("/alerts/mutes").await.1["mutes"], json!([]));
    house.end().await;
}

#[tokio::test]
async fn the_description_names_every_route() {
    let house = House::start().await;
    let (_, described) = house.monitor.get("/openapi.json").await;
    let paths: Vec<&str> = described["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let own = ["/alerts", "/alerts/mute", "/alerts/mutes", "/alerts/{alert_id}/ack"];
    let every_services = ["/health", "/metrics", "/openapi.json"];
    assert_eq!(paths, [&own[..], &every_services].concat());
    assert_eq!(described, serde_json::to_value(pas_heartbeat_monitor::openapi()).unwrap());
    house.end().await;
}
