//! The monitor beside the real registry.

use std::path::Path;

use pas_heartbeat_monitor::Config;
use pas_service::{Running, Settings, Sockets, Swarm};
use pas_testkit::{http, until};
use pas_types::alert::{AlertAction, AlertType, HeartbeatAlert, Severity};
use pas_types::limits;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::monitor::Monitor;
use crate::target::{self, Target};

/// A registry with its data in `data_dir`.
async fn registry(data_dir: &Path, sockets: Sockets) -> Running {
    let swarm =
        Swarm { data_dir: data_dir.to_owned(), events_url: target::nobody(), grace_s: 0, ..Swarm::default() };
    let service = pas_registry::Config { boot_grace_s: 1, sweep_ms: 50, ..Default::default() };
    pas_registry::start(Settings { swarm, service }, sockets, CancellationToken::new()).await.unwrap()
}

/// The port of a registry that has ended.
fn same_port(port: u16) -> Sockets {
    let swarm = Swarm { bind: vec!["127.0.0.1".parse().unwrap()], ..Swarm::default() };
    Sockets::bind(&swarm, port).unwrap()
}

async fn register(registry_url: &str, registration: Value) -> String {
    let answer = http().post(format!("{registry_url}/register")).json(&registration).send().await.unwrap();
    let registered: Value = answer.error_for_status().unwrap().json().await.unwrap();
    registered["service_id"].as_str().unwrap().to_owned()
}

async fn service(registry_url: &str, service_id: &str) -> Value {
    let answer = http().get(format!("{registry_url}/services/{service_id}")).send().await.unwrap();
    let detail: Value = answer.json().await.unwrap();
    detail["service"].clone()
}

/// An agent as somebody registers it with curl: it has no server, and never beats.
fn agent(name: &str) -> Value {
    json!({"name": name, "type": "agent", "role": "execution", "heartbeat_interval_s": 1, "ttl_s": 1})
}

/// A model that answers at `url`, and is not expected to beat within this test.
fn model(name: &str, url: &str) -> Value {
    json!({"name": name, "type": "model", "role": "production", "url": url, "heartbeat_interval_s": 600, "ttl_s": 900})
}

async fn wait_for(monitor: &Monitor, alert_type: AlertType, service_name: &str) -> HeartbeatAlert {
    until(&format!("{alert_type} of {service_name}"), async || {
        let alerts = monitor.alerts().await;
        alerts.into_iter().find(|alert| alert.alert_type == alert_type && alert.service_name == service_name)
    })
    .await
}

#[tokio::test]
async fn each_beat_that_an_agent_misses_raises_its_alert_until_it_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let registry = registry(directory.path(), Sockets::loopback().unwrap()).await;
    let config = Config { probe_interval_s: 1, ..Config::default() };
    let monitor = Monitor::start(directory.path(), &registry.url(), config).await;
    let service_id = register(&registry.url(), agent("lonely")).await;
    assert_eq!(service(&registry.url(), &service_id).await["probe"]["reachability"], "unprobed");
    let alerts = monitor.wait_for_alerts(3).await;
    let found: Vec<_> = alerts
        .iter()
        .map(|it| (it.alert_type, it.severity, it.missed_beats, it.action, it.service_name.as_str()))
        .collect();
    use AlertType::HeartbeatMiss;
    let expected = [
        (HeartbeatMiss, Severity::Warning, 1, AlertAction::MarkedDegraded, "lonely"),
        (HeartbeatMiss, Severity::Critical, 2, AlertAction::MarkedDown, "lonely"),
        (HeartbeatMiss, Severity::Critical, 3, AlertAction::Deregistered, "lonely"),
    ];
    assert_eq!(found, expected);
    assert!(alerts.iter().all(|alert| alert.service_id.unwrap().to_string() == service_id));
    assert!(alerts.iter().all(|alert| alert.last_seen == alerts[0].last_seen));
    monitor.stop().await;
    registry.stop().await.unwrap();
}

