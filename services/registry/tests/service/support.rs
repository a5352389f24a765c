use std::path::Path;

use anyhow::{Context, Result};
use pas_registry::Config;
use pas_service::{Running, Settings, Sockets, Swarm};
use pas_testkit::Process;
use pas_types::catalog;
use pas_types::error::ErrorCode;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// The binary.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_pas-registry");

/// A registry in this process, on a free port, with its own directory.
pub(crate) struct Server {
    running: Option<Running>,
    data: TempDir,
    config: Config,
    events_url: String,
    pub(crate) client: Client,
}

impl Server {
    pub(crate) async fn start() -> Result<Self> {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Result<Self> {
        // Nobody listens there.
        Self::on(tempfile::tempdir()?, config, format!("http://127.0.0.1:{}", free_port()?)).await
    }

    /// A registry on what is in `data`, that tells the event stream at `events_url`.
    pub(crate) async fn on(data: TempDir, config: Config, events_url: String) -> Result<Self> {
        let running = run(data.path(), config.clone(), &events_url).await?;
        let client = Client::new(running.url());
        Ok(Self { running: Some(running), data, config, events_url, client })
    }

    pub(crate) async fn stop(&mut self) -> Result<()> {
        self.running.take().context("it runs")?.stop().await
    }

    /// Stops it, and starts it again on what it wrote.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        self.stop().await?;
        self.start_again().await
    }

    /// Starts it, which was stopped, on what it wrote.
    pub(crate) async fn start_again(&mut self) -> Result<()> {
        let running = run(self.data.path(), self.config.clone(), &self.events_url).await?;
        self.client = Client::new(running.url());
        self.running = Some(running);
        Ok(())
    }

    pub(crate) fn database(&self) -> std::path::PathBuf {
        database(self.data.path())
    }
}

pub(crate) fn database(data: &Path) -> std::path::PathBuf {
    data.join("registry/registry.db")
}

pub(crate) fn free_port() -> Result<u16> {
    Ok(Sockets::loopback()?.port())
}

async fn run(data: &Path, config: Config, events_url: &str) -> Result<Running> {
    let swarm = Swarm { data_dir: data.to_owned(), events_url: events_url.to_owned(), ..Swarm::default() };
    let settings = Settings { swarm, service: config };
    pas_registry::start(settings, Sockets::loopback()?, CancellationToken::new()).await
}

/// Starts the binary on `data`.
pub(crate) fn process(data: &Path, arguments: &[&str]) -> Result<Process> {
    Process::start(&catalog::REGISTRY, Path::new(BINARY), data, arguments)
}

/// A caller.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    pub(crate) url: String,
}

/// An error, as far as it is told: status, code, field.
pub(crate) type Refused = (u16, ErrorCode, Option<String>);

impl Client {
    pub(crate) fn new(url: String) -> Self {
        Self { http: pas_testkit::http(), url }
    }

    /// Sends a body as it is; answers the status and the body.
    pub(crate) async fn raw(
        &self,
        method: Method,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> Result<(u16, Value)> {
        let request = self.http.request(method, format!("{}{path}", self.url)).body(body);
        let answer = request.header("content-type", "application/json").send().await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Result<(u16, Value)> {
        self.raw(method, path, body.to_string()).await
    }

    /// A request that must be refused.
    pub(crate) async fn refused(&self, method: Method, path: &str, body: &Value) -> Result<Refused> {
        let (status, answer) = self.send(method, path, body).await?;
        let field = answer["error"]["field"].as_str().map(str::to_owned);
        let code =
            serde_json::from_value(answer["error"]["code"].clone()).with_context(|| answer.to_string())?;
        Ok((status, code, field))
    }

    /// A `POST` that must succeed.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Result<Value> {
        let (status, answer) = self.send(Method::POST, path, &body).await?;
        anyhow::ensure!(status == 200 || status == 201, "{path} answered {status}: {answer}");
        Ok(answer)
    }

    /// A `GET` that must succeed.
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        let (status, answer) = self.send(Method::GET, path, &Value::Null).await?;
        anyhow::ensure!(status == 200, "{path} answered {status}: {answer}");
        Ok(answer)
    }

    pub(crate) async fn register(&self, body: Value) -> Result<Lease> {
        let answer = self.post("/register", body).await?;
        let text = |key: &str| answer[key].as_str().map(str::to_owned).context("no id");
        Ok(Lease { service_id: text("service_id")?, lease_id: text("lease_id")? })
    }

    pub(crate) async fn beat(&self, lease: &Lease) -> Result<(u16, Value)> {
        self.send(Method::PUT, "/heartbeat", &json!(lease)).await
    }

    /// The services that fit, by name, without the registry itself.
    pub(crate) async fn names(&self, query: &str) -> Result<Vec<String>> {
        let mut names = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("/discover?limit=1000&{query}{cursor}")).await?;
            let services = page["services"].as_array().context("no services")?;
            names.extend(services.iter().filter_map(|it| it["name"].as_str()).map(str::to_owned));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        names.retain(|name| name != "registry");
        Ok(names)
    }

    /// One metric without labels.
    pub(crate) async fn metric(&self, name: &str) -> Result<f64> {
        let text = self.http.get(format!("{}/metrics", self.url)).send().await?.text().await?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(line.with_context(|| format!("no metric {name}"))?.parse()?)
    }
}

/// The right to beat.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Lease {
    pub(crate) service_id: String,
    pub(crate) lease_id: String,
}

/// A model as the first users register it.
pub(crate) fn model(name: &str) -> Value {
    json!({
        "name": name, "type": "model", "role": "experimental", "url": format!("http://127.0.0.1:8888/{name}"),
        "caps": ["infer"], "ctx_limit": 32768,
    })
}

/// `base` with these fields put over it.
pub(crate) fn with(mut base: Value, fields: Value) -> Value {
    if let (Value::Object(base), Value::Object(fields)) = (&mut base, fields) {
        base.extend(fields);
    }
    base
}
