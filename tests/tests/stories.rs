//! Stories over the whole swarm: what a person would see, through the doors that a person uses.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use pas_service::{Running, Settings, Sockets, Swarm};
use pas_testkit::{http, until};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// Every service that exists, in this process, on free ports, over one data directory.
struct Whole {
    registry: Running,
    monitor: Running,
}

impl Whole {
    async fn start(data_dir: &Path) -> Self {
        let sockets = Sockets::loopback().unwrap();
        let swarm = Swarm {
            data_dir: data_dir.to_owned(),
            registry_url: format!("http://127.0.0.1:{}", sockets.port()),
            // Nobody is there; none of these stories needs it.
            events_url: format!("http://127.0.0.1:{}", Sockets::loopback().unwrap().port()),
            ..Swarm::default()
        };
        let service = pas_registry::Config { boot_grace_s: 1, ..Default::default() };
        let settings = Settings { swarm: swarm.clone(), service };
        let registry = pas_registry::start(settings, sockets, CancellationToken::new()).await.unwrap();
        let settings = Settings { swarm, service: pas_heartbeat_monitor::Config::default() };
        let sockets = Sockets::loopback().unwrap();
        let monitor =
            pas_heartbeat_monitor::start(settings, sockets, CancellationToken::new()).await.unwrap();
        Self { registry, monitor }
    }

    /// The services that a query finds, by name.
    async fn names(&self, query: &str) -> Vec<String> {
        let found = get(format!("{}/discover?{query}", self.registry.url())).await;
        let services = found["services"].as_array().unwrap();
        services.iter().map(|service| service["name"].as_str().unwrap().to_owned()).collect()
    }

    /// What the alerts of a service say was done about it, oldest first.
    async fn actions(&self, service: &str) -> Vec<String> {
        let found = get(format!("{}/alerts?service={service}", self.monitor.url())).await;
        let alerts = found["alerts"].as_array().unwrap();
        let mut alerts: Vec<_> =
            alerts.iter().map(|alert| (&alert["ts"], alert["action"].as_str().unwrap())).collect();
        alerts.sort_by_key(|(ts, _)| ts.to_string());
        alerts.into_iter().map(|(_, action)| action.to_owned()).collect()
    }

    async fn stop(self) {
        self.monitor.stop().await.unwrap();
        self.registry.stop().await.unwrap();
    }
}

async fn get(url: String) -> Value {
    http().get(url).send().await.unwrap().json().await.unwrap()
}

async fn post(url: String, body: Value) -> Value {
    http().post(url).json(&body).send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
}

fn short_lived(name: &str) -> Value {
    json!({"name": name, "type": "agent", "role": "execution", "heartbeat_interval_s": 1, "ttl_s": 1})
}

#[tokio::test]
async fn a_service_that_falls_silent_is_marked_down_and_leaves_and_an_alert_tells_of_each_step() {
    let data = tempfile::tempdir().unwrap();
    let swarm = Whole::start(data.path()).await;
    post(swarm.registry.url() + "/register", short_lived("mayfly")).await;
    assert_eq!(swarm.names("name=mayfly").await, ["mayfly"]);

    until("marked down", async || (swarm.names("name=mayfly&status=down").await == ["mayfly"]).then_some(()))
        .await;
    assert!(swarm.names("name=mayfly").await.is_empty(), "what is down is not offered");
    until("gone", async || swarm.names("name=mayfly&status=any").await.is_empty().then_some(())).await;

    let told = ["marked_degraded", "marked_down", "deregistered"];
    until("an alert of each step", async || (swarm.actions("mayfly").await == told).then_some(())).await;
    swarm.stop().await;
}

#[tokio::test]
async fn a_swarm_that_is_stopped_and_started_knows_what_it_knew() {
    let data = tempfile::tempdir().unwrap();
    let swarm = Whole::start(data.path()).await;
    let known = json!({"name": "lasting", "type": "tool", "role": "production", "url": "http://127.0.0.1:9"});
    let registered = post(swarm.registry.url() + "/register", known).await;
    until("the monitor is listed", async || {
        (swarm.names("type=service").await == ["heartbeat-monitor", "registry"]).then_some(())
    })
    .await;
    swarm.stop().await;
    for database in ["registry/registry.db", "heartbeat_monitor/alerts.db"] {
        let log = data.path().join(format!("{database}-wal"));
        assert!(!log.exists(), "{database} is more than one file after a graceful stop");
    }

    let swarm = Whole::start(data.path()).await;
    let service =
        get(format!("{}/services/{}", swarm.registry.url(), registered["service_id"].as_str().unwrap()))
            .await;
    assert_eq!(service["service"]["role"], "production");
    assert_eq!(service["service"]["verified"], false);
    // The monitor left at its stop and came back at its start, under the id that it had.
    until("the monitor is back", async || {
        (swarm.names("name=heartbeat-monitor").await.len() == 1).then_some(())
    })
    .await;
    swarm.stop().await;
}

#[test]
fn the_shipped_settings_are_the_defaults() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/pas.yaml");
    let sources = pas_service::config::Sources {
        arguments: ["pas", "--config", file].map(Into::into).to_vec(),
        environment: Vec::new(),
    };
    let registry = pas_service::config::load_from(
        &pas_types::catalog::REGISTRY,
        pas_registry::Config::validate,
        &sources,
    );
    let monitor = pas_service::config::load_from(
        &pas_types::catalog::HEARTBEAT_MONITOR,
        pas_heartbeat_monitor::Config::validate,
        &sources,
    );
    let classifier = pas_service::config::load_from(
        &pas_types::catalog::CLASSIFIER,
        pas_classifier::Config::validate,
        &sources,
    );
    assert_eq!(classifier.unwrap(), Settings { swarm: Swarm::default(), service: Default::default() });
    assert_eq!(registry.unwrap(), Settings { swarm: Swarm::default(), service: Default::default() });
    assert_eq!(monitor.unwrap(), Settings { swarm: Swarm::default(), service: Default::default() });
}
