use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use pas_testkit::until;
use pas_types::registry::{Transition, TransitionKind};
use rustix::process::Signal;
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{Client, Lease, model, process, with};

/// What those who register, and the one who kills, know of each other.
#[derive(Default)]
struct Round {
    killed: AtomicBool,
    acknowledged: AtomicUsize,
    open: AtomicUsize,
}

/// Registers until the registry is gone. Answers what was acknowledged, and whether a call was open at the kill.
async fn register_until_killed(client: Client, round: Arc<Round>, caller: String) -> (Vec<String>, bool) {
    let mut acknowledged = Vec::new();
    loop {
        let name = format!("{caller}-n{}", acknowledged.len());
        let before = !round.killed.load(Ordering::SeqCst);
        round.open.fetch_add(1, Ordering::SeqCst);
        if client.register(model(&name)).await.is_err() {
            return (acknowledged, before);
        }
        round.open.fetch_sub(1, Ordering::SeqCst);
        acknowledged.push(name);
        round.acknowledged.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::disallowed_macros,
    reason = "whoever reads the test's output wants to know how hard it tried"
)]
async fn whatever_was_acknowledged_is_there_after_a_kill() -> Result<()> {
    const ROUNDS: usize = 10;
    let data = tempfile::tempdir()?;
    let mut registry = process(data.path(), &[])?;
    let mut promised = Vec::new();
    let mut in_flight = Vec::new();
    for number in 0..ROUNDS {
        let client = Client::new(registry.url());
        let round: Arc<Round> = Arc::default();
        let mut callers = JoinSet::new();
        for caller in 0..8 {
            let caller = format!("r{number}-c{caller}");
            callers.spawn(register_until_killed(client.clone(), Arc::clone(&round), caller));
        }
        until("enough is acknowledged", async || {
            (round.acknowledged.load(Ordering::SeqCst) >= 40).then_some(())
        })
        .await;
        // It stands still, whatever it is at, so that calls stay open until it is killed, however busy this machine is.
        registry.signal(Signal::STOP)?;
        until("a call is open", async || (round.open.load(Ordering::SeqCst) > 0).then_some(())).await;
        registry.kill()?;
        // Nobody begins another call: whoever was in one then has lost it, and ends.
        round.killed.store(true, Ordering::SeqCst);
        let (acknowledged, open): (Vec<_>, Vec<_>) = callers.join_all().await.into_iter().unzip();
        promised.extend(acknowledged.into_iter().flatten());
        in_flight.push(open.into_iter().filter(|open| *open).count());

        registry.restart()?;
        let there: HashSet<String> =
            Client::new(registry.url()).names("status=any").await?.into_iter().collect();
        let lost: Vec<&String> = promised.iter().filter(|name| !there.contains(*name)).collect();
        assert_eq!(lost, Vec::<&String>::new(), "round {number}");
    }
    println!("acknowledged: {}; calls in flight at each kill: {in_flight:?}", promised.len());
    let hard = in_flight.iter().filter(|open| **open > 0).count();
    assert!(hard * 10 >= ROUNDS * 9, "only {hard} of {ROUNDS} kills met a call in flight");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_of_ten_ttls_evicts_nobody_and_is_counted() -> Result<()> {
    let data = tempfile::tempdir()?;
    // With a wide brake nothing but the compensation can save them.
    let registry = process(data.path(), &["--brake-percent", "100", "--sweep-ms", "200"])?;
    let client = Client::new(registry.url());
    let over = Arc::new(AtomicBool::new(false));
    let mut beating = JoinSet::new();
    for n in 0..20 {
        let brief = json!({"heartbeat_interval_s": 1, "ttl_s": 1});
        let lease = client.register(with(model(&format!("m{n:02}")), brief)).await?;
        beating.spawn(beat_until(client.clone(), lease, Arc::clone(&over)));
    }
    registry.signal(Signal::STOP)?;
    tokio::time::sleep(Duration::from_secs(10)).await;
    registry.signal(Signal::CONT)?;
    until("the stall is counted", async || {
        (client.metric("pas_registry_stalls_total").await.ok()? >= 1.0).then_some(())
    })
    .await;
    assert_eq!(client.names("type=model").await?.len(), 20, "all are still offered");
    assert_eq!(client.metric("pas_registry_evictions_total").await?, 0.0);
    over.store(true, Ordering::Relaxed);
    let refused: usize = beating.join_all().await.into_iter().sum();
    assert_eq!(refused, 0, "no beat was refused");
    Ok(())
}

/// Beats four times an interval; answers how many beats were refused.
async fn beat_until(client: Client, lease: Lease, over: Arc<AtomicBool>) -> usize {
    let mut refused = 0;
    while !over.load(Ordering::Relaxed) {
        refused += usize::from(client.beat(&lease).await.is_ok_and(|(status, _)| status != 200));
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    refused
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_service_is_marked_at_each_miss_and_leaves_and_never_early() -> Result<()> {
    let data = tempfile::tempdir()?;
    let registry = process(data.path(), &[])?;
    let client = Client::new(registry.url());
    let brief = json!({"heartbeat_interval_s": 1, "ttl_s": 2});
    let lease = client.register(with(model("brief"), brief)).await?;
    let history = until("its whole life is written", async || {
        let detail = client.get(&format!("/services/{}", lease.service_id)).await.ok()?;
        let history: Vec<Transition> = serde_json::from_value(detail["history"].clone()).ok()?;
        (history.len() == 4).then_some(history)
    })
    .await;
    let kinds: Vec<TransitionKind> = history.iter().map(|it| it.kind).collect();
    use TransitionKind::{BeatMissed, Evicted, Registered};
    assert_eq!(kinds, [Evicted, BeatMissed, BeatMissed, Registered]);
    let after_ms = |n: usize| history[n].ts.as_millis() - history[3].ts.as_millis();
    for (n, due_ms) in [(2, 2_000), (1, 3_000), (0, 4_000)] {
        assert!(after_ms(n) >= due_ms, "{:?} came after {} ms, not {due_ms}", kinds[n], after_ms(n));
    }
    assert_eq!(client.names("name=brief&status=any").await?, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn a_signal_to_stop_ends_it_in_order() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut registry = process(data.path(), &[])?;
    let client = Client::new(registry.url());
    let lease = client.register(model("a")).await?;
    let load = json!({"service_id": lease.service_id, "load": 0.25});
    client.send(reqwest::Method::PUT, "/heartbeat", &load).await?;
    registry.signal(Signal::TERM)?;
    assert_eq!(registry.wait()?.code(), Some(0));
    registry.restart()?;
    let detail = Client::new(registry.url()).get(&format!("/services/{}", lease.service_id)).await?;
    assert_eq!(detail["service"]["load"], 0.25, "what was only observed is written before the end");
    Ok(())
}
