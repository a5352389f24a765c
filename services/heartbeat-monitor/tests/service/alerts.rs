//! From the registry's history to alerts, over restarts of either side.

use crate::monitor::Monitor;
use crate::script::{Script, service_id, time, transition};
use pas_heartbeat_monitor::Config;
use pas_service::Sockets;
use pas_testkit::until;
use pas_types::alert::{AlertAction, AlertType, HeartbeatAlert, Severity};

/// Type, service, missed beats.
fn in_short(alerts: &[HeartbeatAlert]) -> Vec<(AlertType, &str, u32)> {
    alerts.iter().map(|alert| (alert.alert_type, alert.service_name.as_str(), alert.missed_beats)).collect()
}

#[tokio::test]
async fn each_missed_beat_raises_its_alert_and_so_does_the_recovery() {
    let script = Script::default();
    let registry = script.serve(Sockets::loopback().unwrap());
    script.happened([
        transition(1, 1, "registered", "llama", 0),
        transition(2, 90, "beat_missed", "llama", 1),
        transition(3, 95, "recovered", "llama", 1),
        transition(4, 190, "beat_missed", "llama", 1),
        transition(5, 250, "beat_missed", "llama", 2),
        transition(6, 310, "evicted", "llama", 3),
        transition(7, 311, "deregistered", "gpt", 0),
    ]);
    let directory = tempfile::tempdir().unwrap();
    let monitor = Monitor::start(directory.path(), &registry.url(), Config::default()).await;
    let alerts = monitor.wait_for_alerts(5).await;

    let miss = |second, missed_beats, severity, action, message: &str| {
        (AlertType::HeartbeatMiss, severity, missed_beats, action, time(second), Some(message.to_owned()))
    };
    let one = "llama missed a beat and is degraded";
    let two = "llama missed 2 beats in a row, is down and not offered any more";
    let three = "llama missed 3 beats in a row and is no longer registered";
    let misses = [
        miss(90, 1, Severity::Warning, AlertAction::MarkedDegraded, one),
        miss(190, 1, Severity::Warning, AlertAction::MarkedDegraded, one),
        miss(250, 2, Severity::Critical, AlertAction::MarkedDown, two),
        miss(310, 3, Severity::Critical, AlertAction::Deregistered, three),
    ];
    let found: Vec<_> = alerts
        .iter()
        .filter(|alert| alert.alert_type == AlertType::HeartbeatMiss)
        .map(|it| (it.alert_type, it.severity, it.missed_beats, it.action, it.ts, it.message.clone()))
        .collect();
    assert_eq!(found, misses);
    assert_eq!(in_short(&alerts)[1], (AlertType::Recovered, "llama", 1));
    assert!(alerts.iter().all(|alert| alert.service_id.unwrap().to_string() == service_id("llama")));
    let counted = r#"pas_heartbeat_monitor_alerts_total{type="heartbeat_miss",severity="critical"}"#;
    assert_eq!(monitor.metric(counted).await, Some(2.0));
    monitor.stop().await;
    registry.stop().await.unwrap();
}

#[tokio::test]
async fn alerts_go_on_where_they_stopped_when_the_monitor_was_away() {
    let script = Script::default();
    let registry = script.serve(Sockets::loopback().unwrap());
    let directory = tempfile::tempdir().unwrap();
    script.happened([transition(1, 1, "beat_missed", "a", 1), transition(2, 2, "beat_missed", "b", 1)]);
    let monitor = Monitor::start(directory.path(), &registry.url(), Config::default()).await;
    let before = monitor.wait_for_alerts(2).await;
    monitor.stop().await;

    script.happened([transition(3, 3, "recovered", "a", 1)]);
    let monitor = Monitor::start(directory.path(), &registry.url(), Config::default()).await;
    let after = monitor.wait_for_alerts(3).await;
    assert_eq!(after[..2], before);
    assert_eq!(in_short(&after)[2], (AlertType::Recovered, "a", 1));
    monitor.stop().await;
    registry.stop().await.unwrap();
}

