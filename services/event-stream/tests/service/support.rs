use std::path::Path;

use anyhow::{Context, Result, ensure};
use pas_event_stream::Config;
use pas_proto::events::v1::events_client::EventsClient;
use pas_service::{Running, Settings, Sockets, Swarm};
use pas_types::event::Cursor;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

/// The binary.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_pas-event-stream");

/// An event stream in this process, on a free port, with its own directory.
pub(crate) struct Server {
    running: Option<Running>,
    data: TempDir,
    config: Config,
    pub(crate) client: Client,
}

impl Server {
    pub(crate) async fn start() -> Result<Self> {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let running = run(data.path(), config.clone()).await?;
        let client = Client::new(running.url());
        Ok(Self { running: Some(running), data, config, client })
    }

    /// Stops it, and starts it again on what it wrote.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        self.running.take().context("it runs")?.stop().await?;
        let running = run(self.data.path(), self.config.clone()).await?;
        self.client = Client::new(running.url());
        self.running = Some(running);
        Ok(())
    }

    /// Its data directory.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    pub(crate) async fn rpc(&self) -> Result<EventsClient<Channel>> {
        rpc(&self.client.url).await
    }
}

/// A connection to the event stream at `url`.
pub(crate) async fn rpc(url: &str) -> Result<EventsClient<Channel>> {
    Ok(EventsClient::new(Channel::from_shared(url.to_owned())?.connect().await?))
}

async fn run(data: &Path, config: Config) -> Result<Running> {
    let registry_url = pas_testkit::NOBODY.to_owned();
    let swarm = Swarm { data_dir: data.to_owned(), registry_url, ..Swarm::default() };
    let settings = Settings { swarm, service: config };
    pas_event_stream::start(settings, Sockets::loopback()?, CancellationToken::new()).await
}

/// A caller.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) url: String,
}

impl Client {
    pub(crate) fn new(url: String) -> Self {
        Self { http: pas_testkit::http(), url }
    }

    /// Publishes; answers the status and the body.
    pub(crate) async fn post(&self, body: &Value) -> Result<(u16, Value)> {
        let request = self.http.post(format!("{}/events", self.url)).json(body);
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }

    /// Publishes what must be taken.
    pub(crate) async fn publish(&self, body: Value) -> Result<Value> {
        let (status, answer) = self.post(&body).await?;
        ensure!(status == 201, "answered {status}: {answer}");
        Ok(answer)
    }

    pub(crate) async fn get(&self, path: &str) -> Result<(u16, Value)> {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }

    /// All events that fit a query, page by page.
    pub(crate) async fn all(&self, query: &str) -> Result<Vec<Value>> {
        let (mut events, mut since) = (Vec::new(), String::new());
        loop {
            let (status, mut page) = self.get(&format!("/events?{query}{since}")).await?;
            ensure!(status == 200, "answered {status}: {page}");
            events.append(page["events"].as_array_mut().context("a list")?);
            match page["next_cursor"].as_str() {
                Some(cursor) => since = format!("&since={cursor}"),
                None => return Ok(events),
            }
        }
    }

    /// The place of the newest event.
    pub(crate) async fn head(&self) -> Result<Cursor> {
        let (_, page) = self.get("/events?limit=1").await?;
        let number = |name: &str| page[name].as_u64().context("a number");
        Ok(Cursor { epoch: number("epoch")?, seq: number("head")? })
    }
}

/// An event that says something.
pub(crate) fn log(message: &str) -> Value {
    json!({"event_type": "log", "message": message})
}

/// The `seq` of each.
pub(crate) fn seqs(events: &[Value]) -> Vec<u64> {
    events.iter().map(|event| event["seq"].as_u64().unwrap()).collect()
}
