//! What receipts cost: settled a second, and processor time a receipt, with everything that follows the journal off and on.
//!
//!     cargo bench -p pas-gateway --bench receipts

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use pas_gateway::receipts::Receipts;
use pas_gateway::{Config, receipts};
use pas_service::{Health, Metrics, Running, Sockets, Swarm, clock, publisher};
use pas_testkit::NOBODY;
use pas_types::catalog::GATEWAY;
use pas_types::event::{CallCost, CallStatus, CallUsage, CostState, UsageSource};
use pas_types::money::NanoUsd;
use pas_types::receipt::{
    Attempt, AttemptTimings, Candidate, Cost, Dialects, Millis, PolicyUsed, RegistryPlace, Resolved,
    RoutingReceipt, SnapshotUsed, TargetRequest, Timings,
};
use rustix::time::{ClockId, clock_gettime};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Calls that are open at once.
const CALLS: usize = 64;
const SECONDS: Duration = Duration::from_secs(4);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    say("begin + settle, 64 calls at once, 2 workers; processor time is that of the whole process")?;
    alone()?;
    let off = receipts::Config { index: false, files: false, events: false, ..receipts::Config::default() };
    round("no receipts, only the callers of this bench", off, Some(1_000), false).await?;
    for (what, index, files, events) in [
        ("journal alone", false, false, false),
        ("journal, index", true, false, false),
        ("journal, index, files", true, true, false),
        ("journal, index, files, events (stream away)", true, true, true),
    ] {
        for rate in [None, Some(1_000)] {
            let config = receipts::Config { index, files, events, ..receipts::Config::default() };
            round(what, config, rate, true).await?;
        }
    }
    Ok(())
}

/// What a caller pays to build and to write one, without the journal.
fn alone() -> Result<()> {
    const ROUNDS: u32 = 200_000;
    let ids = receipts::ids::CallIds::new("", 0);
    let shared = Texts::new();
    let began = cpu();
    let mut bytes = 0;
    for _ in 0..ROUNDS {
        bytes += serde_json::to_vec(&shared.receipt(ids.next(clock::now()), Duration::from_micros(512_250)))?
            .len();
    }
    let each = (cpu() - began).as_nanos() / u128::from(ROUNDS);
    say(&format!("id, built and serialised: {each} ns, {} bytes", bytes / ROUNDS as usize))
}

async fn round(what: &str, receipts: receipts::Config, rate: Option<u32>, kept: bool) -> Result<()> {
    let data = tempfile::tempdir()?;
    let swarm = Swarm { data_dir: data.path().to_owned(), events_url: NOBODY.to_owned(), ..Swarm::default() };
    let running = Running::new(&swarm, &Sockets::loopback()?, CancellationToken::new());
    let (health, metrics) = (Health::new(&GATEWAY, clock::now()), Metrics::new(&GATEWAY));
    let publisher = publisher::spawn(&GATEWAY, &swarm, &health, &metrics, &running)?;
    let config = Config { receipts, ..Config::default() };
    let receipts = Receipts::open(&config, &swarm, &health, &metrics, publisher, &running)?;
    let closing = receipts.clone();
    let running = running.ending_with(move || closing.close());

    let (began, idle) = (clock::monotonic(), cpu());
    let tasks = TaskTracker::new();
    let calls: Vec<_> =
        (0..CALLS).map(|_| tasks.spawn(call(receipts.clone(), began + SECONDS, rate, kept))).collect();
    let (mut settled, mut waited) = (0, Vec::new());
    for call in calls {
        let (count, times) = call.await??;
        settled += count;
        waited.extend(times);
    }
    let (took, used) = (clock::monotonic() - began, cpu() - idle);
    waited.sort_unstable();
    let at = |share: usize| waited.get(waited.len() * share / 100).copied().unwrap_or_default();
    say(&format!(
        "{what}{}: {:.0} receipts/s, {:.1} us of processor each, settled after {:?} (p50), {:?} (p99)",
        rate.map_or(", as fast as it goes", |_| ", 1,000/s"),
        f64::from(settled) / took.as_secs_f64(),
        used.as_secs_f64() * 1e6 / f64::from(settled),
        at(50),
        at(99)
    ))?;
    running.stop().await
}

