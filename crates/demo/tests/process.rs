//! The play as a process, against a registry, an event stream, a provider router and a gateway that are processes too.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking; clippy takes only its function for a test"
)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pas_testkit::{PATIENCE, Process, binary, http, until, until_within};
use pas_types::catalog::{EVENT_STREAM, Entry, GATEWAY, PROVIDER_ROUTER, REGISTRY};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// The folder with the shipped settings.
const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config");

/// The services, and the play.
struct World {
    registry: Process,
    events: Process,
    gateway: Process,
    _router: Process,
    demo: Child,
    _data: tempfile::TempDir,
}

impl World {
    fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let start = |entry: &Entry, arguments: &[&str]| {
            let path: &Path = data.path();
            Process::start(entry, &binary(entry.binary).unwrap(), path, arguments).unwrap()
        };
        let events = start(&EVENT_STREAM, &[]);
        let events_url = events.url();
        let registry = start(&REGISTRY, &["--events-url", &events_url, "--boot-grace-s", "1"]);
        let registry_url = registry.url();
        let known = ["--registry-url", &registry_url, "--events-url", &events_url];
        let [matrix, policies] =
            ["providers.matrix.json", "policies.yaml"].map(|file| format!("{CONFIG}/{file}"));
        let router =
            start(&PROVIDER_ROUTER, &[&known[..], &["--matrix", &matrix, "--policies", &policies]].concat());
        let router_url = router.url();
        let gateway = start(&GATEWAY, &[&known[..], &["--router-url", &router_url]].concat());
        let demo = Command::new(env!("CARGO_BIN_EXE_pas-demo"))
            .args([
                "--registry-url",
                &registry_url,
                "--gateway-url",
                &gateway.url(),
                "--events-url",
                &events_url,
            ])
            .arg("--end-with-stdin")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { registry, events, gateway, _router: router, demo, _data: data }
    }

    /// Everything of this type that is registered, however it is.
    async fn registered(&self, service_type: &str) -> Vec<Value> {
        let found = get(&self.registry, &format!("/discover?type={service_type}&status=any")).await;
        found.as_ref().and_then(|found| found["services"].as_array()).cloned().unwrap_or_default()
    }

    async fn receipts(&self, query: &str) -> Vec<Value> {
        let found = get(&self.gateway, &format!("/receipts?{query}")).await;
        found.as_ref().and_then(|found| found["receipts"].as_array()).cloned().unwrap_or_default()
    }

    /// Waits until all 42 are registered and have beaten since the registry's start.
    async fn is_complete(&self) -> Vec<Value> {
        // One of them may have been played dead a moment ago.
        until_within(2 * PATIENCE, "42 agents beat", async || {
            let agents = self.registered("agent").await;
            let beats = |agent: &Value| agent["verified"] == true && agent["work"]["activity"].is_string();
            (agents.len() == 42 && agents.iter().all(beats)).then_some(agents)
        })
        .await
    }

    /// Waits for the end of the play; answers its exit code, and how long it took.
    async fn ends(&mut self) -> (Option<i32>, Duration) {
        #[expect(clippy::disallowed_methods, reason = "the real end of a real process is timed")]
        let begun = Instant::now();
        let status = until("the play is over", async || self.demo.try_wait().unwrap()).await;
        (status.code(), begun.elapsed())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.demo.kill());
        drop(self.demo.wait());
    }
}

async fn get(of: &Process, path: &str) -> Option<Value> {
    http().get(format!("{}{path}", of.url())).send().await.ok()?.json().await.ok()
}

