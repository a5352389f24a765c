use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use pas_gateway::receipts::{Opened, Receipts, Unavailable};
use pas_gateway::{Config, http, receipts};
use pas_service::server::Server;
use pas_service::{Health, Metrics, Running, Settings, Sockets, Swarm, clock, publisher};
use pas_testkit::NOBODY;
use pas_types::catalog::GATEWAY;
use pas_types::event::{CallCost, CallStatus, CallUsage, CostState, UsageSource};
use pas_types::id::CallId;
use pas_types::money::NanoUsd;
use pas_types::receipt::{Cost, Millis, Resolved, RoutingReceipt, TargetRequest, Timings};
use pas_types::time::WireTime;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// The receipts of a gateway, with their routes on a free port. What is called is played by the test.
pub(crate) struct Gateway {
    pub(crate) receipts: Receipts,
    running: Running,
    pub(crate) client: Client,
}

impl Gateway {
    /// On what is in `data`.
    pub(crate) async fn start(data: &Path, config: Config) -> Result<Self> {
        Self::told_by(data, config, NOBODY).await
    }

    /// The same, telling the event stream at `events_url`.
    pub(crate) async fn told_by(data: &Path, config: Config, events_url: &str) -> Result<Self> {
        let (receipts, running) = wire(data, config, events_url)?;
        let client = Client { http: pas_testkit::http(), url: running.url() };
        Ok(Self { receipts, running, client })
    }

    pub(crate) async fn stop(self) -> Result<()> {
        self.running.stop().await
    }
}

/// As the gateway wires its receipts.
pub(crate) fn wire(data: &Path, config: Config, events_url: &str) -> Result<(Receipts, Running)> {
    let swarm = Swarm { data_dir: data.to_owned(), events_url: events_url.to_owned(), ..Swarm::default() };
    let sockets = Sockets::loopback()?;
    let running = Running::new(&swarm, &sockets, CancellationToken::new());
    let (health, metrics) = (Health::new(&GATEWAY, clock::now()), Metrics::new(&GATEWAY));
    let publisher = publisher::spawn(&GATEWAY, &swarm, &health, &metrics, &running)?;
    let receipts = Receipts::open(&config, &swarm, &health, &metrics, publisher, &running)?;
    let (routes, openapi) = http::of_receipts(receipts.clone());
    let server = Server { entry: GATEWAY, routes, rpc: None, openapi, health, metrics };
    server.spawn(&swarm, sockets, &running)?;
    let closing = receipts.clone();
    Ok((receipts, running.ending_with(move || closing.close())))
}

/// The whole gateway.
pub(crate) async fn whole(data: &Path) -> Result<Running> {
    let swarm = Swarm {
        data_dir: data.to_owned(),
        events_url: NOBODY.to_owned(),
        registry_url: NOBODY.to_owned(),
        ..Swarm::default()
    };
    let settings = Settings { swarm, service: Config::default() };
    pas_gateway::start(settings, Sockets::loopback()?, CancellationToken::new()).await
}

/// Every receipt has its file, and whatever begins is recorded at once.
pub(crate) fn config() -> Config {
    let receipts = receipts::Config {
        open_after_ms: 0,
        files_kept: 100_000,
        files_per_s: 10_000,
        follow_percent: 100,
        ..receipts::Config::default()
    };
    Config { receipts, ..Config::default() }
}

/// The call `run_id` begins, and goes on.
pub(crate) fn begin(receipts: &Receipts, run_id: &CallId) -> Result<(), Unavailable> {
    receipts.begin(run_id.clone())?;
    receipts.tell_of(opened(run_id));
    Ok(())
}

/// What the journal is told of it.
pub(crate) fn opened(run_id: &CallId) -> Opened {
    Opened {
        run_id: run_id.clone(),
        ts: ts_of(run_id),
        agent: Some("Architect".into()),
        agent_run_id: Some("R-001".parse().unwrap()),
        route: "/invoke".into(),
        budget: Some("global/default/R-001/Architect".into()),
        target_request: Some(TargetRequest { model: Some("auto".into()), ..TargetRequest::default() }.into()),
        asked: None,
    }
}

