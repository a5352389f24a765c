//! The launcher with real services, on ports and in a data directory of its own.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking; clippy takes only its function for a test"
)]

mod backup;
mod demo;

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use pas_testkit::{NOBODY, http, until, until_within};
use pas_types::catalog::{
    CLASSIFIER, EVENT_STREAM, Entry, GATEWAY, HEARTBEAT_MONITOR, HMI, PROVIDER_ROUTER, REGISTRY, SERVICES,
};
use serde_json::{Value, json};

/// What the classifier learns from.
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/classifier/train");

/// A swarm of which nothing is left when the test is over.
struct Swarm {
    dir: tempfile::TempDir,
    ports: Vec<u16>,
}

impl Swarm {
    fn new() -> Self {
        for entry in &SERVICES {
            pas_testkit::binary(entry.binary).unwrap();
        }
        let sockets: Vec<_> = SERVICES.iter().map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports = sockets.iter().map(|socket| socket.local_addr().unwrap().port()).collect();
        let swarm = Self { dir: tempfile::tempdir().unwrap(), ports };
        let section = |(entry, port): (&Entry, &u16)| {
            let section = entry.section;
            let more = match entry.name {
                name if name == CLASSIFIER.name => format!("  training_dir: {EXAMPLES}\n"),
                name if name == HMI.name => format!(
                    "  gateway_url: {}\n  monitor_url: {}\n  router_url: {}\n",
                    swarm.url(&GATEWAY, ""),
                    swarm.url(&HEARTBEAT_MONITOR, ""),
                    swarm.url(&PROVIDER_ROUTER, "")
                ),
                // Whoever runs this may have a server, and a file of credentials.
                _ if !entry.credentials.is_empty() => {
                    format!("  base_url: {NOBODY}\n  env_file: {}\n", swarm.dir.path().join(".env").display())
                }
                _ => String::new(),
            };
            format!("{section}:\n  port: {port}\n{more}")
        };
        let sections: String = SERVICES.iter().zip(&swarm.ports).map(section).collect();
        let shared = format!(
            "swarm:\n  bind: [127.0.0.1]\n  registry_url: http://127.0.0.1:{}\n  events_url: http://127.0.0.1:{}\n  origins: [{}]\n",
            swarm.ports[0],
            swarm.ports[1],
            swarm.url(&HMI, "")
        );
        fs::write(swarm.config(), shared + &sections).unwrap();
        swarm
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("pas.yaml")
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pas"));
        command.arg("--config").arg(self.config()).arg("--data-dir").arg(self.data()).args(arguments);
        for variable in SERVICES.iter().flat_map(|entry| entry.credentials) {
            command.env_remove(variable);
        }
        command
    }

    fn pas(&self, arguments: &[&str]) -> Said {
        Said::from(self.command(arguments).output().unwrap())
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.pas(&["status", "--json"]).out).unwrap()
    }

    fn pid(&self, index: usize) -> i64 {
        self.status()["services"][index]["pid"].as_i64().unwrap()
    }

    /// The services that run, and the supervisor.
    fn pids(&self) -> Vec<i64> {
        let status = self.status();
        let services = status["services"].as_array().unwrap().iter().map(|row| &row["pid"]);
        services.chain([&status["supervisor"]]).filter_map(Value::as_i64).collect()
    }

    fn url(&self, of: &Entry, path: &str) -> String {
        let index = SERVICES.iter().position(|entry| entry.name == of.name).unwrap();
        format!("http://127.0.0.1:{}{path}", self.ports[index])
    }

    async fn register(&self, name: &str) {
        let url = "http://127.0.0.1:1";
        let agent = json!({"name": name, "type": "agent", "role": "experimental", "url": url});
        let answer = http().post(self.url(&REGISTRY, "/register")).json(&agent).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 201);
    }

    /// Answers the epoch in which it is published.
    async fn publish(&self, message: &str) -> Value {
        let event = json!({"event_type": "log", "agent": "a", "message": message});
        let url = self.url(&EVENT_STREAM, "/events");
        let answer = http().post(url).json(&event).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 201);
        answer.json::<Value>().await.unwrap()["epoch"].clone()
    }

    async fn published(&self) -> Vec<String> {
        let answer = http().get(self.url(&EVENT_STREAM, "/events?type=log&agent=a")).send().await.unwrap();
        let page: Value = answer.json().await.unwrap();
        page["events"].as_array().unwrap().iter().map(|row| row["message"].as_str().unwrap().into()).collect()
    }

    async fn agents(&self) -> Vec<String> {
        self.agents_if_up().await.unwrap()
    }

    async fn agents_if_up(&self) -> Option<Vec<String>> {
        let url = self.url(&REGISTRY, "/discover?type=agent&status=any");
        let found: Value = http().get(url).send().await.ok()?.json().await.ok()?;
        found["services"].as_array()?.iter().map(|row| Some(row["name"].as_str()?.into())).collect()
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        self.pas(&["down"]);
    }
}

