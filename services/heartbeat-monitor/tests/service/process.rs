//! The real binary: killed, stopped, and started wrongly.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use crate::monitor::alerts_of;
use crate::script::{Script, time, transition};
use pas_service::{Sockets, clock};
use pas_testkit::{Process, http, until};
use pas_types::alert::AlertType;
use pas_types::catalog::HEARTBEAT_MONITOR;
use rustix::process::Signal;

const BINARY: &str = env!("CARGO_BIN_EXE_pas-heartbeat-monitor");

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::disallowed_macros,
    reason = "how often the kill met work under way belongs into the test's output"
)]
async fn a_monitor_that_is_killed_again_and_again_loses_and_doubles_no_alert() {
    const ROUNDS: u64 = 10;
    const EACH: u64 = 40;
    let script = Script::default();
    let registry = script.serve(Sockets::loopback().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["--registry-url", &registry.url()];
    let mut monitor =
        Process::start(&HEARTBEAT_MONITOR, Path::new(BINARY), directory.path(), &arguments).unwrap();
    let http = http();
    let happen = |from: u64, to: u64| {
        script.happened((from..=to).map(|seq| transition(seq, seq, "beat_missed", "a", 1)));
    };
    let mut cut_while_reading = 0;
    for round in 1..=ROUNDS {
        let half = round * EACH - EACH / 2;
        happen((round - 1) * EACH + 1, half);
        until("half of the round to be read", async || {
            (alerts_of(&http, &monitor.url()).await.len() as u64 >= half).then_some(())
        })
        .await;
        happen(half + 1, round * EACH);
        monitor.kill().unwrap();
        cut_while_reading += u64::from(stored(directory.path()) < round * EACH);
        monitor.restart().unwrap();
    }
    let all = ROUNDS * EACH;
    let alerts = until("every alert", async || {
        let alerts = alerts_of(&http, &monitor.url()).await;
        (alerts.len() as u64 >= all).then_some(alerts)
    })
    .await;
    let times: Vec<_> = alerts.iter().map(|alert| alert.ts).collect();
    assert_eq!(times, (1..=all).map(time).collect::<Vec<_>>());
    println!("{cut_while_reading} of {ROUNDS} kills came while there was more to read");
    assert!(
        cut_while_reading * 10 >= ROUNDS * 9,
        "only {cut_while_reading} of {ROUNDS} kills met work under way"
    );
    registry.stop().await.unwrap();
}

/// The alerts in the database of a monitor that was killed.
fn stored(data_dir: &Path) -> u64 {
    let database = rusqlite::Connection::open(data_dir.join("heartbeat_monitor/alerts.db")).unwrap();
    database.query_row("SELECT count(*) FROM alerts", [], |row| row.get::<_, i64>(0)).unwrap().cast_unsigned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_that_stood_still_does_not_call_the_registry_silent() {
    let script = Script::default();
    let registry = script.serve(Sockets::loopback().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["--registry-url", &registry.url(), "--registry-silent-s", "1"];
    let monitor =
        Process::start(&HEARTBEAT_MONITOR, Path::new(BINARY), directory.path(), &arguments).unwrap();
    let http = http();
    let wait_for_alert = async |count: usize| {
        until("an alert", async || {
            let alerts = alerts_of(&http, &monitor.url()).await;
            (alerts.len() >= count).then_some(alerts)
        })
        .await
    };
    script.happened([transition(1, 1, "beat_missed", "a", 1)]);
    wait_for_alert(1).await;
    monitor.signal(Signal::STOP).unwrap();
    let stopped = clock::monotonic();
    until("a stop far longer than the silence that is allowed", async || {
        (clock::monotonic() > stopped + Duration::from_secs(4)).then_some(())
    })
    .await;
    monitor.signal(Signal::CONT).unwrap();
    let uptime = async || {
        let health: serde_json::Value =
            http.get(format!("{}/health", monitor.url())).send().await.unwrap().json().await.unwrap();
        health["uptime_s"].as_u64().unwrap()
    };
    let continued = uptime().await;
    until("some ticks of the watchdog", async || (uptime().await >= continued + 3).then_some(())).await;
    script.happened([transition(2, 2, "recovered", "a", 1)]);
    let types: Vec<_> = wait_for_alert(2).await.iter().map(|alert| alert.alert_type).collect();
    assert_eq!(types, [AlertType::HeartbeatMiss, AlertType::Recovered]);
    registry.stop().await.unwrap();
}

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = Command::new(BINARY).args(arguments).output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn a_setting_out_of_its_range_ends_the_start_with_its_name() {
    let (code, said) = run(&["--probe-interval-s", "0"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("probe_interval_s is 0: use a number from 1 to 3600"), "{said}");
}

#[test]
fn a_database_of_a_newer_version_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("heartbeat_monitor");
    std::fs::create_dir(&path).unwrap();
    let database = rusqlite::Connection::open(path.join("alerts.db")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    let (code, said) = run(&["--port", "0", "--data-dir", directory.path().to_str().unwrap()]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("alerts.db has version 99"), "{said}");
}