/// The receipt of the call `run_id`.
pub(crate) fn receipt(run_id: &CallId, status: CallStatus) -> RoutingReceipt {
    let usage = CallUsage {
        input: 30,
        output: 7,
        cache_read: 1,
        cache_write: 2,
        reasoning: 3,
        source: UsageSource::Provider,
    };
    let cost = CallCost { usd: NanoUsd::from_nanos(1_500), state: CostState::Confirmed };
    let resolved = Resolved {
        service_id: None,
        name: "llama".into(),
        url: Some("http://127.0.0.1:8050".into()),
        model: "llama-3.1-8b".into(),
        model_reported: None,
        provider: Some("local".into()),
    };
    RoutingReceipt {
        agent: Some("Architect".into()),
        agent_run_id: Some("R-001".parse().unwrap()),
        budget: Some("global/default/R-001/Architect".into()),
        resolved: Some(resolved),
        timings_ms: Timings { total: Millis::from_micros(12_500), ..Timings::default() },
        usage: Some(usage),
        cost_estimate: Cost::of(cost, Some("v1".into())),
        ..RoutingReceipt::new(run_id.clone(), ts_of(run_id), "/invoke", status)
    }
}

fn ts_of(run_id: &CallId) -> WireTime {
    let micros = receipts::ids::micros(run_id.as_str()).unwrap_or(0);
    WireTime::from_millis(i64::try_from(micros / 1_000).unwrap())
}

/// Settles `count` calls one after the other; answers their ids.
pub(crate) async fn settle(receipts: &Receipts, count: usize, status: CallStatus) -> Result<Vec<CallId>> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let run_id = receipts.next_id(clock::now());
        begin(receipts, &run_id)?;
        receipts.settle(receipt(&run_id, status)).await?;
        ids.push(run_id);
    }
    Ok(ids)
}

pub(crate) fn costs(data: &Path) -> PathBuf {
    data.join("costs")
}

pub(crate) fn journal(data: &Path) -> PathBuf {
    costs(data).join("journal")
}

/// That the journal is whole, and its links too.
pub(crate) fn assert_whole(data: &Path) {
    let report = pas_journal::verify(&journal(data), true).unwrap();
    assert_eq!(report.broken, None);
}

/// The lines of the journal, its headers left out.
pub(crate) fn lines(data: &Path) -> Vec<String> {
    let segments = pas_journal::segment_files(&journal(data)).unwrap();
    let texts = segments.iter().map(|path| std::fs::read_to_string(path).unwrap());
    texts
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| !line.starts_with("{\"journal\""))
        .collect()
}

/// Each call that has a receipt in the journal, with the statuses that it has there.
pub(crate) fn receipts_in_journal(data: &Path) -> BTreeMap<String, Vec<String>> {
    let mut receipts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines(data).iter().filter(|line| line.starts_with("{\"run_id\":")) {
        let receipt: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| receipt[key].as_str().unwrap().to_owned();
        receipts.entry(text("run_id")).or_default().push(text("status"));
    }
    receipts
}

/// The names of the files of calls, without their ending.
pub(crate) fn files(data: &Path) -> Vec<String> {
    let names = std::fs::read_dir(costs(data))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<_> = names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect();
    files.sort();
    files
}

/// A caller.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) url: String,
}

impl Client {
    pub(crate) async fn ask(&self, path: &str) -> Result<(u16, Value)> {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }

    /// What must be answered.
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        let (status, answer) = self.ask(path).await?;
        ensure!(status == 200, "{path} answered {status}: {answer}");
        Ok(answer)
    }

    /// All receipts of a list, page by page.
    pub(crate) async fn all(&self, query: &str) -> Result<Vec<Value>> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self.get(&format!("/receipts?{query}{cursor}")).await?;
            all.append(page["receipts"].as_array_mut().context("a list")?);
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(all),
            }
        }
    }

    /// One metric without labels.
    pub(crate) async fn metric(&self, name: &str) -> Result<f64> {
        let text = self.http.get(format!("{}/metrics", self.url)).send().await?.text().await?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(line.with_context(|| format!("no metric {name}"))?.parse()?)
    }
}

/// Waits until index and files have all that the journal has.
pub(crate) async fn caught_up(gateway: &Gateway) {
    pas_testkit::until_within(Duration::from_secs(60), "index and files catch up", async || {
        let lag = gateway.client.metric("pas_gateway_receipts_lag").await.ok()?;
        (lag == 0.0).then_some(())
    })
    .await;
}
