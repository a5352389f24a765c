//! Probes of services, and what the registry is told of them.

use std::path::Path;

use crate::monitor::Monitor;
use crate::script::{Script, service, service_id, transition};
use crate::target::{Target, http, nobody};
use pas_heartbeat_monitor::Config;
use pas_service::Sockets;
use pas_testkit::until;

/// Probes as fast as the configuration allows; one that fails is believed.
fn quick() -> Config {
    Config { probe_interval_s: 1, probe_timeout_ms: 1_000, probe_failures: 1, ..Config::default() }
}

async fn start(directory: &Path, registry_url: &str) -> Monitor {
    Monitor::start(directory, registry_url, quick()).await
}

/// What the registry was told of the service `name`: reachable, reason.
fn told(script: &Script, name: &str) -> Vec<(bool, Option<String>)> {
    let about =
        script.reports().into_iter().filter(|report| report.service_id.to_string() == service_id(name));
    about.map(|report| (report.reachable, report.reason)).collect()
}

async fn wait_for_reports(script: &Script, name: &str, count: usize) -> Vec<(bool, Option<String>)> {
    until(&format!("{count} reports about {name}"), async || {
        let told = told(script, name);
        (told.len() >= count).then_some(told)
    })
    .await
}

fn because(reachable: bool, reason: &str) -> (bool, Option<String>) {
    (reachable, Some(reason.to_owned()))
}

#[tokio::test]
async fn the_registry_is_told_what_each_kind_of_answer_means() {
    let health = |status: &str| {
        format!(
            r#"{{"status":"{status}","reason":"no_credential: set X","service":"s","version":"1","uptime_s":1,"checks":{{}}}}"#
        )
    };
    let well = Target::start(&http("200 OK", "", "fine")).await;
    let made = Target::start(&http("204 No Content", "", "")).await;
    let down = Target::start(&http("503 Service Unavailable", "", &health("down"))).await;
    let busy = Target::start(&http("503 Service Unavailable", "", "busy")).await;
    let huge = Target::start(&http("503 Service Unavailable", "", &" ".repeat(70_000))).await;
    let lost = Target::start(&http("404 Not Found", "", "")).await;
    let moved = Target::start(&http("302 Found", &format!("location: {}/\r\n", well.url()), "")).await;
    let silent = Target::start("").await;
    let babble = Target::start("SSH-2.0-OpenSSH_9.9\r\n").await;
    let cases = [
        ("well", well.url(), (true, None)),
        ("made", made.url(), (true, None)),
        ("down", down.url(), because(true, "says it is down: no_credential: set X")),
        ("busy", busy.url(), because(false, "answered 503 without a health of PAS")),
        ("huge", huge.url(), because(false, "answered 503 without a health of PAS")),
        ("lost", lost.url(), because(false, "answered 404")),
        (
            "moved",
            moved.url(),
            because(false, "answered 302: probes follow no redirects, set the label health_path"),
        ),
        ("silent", silent.url(), because(false, "no answer within 1000 ms")),
        ("babble", babble.url(), because(false, "invalid HTTP version parsed")),
        ("nobody", nobody(), because(false, "Connection refused (os error 111)")),
        (
            "secure",
            well.url().replace("http:", "https:"),
            because(false, "received corrupt message of type InvalidContentType"),
        ),
    ];
    let script = Script::default();
    let registry = script.serve(Sockets::loopback().unwrap());
    script.list(cases.iter().map(|(name, url, _)| service(name, url, &[])).collect());
    let directory = tempfile::tempdir().unwrap();
    let monitor = start(directory.path(), &registry.url()).await;
    for (name, _, expected) in cases {
        assert_eq!(wait_for_reports(&script, name, 1).await[0], expected, "{name}");
    }
    let latency = script
        .reports()
        .into_iter()
        .find(|it| it.service_id.to_string() == service_id("well"))
        .unwrap()
        .latency_ms;
    assert!(latency.is_some_and(|ms| ms > 0.0 && ms < 1000.0), "{latency:?}");
    assert_eq!(monitor.metric("pas_heartbeat_monitor_probed_services").await, Some(11.0));
    monitor.stop().await;
    registry.stop().await.unwrap();
}