#[tokio::test]
async fn a_service_that_stops_answering_is_degraded_and_one_that_never_answered_is_not() {
    let (target, nobody) = (Target::start(&target::http("200 OK", "", "")).await, target::nobody());
    let directory = tempfile::tempdir().unwrap();
    let registry = registry(directory.path(), Sockets::loopback().unwrap()).await;
    let config = Config { probe_interval_s: 1, probe_failures: 1, ..Config::default() };
    let monitor = Monitor::start(directory.path(), &registry.url(), config).await;
    let never = register(&registry.url(), model("never", &nobody)).await;
    let stops = register(&registry.url(), model("stops", &target.url())).await;
    let probe = async |wanted: &str| {
        until(wanted, async || {
            let service = service(&registry.url(), &stops).await;
            (service["probe"]["reachability"] == wanted).then_some(service)
        })
        .await
    };
    assert_eq!(probe("reachable").await["status"], "ok");
    target.answer(&target::http("500 Internal Server Error", "", ""));
    let degraded = probe("unreachable").await;
    assert_eq!(
        (&degraded["status"], &degraded["status_reasons"]),
        (&json!("degraded"), &json!(["probe: answered 500"]))
    );
    let alert = wait_for(&monitor, AlertType::Unreachable, "stops").await;
    assert_eq!((alert.severity, alert.action), (Severity::Warning, AlertAction::MarkedDegraded));

    target.answer(&target::http("200 OK", "", ""));
    let alert = wait_for(&monitor, AlertType::Reachable, "stops").await;
    assert_eq!((alert.severity, alert.action), (Severity::Info, AlertAction::Recovered));
    let never = service(&registry.url(), &never).await;
    assert_eq!((&never["status"], &never["probe"]["reachability"]), (&json!("ok"), &json!("unprobed")));
    monitor.stop().await;
    registry.stop().await.unwrap();
}

#[tokio::test]
async fn a_registry_that_comes_back_is_followed_on_and_told_again_what_answers() {
    let target = Target::start(&target::http("200 OK", "", "")).await;
    let directory = tempfile::tempdir().unwrap();
    let first = registry(directory.path(), Sockets::loopback().unwrap()).await;
    let (url, port) = (first.url(), first.port());
    let config = Config { probe_interval_s: 1, registry_silent_s: 1, ..Config::default() };
    let monitor = Monitor::start(directory.path(), &url, config).await;
    register(&url, agent("before")).await;
    let model_id = register(&url, model("stays", &target.url())).await;
    monitor.wait_for_alerts(3).await;
    first.stop().await.unwrap();
    let alert = wait_for(&monitor, AlertType::RegistrySilent, "registry").await;
    assert_eq!((alert.severity, alert.service_id), (Severity::Critical, None));

    let second = registry(directory.path(), same_port(port)).await;
    wait_for(&monitor, AlertType::RegistryBack, "registry").await;
    until("the probe to be told again", async || {
        (service(&url, &model_id).await["probe"]["reachability"] == "reachable").then_some(())
    })
    .await;
    register(&url, agent("after")).await;
    let alerts = until("the second agent's end", async || {
        let alerts = monitor.alerts().await;
        let is_end = |alert: &&HeartbeatAlert| alert.action == AlertAction::Deregistered;
        (alerts.iter().filter(is_end).count() == 2).then_some(alerts)
    })
    .await;
    let misses = |name: &str| alerts.iter().filter(|alert| alert.service_name == name).count();
    assert_eq!((misses("before"), misses("after")), (3, 3));
    monitor.stop().await;
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_registry_that_lost_its_database_loses_no_alert_and_doubles_none() {
    let (data, other_data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = registry(data.path(), Sockets::loopback().unwrap()).await;
    let (url, port) = (first.url(), first.port());
    let monitor = Monitor::start(data.path(), &url, Config::default()).await;
    register(&url, agent("before")).await;
    let before = monitor.wait_for_alerts(3).await;
    first.stop().await.unwrap();

    let second = registry(other_data.path(), same_port(port)).await;
    register(&url, agent("after")).await;
    let alerts = until("the second agent's end", async || {
        let alerts = monitor.alerts().await;
        alerts.iter().any(|it| it.service_name == "after" && it.missed_beats == 3).then_some(alerts)
    })
    .await;
    assert_eq!(alerts[..3], before);
    let of_after = alerts.iter().filter(|alert| alert.service_name == "after");
    assert_eq!(of_after.map(|alert| alert.missed_beats).collect::<Vec<_>>(), [1, 2, 3]);
    monitor.stop().await;
    second.stop().await.unwrap();
}

#[tokio::test]
async fn services_that_say_as_much_of_themselves_as_they_may_are_watched_all_the_same() {
    let target = Target::start(&target::http("200 OK", "", "")).await;
    let directory = tempfile::tempdir().unwrap();
    let registry = registry(directory.path(), Sockets::loopback().unwrap()).await;
    let labels: serde_json::Map<String, Value> =
        (0..limits::LABELS).map(|n| (format!("label-{n}"), json!("x".repeat(limits::LABEL_BYTES)))).collect();
    for n in 0..40 {
        let mut wordy = model(&format!("wordy-{n}"), &target.url());
        wordy["labels"] = Value::Object(labels.clone());
        register(&registry.url(), wordy).await;
    }
    let config = Config { probe_interval_s: 1, ..Config::default() };
    let monitor = Monitor::start(directory.path(), &registry.url(), config).await;
    until("all to be known", async || {
        let probed = monitor.metric("pas_heartbeat_monitor_probed_services").await;
        // The registry and the monitor are on the list too.
        probed.filter(|count| *count == 42.0)
    })
    .await;
    monitor.stop().await;
    registry.stop().await.unwrap();
}