/// What a command has said, and whether it succeeded.
#[derive(Debug)]
struct Said {
    out: String,
    error: String,
    success: bool,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { out: text(output.stdout), error: text(output.stderr), success: output.status.success() }
    }
}

impl Said {
    #[track_caller]
    fn ok(self) -> String {
        assert!(self.success, "{self:?}");
        self.out
    }
}

fn signal(pid: i64, signal: &str) {
    let status = Command::new("kill").args([signal, &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

fn runs(pid: i64) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Those of the processes that still run.
fn survivors(pids: Vec<i64>) -> Vec<i64> {
    pids.into_iter().filter(|pid| runs(*pid)).collect()
}

#[tokio::test]
async fn every_service_is_up_after_up_and_a_second_up_changes_nothing() {
    let swarm = Swarm::new();
    swarm.pas(&["up", "--detach"]).ok();
    let before = swarm.status();
    let rows = before["services"].as_array().unwrap();
    for ((row, entry), port) in rows.iter().zip(&SERVICES).zip(&swarm.ports) {
        let seen = json!([row["service"], row["url"], row["restarts"]]);
        assert_eq!(seen, json!([entry.name, format!("http://127.0.0.1:{port}"), 0]));
    }
    let pids = swarm.pids();
    let second = swarm.pas(&["up", "--detach"]).ok();
    assert!(second.starts_with("PAS is up already in"), "{second}");
    assert_eq!(swarm.pids(), pids);
    swarm.pas(&["doctor"]).ok();
}

#[tokio::test]
async fn a_killed_service_answers_again_soon_and_the_others_are_not_touched() {
    let swarm = Swarm::new();
    swarm.pas(&["up", "--detach"]).ok();
    let (registry, monitor) = (swarm.pid(0), swarm.pid(1));
    signal(registry, "-KILL");
    let patience = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 2 });
    until_within(patience, "the registry answers with another process", async || {
        let row = &swarm.status()["services"][0];
        let answers = ["ok", "recovering", "degraded"].contains(&row["state"].as_str()?);
        (row["restarts"] == 1 && answers).then_some(())
    })
    .await;
    assert_ne!(swarm.pid(0), registry);
    assert_eq!(swarm.pid(1), monitor);
    let log = swarm.pas(&["logs", "pas"]).ok();
    assert!(log.contains("registry ended (signal: 9 (SIGKILL)), starts again in"), "{log}");
}

#[tokio::test]
async fn doctor_names_a_service_that_does_not_answer() {
    let swarm = Swarm::new();
    swarm.pas(&["up", "--detach"]).ok();
    let registry = swarm.pid(0);
    signal(registry, "-STOP");
    let found = swarm.pas(&["doctor"]);
    signal(registry, "-CONT");
    assert!(
        !found.success && found.out.contains("FAIL  services       registry does not answer\n"),
        "{found:?}"
    );
}

#[tokio::test]
async fn what_a_service_prints_does_not_go_into_the_log_that_it_sets_aside_by_itself() {
    let swarm = Swarm::new();
    swarm.pas(&["up", "--detach"]).ok();
    for (index, entry) in SERVICES.iter().enumerate() {
        let printed = swarm.data().join(format!("logs/{}.err.log", entry.name));
        let pid = swarm.pid(index);
        let files = [1, 2].map(|number| fs::read_link(format!("/proc/{pid}/fd/{number}")).unwrap());
        assert_eq!(files, [printed.clone(), printed]);
    }
}

#[tokio::test]
async fn services_outlive_a_killed_supervisor_and_the_next_up_takes_them_over() {
    let swarm = Swarm::new();
    swarm.pas(&["up", "--detach"]).ok();
    let (registry, monitor) = (swarm.pid(0), swarm.pid(1));
    signal(swarm.status()["supervisor"].as_i64().unwrap(), "-KILL");
    until("the supervisor is dead", async || swarm.status()["supervisor"].as_null()).await;
    let table = swarm.pas(&["status"]).ok();
    assert!(table.contains("not supervised"), "{table}");
    let found = swarm.pas(&["doctor"]);
    let fault = "FAIL  services       nobody supervises them: what dies stays dead\n\
        \x20                    -> `pas up` takes over what runs and starts the rest\n";
    assert!(!found.success && found.out.ends_with(fault), "{found:?}");
    swarm.pas(&["up", "--detach"]).ok();
    assert_eq!([swarm.pid(0), swarm.pid(1)], [registry, monitor]);
    signal(monitor, "-KILL");
    until("the new supervisor starts again what it took over", async || {
        (swarm.status()["services"][1]["restarts"] == 1 && swarm.pas(&["status"]).success).then_some(())
    })
    .await;
}

#[tokio::test]
async fn down_leaves_no_process_and_is_content_when_nothing_runs() {
    let swarm = Swarm::new();
    assert!(!swarm.pas(&["status"]).success);
    swarm.pas(&["down"]).ok();
    swarm.pas(&["up", "--detach"]).ok();
    let pids = swarm.pids();
    assert_eq!(pids.len(), SERVICES.len() + 1);
    swarm.pas(&["down"]).ok();
    let (supervisor, services) = pids.split_last().unwrap();
    assert!(!runs(*supervisor));
    let unburied: Vec<_> =
        services.iter().filter(|pid| fs::exists(format!("/proc/{pid}")).unwrap()).collect();
    assert_eq!(unburied, Vec::<&i64>::new());
    swarm.pas(&["down"]).ok();
}

#[tokio::test]
async fn down_stops_services_whose_supervisor_was_killed() {
    let swarm = Swarm::new();
    swarm.pas(&["up", "--detach"]).ok();
    let pids = swarm.pids();
    signal(swarm.status()["supervisor"].as_i64().unwrap(), "-KILL");
    swarm.pas(&["down"]).ok();
    assert_eq!(survivors(pids), Vec::<i64>::new());
}

#[tokio::test]
async fn a_foreground_up_stops_all_when_it_is_interrupted() {
    let swarm = Swarm::new();
    let child = swarm.command(&["up"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("all are up", async || swarm.pas(&["status"]).success.then_some(())).await;
    let pids = swarm.pids();
    signal(child.id().into(), "-INT");
    let said = Said::from(child.wait_with_output().unwrap()).ok();
    let stopped: Vec<&str> = said.lines().filter_map(|line| line.strip_suffix(" stopped")).collect();
    let others = SERVICES.iter().rev().filter(|entry| entry.name != EVENT_STREAM.name);
    assert_eq!(stopped, others.chain([&EVENT_STREAM]).map(|entry| entry.name).collect::<Vec<_>>());
    assert_eq!(survivors(pids), Vec::<i64>::new());
}

#[tokio::test]
async fn a_taken_port_is_named_with_its_holder_before_anything_starts() {
    let swarm = Swarm::new();
    let _holder = TcpListener::bind(("127.0.0.1", swarm.ports[1])).unwrap();
    let said = swarm.pas(&["up", "--detach"]);
    let expected = format!(
        "error: port {} of {} is taken by pid {} ({})",
        swarm.ports[1],
        SERVICES[1].name,
        std::process::id(),
        std::env::args().collect::<Vec<_>>().join(" ")
    );
    assert!(!said.success && said.error.starts_with(&expected[..expected.len().min(200)]), "{said:?}");
    assert_eq!(said.out, "");
    assert_eq!(swarm.status(), json!({"supervisor": null, "services": []}));
}

#[tokio::test]
async fn who_moves_the_registry_is_told_to_tell_the_others() {
    let swarm = Swarm::new();
    let _holder = TcpListener::bind(("127.0.0.1", swarm.ports[0])).unwrap();
    let said = swarm.pas(&["up", "--detach"]);
    let advice = ": stop it, or set registry.port and swarm.registry_url in the configuration\n";
    assert!(!said.success && said.error.ends_with(advice), "{said:?}");
}

#[tokio::test]
async fn a_wrong_configuration_is_shown_before_anything_starts() {
    let swarm = Swarm::new();
    fs::write(swarm.config(), "registry:\n  prot: 1\n").unwrap();
    let said = swarm.pas(&["up", "--detach"]);
    assert!(!said.success && said.error.contains("prot") && said.error.contains("port"), "{said:?}");
    assert_eq!(swarm.status(), json!({"supervisor": null, "services": []}));
}

#[tokio::test]
async fn a_running_swarm_can_be_seen_and_stopped_whatever_the_configuration_says() {
    let swarm = Swarm::new();
    // As a user who names no data directory: the default one, below the folder where `pas` runs.
    let data = swarm.dir.path().canonicalize().unwrap().join("artifacts");
    let pas = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pas"));
        command.arg("--config").arg(swarm.config()).args(arguments).current_dir(swarm.dir.path());
        Said::from(command.output().unwrap())
    };
    pas(&["--data-dir", data.to_str().unwrap(), "up", "--detach"]).ok();
    fs::write(swarm.config(), "registry:\n  prot: 1\n").unwrap();
    let note = format!(
        "note: the configuration can't be used (`pas doctor` says why); going on with the data directory {}\n",
        data.display()
    );
    for arguments in [&["status"][..], &["logs", "-n", "0"], &["down"]] {
        let said = pas(arguments);
        assert_eq!((said.success, &said.error), (true, &note), "{arguments:?}: {said:?}");
    }
    let status = pas(&["status"]);
    assert_eq!(status.out, format!("nothing of PAS runs in {}: `pas up` starts it\n", data.display()));
}

#[tokio::test]
async fn a_service_that_cannot_start_fails_up_with_its_log_while_the_others_serve() {
    let swarm = Swarm::new();
    fs::create_dir(swarm.data()).unwrap();
    let in_the_way = swarm.data().join("heartbeat_monitor");
    fs::write(&in_the_way, "a file where a folder should be").unwrap();
    let said = swarm.pas(&["up", "--detach"]);
    let log = swarm.data().join("logs/heartbeat-monitor.log");
    let expected = format!("error: heartbeat-monitor did not come up\n{} ends with:\n  {{", log.display());
    assert!(!said.success && said.error.contains(&expected), "{said:?}");
    let printed = swarm.data().join("logs/heartbeat-monitor.err.log");
    let printed = format!("\n{} ends with:\n  {}", printed.display(), in_the_way.display());
    assert!(said.error.contains(&printed), "{said:?}");
    assert!(swarm.status()["services"][0]["pid"].is_i64());
    let logs = swarm.pas(&["logs", "heartbeat-monitor"]).ok();
    let printed = format!("\nheartbeat-monitor.err | {}", in_the_way.display());
    assert!(logs.contains(&printed), "{logs}");
}