#[tokio::test]
async fn a_service_is_probed_at_its_path_and_the_registry_told_only_of_changes() {
    let target = Target::start(&http("200 OK", "", "")).await;
    let script = Script::default();
    let registry = script.serve(Sockets::loopback().unwrap());
    script.list(vec![service("a", &format!("{}/v1/", target.url()), &[("health_path", "/live")])]);
    let directory = tempfile::tempdir().unwrap();
    let monitor = start(directory.path(), &registry.url()).await;
    until("three probes", async || (target.requests().len() >= 3).then_some(())).await;
    target.answer(&http("500 Oops", "", ""));
    assert_eq!(wait_for_reports(&script, "a", 2).await, [(true, None), because(false, "answered 500")]);
    target.answer(&http("200 OK", "", ""));
    wait_for_reports(&script, "a", 3).await;
    assert!(target.requests().iter().all(|line| line == "GET /v1/live HTTP/1.1"), "{:?}", target.requests());
    let reachable = r#"pas_heartbeat_monitor_probes_total{result="reachable"}"#;
    assert!(monitor.metric(reachable).await.unwrap() >= 3.0);
    monitor.stop().await;
    registry.stop().await.unwrap();
}

#[tokio::test]
async fn a_service_without_a_server_or_that_is_gone_is_not_probed() {
    let (gone, stays) =
        (Target::start(&http("200 OK", "", "")).await, Target::start(&http("200 OK", "", "")).await);
    let script = Script::default();
    let registry = script.serve(Sockets::loopback().unwrap());
    let agent = service("agent", "", &[]);
    script.list(vec![agent.clone(), service("gone", &gone.url(), &[]), service("stays", &stays.url(), &[])]);
    let directory = tempfile::tempdir().unwrap();
    let monitor = start(directory.path(), &registry.url()).await;
    wait_for_reports(&script, "gone", 1).await;
    script.list(vec![agent, service("stays", &stays.url(), &[])]);
    let probed = "pas_heartbeat_monitor_probed_services";
    until("the monitor to see it", async || monitor.metric(probed).await.filter(|count| *count == 1.0)).await;
    let (before, rounds) = (gone.requests().len(), stays.requests().len());
    until("two more rounds", async || (stays.requests().len() >= rounds + 2).then_some(())).await;
    // One probe may have been under way.
    assert!(gone.requests().len() <= before + 1);
    assert_eq!(told(&script, "agent"), []);
    monitor.stop().await;
    registry.stop().await.unwrap();
}

#[tokio::test]
async fn a_registry_that_started_anew_is_told_again_and_its_first_snapshot_removes_nobody() {
    let (known, new) =
        (Target::start(&http("200 OK", "", "")).await, Target::start(&http("200 OK", "", "")).await);
    let script = Script::default();
    let registry = script.serve(Sockets::loopback().unwrap());
    script.list(vec![service("known", &known.url(), &[])]);
    let directory = tempfile::tempdir().unwrap();
    let monitor = start(directory.path(), &registry.url()).await;
    wait_for_reports(&script, "known", 1).await;

    script.start_anew(vec![service("new", &new.url(), &[])], false);
    wait_for_reports(&script, "new", 1).await;
    wait_for_reports(&script, "known", 2).await;
    script.start_anew(vec![service("new", &new.url(), &[])], true);
    let probed = "pas_heartbeat_monitor_probed_services";
    until("the old one to be gone", async || monitor.metric(probed).await.filter(|count| *count == 1.0))
        .await;
    monitor.stop().await;
    registry.stop().await.unwrap();
}

#[tokio::test]
async fn a_service_that_registered_anew_is_reported_again() {
    let target = Target::start(&http("200 OK", "", "")).await;
    let script = Script::default();
    let registry = script.serve(Sockets::loopback().unwrap());
    script.list(vec![service("a", &target.url(), &[])]);
    let directory = tempfile::tempdir().unwrap();
    let monitor = start(directory.path(), &registry.url()).await;
    wait_for_reports(&script, "a", 1).await;
    script.happened([transition(1, 1, "reregistered", "a", 0)]);
    assert_eq!(wait_for_reports(&script, "a", 2).await, [(true, None), (true, None)]);
    monitor.stop().await;
    registry.stop().await.unwrap();
}

#[tokio::test]
async fn probes_are_never_more_at_once_than_configured() {
    let silent = Target::start("").await;
    let script = Script::default();
    let registry = script.serve(Sockets::loopback().unwrap());
    script.list((0..20).map(|n| service(&format!("s{n}"), &silent.url(), &[])).collect());
    let directory = tempfile::tempdir().unwrap();
    let config = Config { probe_concurrency: 3, probe_timeout_ms: 60_000, ..quick() };
    let monitor = Monitor::start(directory.path(), &registry.url(), config).await;
    until("as many probes as may be", async || (silent.requests().len() >= 3).then_some(())).await;
    until("the turn of every service", async || {
        let (_, health) = monitor.get("/health").await;
        health["uptime_s"].as_u64().filter(|uptime| *uptime >= 3)
    })
    .await;
    assert_eq!(silent.requests().len(), 3);
    monitor.stop().await;
    registry.stop().await.unwrap();
}
