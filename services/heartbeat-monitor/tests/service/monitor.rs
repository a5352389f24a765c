//! A monitor in this process, and what it answers.

use std::path::Path;

use crate::target::nobody;
use pas_heartbeat_monitor::Config;
use pas_service::{Running, Settings, Sockets, Swarm};
use pas_testkit::{http, until};
use pas_types::alert::{AlertPage, HeartbeatAlert};
use reqwest::StatusCode;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// A monitor in this process.
pub(crate) struct Monitor {
    running: Running,
    http: reqwest::Client,
}

impl Monitor {
    /// A monitor that keeps its data in `directory` and listens to the registry at `registry_url`; no event stream is
    /// there.
    pub(crate) async fn start(directory: &Path, registry_url: &str, config: Config) -> Self {
        Self::start_on(directory, registry_url, &nobody(), config).await
    }

    /// The same, with an event stream at `events_url`.
    pub(crate) async fn start_on(
        directory: &Path,
        registry_url: &str,
        events_url: &str,
        config: Config,
    ) -> Self {
        let swarm = Swarm {
            data_dir: directory.to_owned(),
            registry_url: registry_url.to_owned(),
            events_url: events_url.to_owned(),
            grace_s: 1,
            ..Swarm::default()
        };
        let sockets = Sockets::loopback().unwrap();
        let settings = Settings { swarm, service: config };
        let running =
            pas_heartbeat_monitor::start(settings, sockets, CancellationToken::new()).await.unwrap();
        Self { running, http: http() }
    }

    pub(crate) async fn stop(self) {
        self.running.stop().await.unwrap();
    }

    pub(crate) fn url(&self) -> String {
        self.running.url()
    }

    /// What `GET path` answers.
    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.http.get(format!("{}{path}", self.url()))).await
    }

    /// What `POST path` answers to `body`.
    pub(crate) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> (StatusCode, Value) {
        let request = self.http.post(format!("{}{path}", self.url()));
        answer(request.header("content-type", "application/json").body(body)).await
    }

    /// The alerts, oldest first.
    pub(crate) async fn alerts(&self) -> Vec<HeartbeatAlert> {
        alerts_of(&self.http, &self.url()).await
    }

    /// Waits until there are as many alerts, oldest first.
    pub(crate) async fn wait_for_alerts(&self, count: usize) -> Vec<HeartbeatAlert> {
        until(&format!("{count} alerts"), async || {
            let alerts = self.alerts().await;
            (alerts.len() >= count).then_some(alerts)
        })
        .await
    }

    /// The value of a metric without labels, or with exactly these.
    pub(crate) async fn metric(&self, name: &str) -> Option<f64> {
        let text =
            self.http.get(format!("{}/metrics", self.url())).send().await.unwrap().text().await.unwrap();
        let line =
            text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
        line.map(|value| value.parse().unwrap())
    }
}

/// All alerts of the monitor at `url`, oldest first.
pub(crate) async fn alerts_of(http: &reqwest::Client, url: &str) -> Vec<HeartbeatAlert> {
    let answer = http.get(format!("{url}/alerts?limit=1000")).send().await.unwrap();
    let AlertPage { mut alerts, next_cursor } = answer.json().await.unwrap();
    assert_eq!(next_cursor, None, "the test expects fewer alerts than fit a page");
    alerts.reverse();
    alerts
}

async fn answer(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    (status, response.json().await.unwrap())
}
