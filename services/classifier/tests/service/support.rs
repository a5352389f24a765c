use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use pas_classifier::Config;
use pas_service::{Running, Settings, Sockets, Swarm};
use pas_testkit::{NOBODY, http};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// The examples that are shipped.
pub(crate) fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/classifier/train")
}

/// A classifier in this process, on a free port. It is called like a [`Client`].
pub(crate) struct Server {
    pub(crate) running: Running,
    client: Client,
}

impl Deref for Server {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// A caller.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
}

impl Server {
    pub(crate) async fn with(config: Config) -> Self {
        Self::beside(NOBODY, config).await
    }

    /// With a registry.
    pub(crate) async fn beside(registry_url: &str, config: Config) -> Self {
        let swarm = Swarm { registry_url: registry_url.to_owned(), ..Swarm::default() };
        let settings = Settings { swarm, service: config };
        let sockets = Sockets::loopback().unwrap();
        let running = pas_classifier::start(settings, sockets, CancellationToken::new()).await.unwrap();
        let client = Client { http: http(), url: running.url() };
        Self { running, client }
    }

    /// With the examples in this directory, at which it looks often.
    pub(crate) async fn learning(training_dir: &Path) -> Self {
        Self::with(Config { training_dir: training_dir.to_owned(), reload_ms: 10, ..Config::default() }).await
    }
}

impl Client {
    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.url))
    }

    /// Invokes it; answers the status and the body.
    pub(crate) async fn invoke(&self, payload: &Value) -> (u16, Value) {
        told(self.post("/invoke").json(payload).send().await.unwrap()).await
    }

    /// Invokes it as the gateway does for these capabilities.
    pub(crate) async fn invoke_for(&self, caps: &str, payload: &Value) -> (u16, Value) {
        told(self.post("/invoke").header("x-pas-caps", caps).json(payload).send().await.unwrap()).await
    }

    /// The label of a text.
    pub(crate) async fn label(&self, text: &str) -> String {
        let (status, answer) = self.invoke(&json!({"text": text})).await;
        assert_eq!(status, 200, "{answer}");
        answer["label"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn health(&self) -> (u16, Value) {
        told(self.http.get(format!("{}/health", self.url)).send().await.unwrap()).await
    }

    /// The value of a metric.
    pub(crate) async fn metric(&self, name: &str) -> Option<String> {
        let answer = self.http.get(format!("{}/metrics", self.url)).send().await.unwrap();
        let text = answer.text().await.unwrap();
        let line = text.lines().find(|line| line.starts_with(&format!("pas_classifier_{name} ")))?;
        line.rsplit(' ').next().map(str::to_owned)
    }
}

pub(crate) async fn told(answer: Response) -> (u16, Value) {
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// What an error tells: status, code, field.
pub(crate) fn error((status, body): (u16, Value)) -> (u16, String, Option<String>) {
    let word = |key: &str| body["error"][key].as_str().map(str::to_owned);
    (status, word("code").unwrap(), word("field"))
}

/// Ten examples of a label, each with `word` in it.
pub(crate) fn examples(label: &str, word: &str) -> String {
    let line = |n| json!({"text": format!("{word} of the {n:b} kind"), "label": label}).to_string() + "\n";
    (0..10).map(line).collect()
}

/// A directory of examples.
pub(crate) fn directory(files: &[(&str, String)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| fs::write(directory.path().join(name), text).unwrap());
    directory
}