/// Calls one after the other until it is `until`; answers how many, and how long some of the receipts took.
async fn call(
    receipts: Receipts,
    until: Duration,
    rate: Option<u32>,
    receipts_are_kept: bool,
) -> Result<(u32, Vec<Duration>)> {
    let shared = Texts::new();
    let pause = rate.map(|rate| Duration::from_secs(CALLS as u64) / rate);
    let mut ticks = tokio::time::interval(pause.unwrap_or(Duration::from_secs(1)));
    let (mut count, mut waited) = (0, Vec::new());
    loop {
        if pause.is_some() {
            ticks.tick().await;
        }
        let now = clock::now();
        if now.monotonic >= until {
            return Ok((count, waited));
        }
        let run_id = receipts.next_id(now);
        if !receipts_are_kept {
            std::hint::black_box(shared.receipt(run_id, Duration::from_micros(312)));
            count += 1;
            continue;
        }
        receipts.begin(run_id.clone())?;
        let receipt = shared.receipt(run_id, Duration::from_micros(312));
        let began = clock::monotonic();
        receipts.settle(receipt).await?;
        if count % 8 == 0 {
            waited.push(clock::monotonic() - began);
        }
        count += 1;
    }
}

/// What calls share.
struct Texts {
    agent: std::sync::Arc<str>,
    budget: std::sync::Arc<str>,
    name: std::sync::Arc<str>,
    url: std::sync::Arc<str>,
    version: std::sync::Arc<str>,
    target: std::sync::Arc<TargetRequest>,
}

impl Texts {
    fn new() -> Self {
        Self {
            agent: "Architect".into(),
            budget: "global/default/R-001/Architect".into(),
            name: "llama-3.1-8b".into(),
            url: "http://127.0.0.1:8050".into(),
            version: "5f0c1a2b".into(),
            target: TargetRequest {
                target_type: Some("model".into()),
                require_caps: vec!["classify".into()],
                ..TargetRequest::default()
            }
            .into(),
        }
    }

    /// As a call with three candidates and one attempt has it.
    fn receipt(&self, run_id: pas_types::id::CallId, took: Duration) -> RoutingReceipt {
        let usage = CallUsage {
            input: 31,
            output: 9,
            cache_read: 0,
            cache_write: 0,
            reasoning: 0,
            source: UsageSource::Provider,
        };
        let cost = CallCost { usd: NanoUsd::from_nanos(250_000), state: CostState::Confirmed };
        let candidate = |score: f32| Candidate {
            service_id: None,
            name: self.name.clone(),
            model: self.name.clone(),
            score: Some(score),
            excluded: None,
        };
        RoutingReceipt {
            agent: Some(self.agent.clone()),
            budget: Some(self.budget.clone()),
            dialect: Dialects { incoming: Some("openai.chat".into()), outgoing: Some("openai.chat".into()) },
            target_request: Some(self.target.clone()),
            policy: Some(PolicyUsed { name: "balanced".into(), version: Some(self.version.clone()) }),
            snapshot: Some(SnapshotUsed {
                registry: Some(RegistryPlace { epoch: 1_762_425_000, index: 812 }),
                matrix: Some(self.version.clone()),
                age_ms: 40,
            }),
            candidates: vec![candidate(0.91), candidate(0.5), candidate(0.25)],
            attempts: vec![Attempt {
                service_id: None,
                name: self.name.clone(),
                model: self.name.clone(),
                provider: None,
                outcome: "ok".into(),
                http_status: Some(200),
                timings_ms: AttemptTimings {
                    connect: Some(Millis::default()),
                    first_byte: Some(took.into()),
                    total: took.into(),
                },
                usage: Some(usage),
                cost: Some(cost),
                error: None,
            }],
            resolved: Some(Resolved {
                service_id: None,
                name: self.name.clone(),
                url: Some(self.url.clone()),
                model: self.name.clone(),
                model_reported: None,
                provider: None,
            }),
            timings_ms: Timings {
                discovery: Some(Millis::from_micros(4)),
                queue: Some(Millis::default()),
                upstream: Some(took.into()),
                first_token: None,
                overhead: Some(Millis::from_micros(38)),
                total: took.into(),
            },
            usage: Some(usage),
            cost_estimate: Cost::of(cost, Some(self.version.clone())),
            ..RoutingReceipt::new(run_id, clock::now().wall.into(), "/v1/chat/completions", CallStatus::Ok)
        }
    }
}

/// What this process has taken of its cores.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