async fn post(of: &Process, path: &str, body: Value) {
    let answer = http().post(format!("{}{path}", of.url())).json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

fn names(services: &[Value]) -> Vec<&str> {
    services.iter().map(|service| service["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_swarm_lives_in_the_real_services_pauses_when_told_and_leaves_nothing_behind() {
    let mut world = World::start();

    let agents = world.is_complete().await;
    let parent =
        |name: &str| agents.iter().find(|agent| agent["name"] == name).unwrap()["labels"]["parent"].clone();
    assert_eq!(
        [parent("Coder-API"), parent("Lead-Backend"), parent("Architect")],
        [json!("Lead-Backend"), json!("Director-Code"), Value::Null]
    );
    let models = world.registered("model").await;
    assert_eq!(names(&models), ["demo-fast", "demo-large", "demo-large", "demo-local"]);

    // Calls have an agent, a run and a cost, and nobody but the demo's own models was asked.
    let receipts = until("calls that cost something", async || {
        let receipts = world.receipts("limit=1000").await;
        let costs =
            receipts.iter().filter(|receipt| receipt["cost_estimate"]["usd"].as_f64() > Some(0.0)).count();
        (costs >= 20).then_some(receipts)
    })
    .await;
    for receipt in &receipts {
        assert!(names(&agents).contains(&receipt["agent"].as_str().unwrap()), "{receipt}");
        assert!(receipt["agent_run_id"].as_str().unwrap().starts_with("R-"), "{receipt}");
        for attempt in receipt["attempts"].as_array().into_iter().flatten() {
            assert!(attempt["name"].as_str().unwrap().starts_with("demo-"), "{receipt}");
        }
    }
    for kind in ["status_update", "heartbeat", "registered", "receipt"] {
        let page = get(&world.events, &format!("/events?type={kind}&limit=10")).await.unwrap();
        assert!(!page["events"].as_array().unwrap().is_empty(), "{kind}");
    }

    // A subtree is paused: its calls are refused, and it waits; then it goes on.
    let pause = json!({"subtree": "Director-Data", "reason": "a look at the figures"});
    post(&world.registry, "/pause", pause.clone()).await;
    until("a paused agent waits", async || {
        let refused = world.receipts("agent=Crawler&status=refused").await;
        let agents = world.registered("agent").await;
        let crawler = agents.iter().find(|agent| agent["name"] == "Crawler")?;
        (refused.iter().any(|receipt| receipt["error"]["code"] == "paused")
            && crawler["work"]["activity"] == "waiting")
            .then_some(())
    })
    .await;
    let before = world.receipts("agent=Crawler&status=ok&limit=1000").await.len();
    post(&world.registry, "/resume", pause).await;
    until("it goes on", async || {
        (world.receipts("agent=Crawler&status=ok&limit=1000").await.len() > before).then_some(())
    })
    .await;

    let pid = i32::try_from(world.demo.id()).ok().and_then(Pid::from_raw).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let (code, took) = world.ends().await;
    // It leaves within 2 s; a busy machine takes longer.
    assert!(code == Some(0) && took < Duration::from_secs(10), "{code:?} after {took:?}");
    assert_eq!(world.registered("agent").await, Vec::<Value>::new());
    assert_eq!(world.registered("model").await, Vec::<Value>::new());
}

#[tokio::test]
async fn the_swarm_outlives_services_that_die_and_agents_that_are_taken_off_the_list() {
    let mut world = World::start();
    let agents = world.is_complete().await;
    world.registry.kill().unwrap();
    world.events.kill().unwrap();
    world.gateway.kill().unwrap();
    for service in [&mut world.registry, &mut world.events, &mut world.gateway] {
        service.restart().unwrap();
    }
    world.is_complete().await;
    let before = world.receipts("status=ok&limit=1000").await.len();
    until("calls are answered again", async || {
        (world.receipts("status=ok&limit=1000").await.len() > before).then_some(())
    })
    .await;

    let gone = json!({"service_id": agents[0]["service_id"], "reason": "an operator's whim"});
    post(&world.registry, "/deregister", gone).await;
    world.is_complete().await;

    // Whoever started it is gone, without a chance to say so.
    drop(world.demo.stdin.take());
    let (code, _) = world.ends().await;
    assert_eq!((code, world.registered("agent").await.len()), (Some(0), 0));
}
