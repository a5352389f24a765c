//! A router in this process, and what it answers.

use std::path::{Path, PathBuf};

use pas_provider_router::Config;
use pas_provider_router::core::SHIPPED;
use pas_service::{Running, Settings, Sockets, Swarm};
use pas_testkit::{EventStream, NOBODY, http, until};
use pas_types::health::{Health, HealthStatus};
use reqwest::StatusCode;
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A router with its files, and whom it talks to.
pub(crate) struct Router {
    running: Running,
    http: reqwest::Client,
    directory: TempDir,
}

impl Router {
    /// A router with the shipped files as its own; nobody else is there.
    pub(crate) async fn start() -> Self {
        Self::start_with(NOBODY, NOBODY, SHIPPED).await
    }

    /// A router with a registry and an event stream at these places, and these texts in its files.
    pub(crate) async fn start_with(registry_url: &str, events_url: &str, texts: (&str, &str)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(matrix(directory.path()), texts.0).unwrap();
        std::fs::write(policies(directory.path()), texts.1).unwrap();
        let swarm = Swarm {
            data_dir: directory.path().join("data"),
            registry_url: registry_url.to_owned(),
            events_url: events_url.to_owned(),
            grace_s: 1,
            ..Swarm::default()
        };
        let service = Config {
            matrix: matrix(directory.path()),
            policies: policies(directory.path()),
            look_ms: 10,
            ..Config::default()
        };
        let settings = Settings { swarm, service };
        let sockets = Sockets::loopback().unwrap();
        let running = pas_provider_router::start(settings, sockets, CancellationToken::new()).await.unwrap();
        Self { running, http: http(), directory }
    }

    pub(crate) async fn stop(self) {
        self.running.stop().await.unwrap();
    }

    pub(crate) fn url(&self) -> String {
        self.running.url()
    }

    /// The file of the matrix.
    pub(crate) fn matrix(&self) -> PathBuf {
        matrix(self.directory.path())
    }

    /// The file of the policies.
    pub(crate) fn policies(&self) -> PathBuf {
        policies(self.directory.path())
    }

    /// What `GET path` answers.
    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.http.get(format!("{}{path}", self.url()))).await
    }

    /// What `POST /route` answers to `body`.
    pub(crate) async fn route(&self, body: &Value) -> (StatusCode, Value) {
        let request = self.http.post(format!("{}/route", self.url()));
        answer(request.header("content-type", "application/json").body(body.to_string())).await
    }

    /// The version of the matrix that is in force.
    pub(crate) async fn version(&self) -> String {
        self.get("/matrix").await.1["version"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the check of the files has this status; answers why.
    pub(crate) async fn files_are(&self, status: HealthStatus) -> String {
        until(&format!("the files are {status:?}"), async || {
            let (_, health) = self.get("/health").await;
            let health: Health = serde_json::from_value(health).unwrap();
            let check = health.checks.get("files")?;
            (check.status == status).then(|| check.reason.clone().unwrap_or_default())
        })
        .await
    }
}

/// An event stream that takes all, where it is, and how it is stopped.
pub(crate) fn event_stream() -> (EventStream, Running) {
    let stream = EventStream::default();
    let running = stream.serve(Sockets::loopback().unwrap()).unwrap();
    (stream, running)
}

fn matrix(directory: &Path) -> PathBuf {
    directory.join("providers.matrix.json")
}

fn policies(directory: &Path) -> PathBuf {
    directory.join("policies.yaml")
}

async fn answer(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    (status, response.json().await.unwrap())
}