#[tokio::test]
async fn a_registry_that_lost_its_database_is_followed_from_its_new_beginning() {
    let script = Script::default();
    let registry = script.serve(Sockets::loopback().unwrap());
    let directory = tempfile::tempdir().unwrap();
    script.happened([transition(7, 1, "beat_missed", "a", 1), transition(9, 2, "beat_missed", "a", 2)]);
    let monitor = Monitor::start(directory.path(), &registry.url(), Config::default()).await;
    monitor.wait_for_alerts(2).await;

    // Its numbers begin anew and meet old ones; the times say that it is not the same that happened.
    script.lose_history([transition(7, 50, "beat_missed", "b", 1)]);
    let alerts = monitor.wait_for_alerts(3).await;
    let expected = [
        (AlertType::HeartbeatMiss, "a", 1),
        (AlertType::HeartbeatMiss, "a", 2),
        (AlertType::HeartbeatMiss, "b", 1),
    ];
    assert_eq!(in_short(&alerts), expected);
    monitor.stop().await;
    registry.stop().await.unwrap();
}

#[tokio::test]
async fn a_registry_that_was_restored_from_a_backup_doubles_no_alert() {
    let script = Script::default();
    let registry = script.serve(Sockets::loopback().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let old = [transition(1, 1, "beat_missed", "a", 1), transition(2, 2, "beat_missed", "a", 2)];
    script.happened(old.clone());
    script.happened([transition(3, 3, "evicted", "a", 3)]);
    let monitor = Monitor::start(directory.path(), &registry.url(), Config::default()).await;
    let before = monitor.wait_for_alerts(3).await;

    script.lose_history(old);
    script.happened([transition(1 << 32, 90, "beat_missed", "a", 1)]);
    let after = monitor.wait_for_alerts(4).await;
    assert_eq!(after[..3], before);
    assert_eq!(in_short(&after)[3], (AlertType::HeartbeatMiss, "a", 1));
    monitor.stop().await;
    registry.stop().await.unwrap();
}

#[tokio::test]
async fn what_a_newer_registry_says_and_nobody_here_understands_stops_nothing() {
    let script = Script::default();
    let registry = script.serve(Sockets::loopback().unwrap());
    let directory = tempfile::tempdir().unwrap();
    script.happened([transition(1, 1, "levitated", "a", 0), transition(2, 2, "beat_missed", "a", 1)]);
    let monitor = Monitor::start(directory.path(), &registry.url(), Config::default()).await;
    let alerts = monitor.wait_for_alerts(1).await;
    assert_eq!(in_short(&alerts), [(AlertType::HeartbeatMiss, "a", 1)]);
    monitor.stop().await;
    registry.stop().await.unwrap();
}

#[tokio::test]
async fn a_service_that_flaps_is_said_to_flap_once_also_over_a_restart() {
    let script = Script::default();
    let registry = script.serve(Sockets::loopback().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let reported = |seq: u64| {
        let (from, to) = if seq.is_multiple_of(2) { ("degraded", "ok") } else { ("ok", "degraded") };
        let mut transition = transition(seq, seq, "reported", "a", 0);
        (transition.from_status, transition.to_status) = (Some(from.to_owned()), Some(to.to_owned()));
        transition
    };
    let config = Config { flapping_changes: 4, ..Config::default() };
    script.happened((1..=3).map(reported));
    script.happened([transition(4, 4, "beat_missed", "b", 1)]);
    let monitor = Monitor::start(directory.path(), &registry.url(), config.clone()).await;
    assert_eq!(in_short(&monitor.wait_for_alerts(1).await), [(AlertType::HeartbeatMiss, "b", 1)]);
    monitor.stop().await;

    script.happened((5..=9).map(reported));
    script.happened([transition(10, 10, "beat_missed", "a", 1)]);
    let monitor = Monitor::start(directory.path(), &registry.url(), config).await;
    let alerts = monitor.wait_for_alerts(3).await;
    assert_eq!(in_short(&alerts)[1..], [(AlertType::Flapping, "a", 0), (AlertType::HeartbeatMiss, "a", 1)]);
    assert_eq!(alerts[1].ts, time(5), "the fourth change, of which three were before the restart");
    assert_eq!(alerts[1].message.as_deref(), Some("a changed its status 4 times within 600 s"));
    monitor.stop().await;
    registry.stop().await.unwrap();
}

#[tokio::test]
async fn a_registry_that_falls_silent_is_said_to_be_silent_once_and_back_once_also_over_a_restart() {
    let script = Script::default();
    let sockets = Sockets::loopback().unwrap();
    let port = sockets.port();
    let registry = script.serve(sockets);
    let url = registry.url();
    let directory = tempfile::tempdir().unwrap();
    let config = Config { registry_silent_s: 1, ..Config::default() };
    let monitor = Monitor::start(directory.path(), &url, config.clone()).await;
    // It must have heard the registry, to say when that was.
    script.happened([transition(1, 1, "beat_missed", "a", 1)]);
    monitor.wait_for_alerts(1).await;
    registry.stop().await.unwrap();
    let alerts = monitor.wait_for_alerts(2).await;
    assert_eq!(in_short(&alerts)[1], (AlertType::RegistrySilent, "registry", 0));
    assert!(alerts[1].last_seen.is_some());
    let (status, health) = monitor.get("/health").await;
    assert_eq!((status.as_u16(), health["status"].as_str()), (200, Some("degraded")));
    assert_eq!(health["checks"]["registry_voice"]["reason"], "the registry has said nothing for 1 s");
    assert_eq!(monitor.metric("pas_heartbeat_monitor_registry_silent").await, Some(1.0));
    monitor.stop().await;

    let monitor = Monitor::start(directory.path(), &url, config).await;
    until("time enough to say it again", async || {
        let (_, health) = monitor.get("/health").await;
        health["uptime_s"].as_u64().filter(|uptime| *uptime >= 3)
    })
    .await;
    let swarm = pas_service::Swarm { bind: vec!["127.0.0.1".parse().unwrap()], ..Default::default() };
    let registry = script.serve(Sockets::bind(&swarm, port).unwrap());
    let alerts = monitor.wait_for_alerts(3).await;
    assert_eq!(in_short(&alerts)[2], (AlertType::RegistryBack, "registry", 0));
    assert_eq!(monitor.metric("pas_heartbeat_monitor_registry_silent").await, Some(0.0));
    monitor.stop().await;
    registry.stop().await.unwrap();
}

#[tokio::test]
async fn a_database_that_refuses_writes_costs_no_alert_and_is_said() {
    let script = Script::default();
    let registry = script.serve(Sockets::loopback().unwrap());
    let directory = tempfile::tempdir().unwrap();
    script.happened([transition(1, 1, "beat_missed", "a", 1)]);
    let monitor = Monitor::start(directory.path(), &registry.url(), Config::default()).await;
    let first = monitor.wait_for_alerts(1).await.remove(0);
    let store_check = async |wanted: &str| {
        until(wanted, async || {
            let (_, health) = monitor.get("/health").await;
            (health["checks"]["store"]["status"] == wanted).then_some(())
        })
        .await;
    };
    let database = rusqlite::Connection::open(directory.path().join("heartbeat_monitor/alerts.db")).unwrap();
    let change = |sql: &str| database.execute_batch(sql).unwrap();
    change("CREATE TRIGGER full_1 BEFORE INSERT ON alerts BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    change("CREATE TRIGGER full_2 BEFORE UPDATE ON alerts BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    change("CREATE TRIGGER full_3 BEFORE INSERT ON mutes BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    script.happened([transition(2, 2, "beat_missed", "a", 2)]);
    store_check("degraded").await;
    let ack = format!("/alerts/{}/ack", first.alert_id);
    let mute = r#"{"match":{"service":"a"},"for_s":60}"#;
    for (path, body) in [(ack.as_str(), ""), ("/alerts/mute", mute)] {
        let (status, envelope) = monitor.post(path, body).await;
        assert_eq!((status.as_u16(), &envelope["error"]["code"]), (503, &"unavailable".into()), "{path}");
        assert!(
            !envelope["error"]["message"].as_str().unwrap().contains("disk"),
            "internal text: {envelope}"
        );
    }
    assert_eq!(monitor.alerts().await, [first]);
    assert_eq!(monitor.get("/alerts/mutes").await.1["mutes"], serde_json::json!([]));

    change("DROP TRIGGER full_1; DROP TRIGGER full_2; DROP TRIGGER full_3");
    let alerts = monitor.wait_for_alerts(2).await;
    assert_eq!(in_short(&alerts)[1], (AlertType::HeartbeatMiss, "a", 2));
    store_check("ok").await;
    assert_eq!(monitor.post(&ack, "").await.0.as_u16(), 200);
    monitor.stop().await;
    registry.stop().await.unwrap();
}
