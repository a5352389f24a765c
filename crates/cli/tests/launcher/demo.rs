//! `pas demo`, whose data directory is `artifacts/demo` below the folder where it is called.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use pas_testkit::{http, until};
use pas_types::catalog::{GATEWAY, HMI, LLAMA, OLLAMA, OPENAI, REGISTRY, SERVICES};
use serde_json::Value;

use crate::{Said, Swarm, runs, signal, survivors};

/// A demo of which nothing is left when the test is over.
struct Demo {
    swarm: Swarm,
    child: Option<Child>,
}

impl Demo {
    /// Called, but not up yet.
    fn start() -> Self {
        let mut demo = Self::new();
        demo.child = Some(demo.called().spawn().unwrap());
        demo
    }

    fn new() -> Self {
        pas_testkit::binary("pas-demo").unwrap();
        let demo = Self { swarm: Swarm::new(), child: None };
        let keys = "OPENAI_API_KEY=sk-of-the-file\nANTHROPIC_API_KEY=sk-of-the-file\n";
        fs::write(demo.swarm.dir.path().join(".env"), keys).unwrap();
        demo
    }

    /// As it is called by somebody who has a key.
    fn called(&self) -> Command {
        let mut command = self.command(&["demo"]);
        command.env("OPENAI_API_KEY", "sk-of-the-environment").stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Plays before an audience.
    async fn plays() -> Self {
        let demo = Self::start();
        demo.is_complete().await;
        demo
    }

    async fn is_complete(&self) {
        until("all 42 agents are registered", async || {
            (self.swarm.agents_if_up().await?.len() == 42).then_some(())
        })
        .await;
    }

    fn data(&self) -> PathBuf {
        self.swarm.dir.path().canonicalize().unwrap().join("artifacts/demo")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pas"));
        command.arg("--config").arg(self.swarm.config()).args(arguments).current_dir(self.swarm.dir.path());
        command
    }

    /// With its data directory named.
    fn pas(&self, arguments: &[&str]) -> Said {
        let mut command = self.command(&["--data-dir", "artifacts/demo"]);
        Said::from(command.args(arguments).output().unwrap())
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.pas(&["status", "--json"]).out).unwrap()
    }

    fn pid(&self) -> i64 {
        self.child.as_ref().unwrap().id().into()
    }

    /// The process of `pas-demo`.
    fn player(&self) -> i64 {
        let children = format!("/proc/{0}/task/{0}/children", self.pid());
        let children = fs::read_to_string(children).unwrap();
        let is_player = |pid: &&str| {
            fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "pas-demo")
        };
        children.split_whitespace().find(is_player).unwrap().parse().unwrap()
    }

    /// Everything that runs of it.
    fn pids(&self) -> Vec<i64> {
        let status = self.status();
        let services = status["services"].as_array().unwrap().iter().map(|row| &row["pid"]);
        let of_pas = services.chain([&status["supervisor"]]).filter_map(Value::as_i64);
        of_pas.chain([self.player()]).collect()
    }

    /// What it said, once it has ended.
    fn end(&mut self) -> Said {
        Said::from(self.child.take().unwrap().wait_with_output().unwrap())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            signal(child.id().into(), "-TERM");
            drop(child.wait());
        }
        self.pas(&["down"]);
    }
}

#[tokio::test]
async fn a_demo_plays_in_a_data_directory_of_its_own_and_leaves_nothing_running_when_it_is_interrupted() {
    let mut demo = Demo::plays().await;
    let pids = demo.pids();
    assert_eq!(survivors(pids.clone()).len(), SERVICES.len() + 2);
    assert!(demo.data().join("registry/registry.db").exists());
    assert!(!demo.swarm.data().exists() && !demo.swarm.dir.path().join("artifacts/registry").exists());

    let second = Said::from(demo.command(&["demo"]).output().unwrap());
    let told = format!("error: the demo is up already in {}: look at", demo.data().display());
    assert!(!second.success && second.error.starts_with(&told), "{second:?}");

    signal(demo.pid(), "-INT");
    let said = demo.end().ok();
    assert!(said.contains(&format!("\nLook: {}\n", demo.swarm.url(&HMI, ""))), "{said}");
    assert_eq!(survivors(pids), Vec::<i64>::new());

    let up = demo.pas(&["up", "--detach"]);
    let told = format!("error: what is in {} was invented by `pas demo`", demo.data().display());
    assert!(!up.success && up.error.starts_with(&told), "{up:?}");
}

#[tokio::test]
async fn a_demo_keeps_to_itself_whatever_the_settings_say() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    other.set_nonblocking(true).unwrap();
    let mut demo = Demo::new();
    let mut command = demo.called();
    let url = format!("http://{}", other.local_addr().unwrap());
    for section in ["OLLAMA", "LMSTUDIO", "LLAMA", "TINYLLAMA", "OPENAI"] {
        for key in ["_BASE_URL", "__BASE_URL", "__ROUTER_URL"] {
            command.env(format!("PAS_{section}{key}"), &url);
        }
    }
    let others = [
        "SWARM__REGISTRY_URL",
        "SWARM__EVENTS_URL",
        "GATEWAY__ROUTER_URL",
        "HMI__GATEWAY_URL",
        "HMI__MONITOR_URL",
        "HMI__ROUTER_URL",
    ];
    for key in others {
        command.env(format!("PAS_{key}"), &url);
    }
    demo.child = Some(command.spawn().unwrap());
    demo.is_complete().await;
    for entry in &[OLLAMA, LLAMA] {
        until("it has looked for its server", async || {
            let health = http().get(demo.swarm.url(entry, "/health")).send().await.ok()?;
            health.text().await.ok()?.contains(pas_testkit::NOBODY).then_some(())
        })
        .await;
    }
    let asked = other.accept().map(|(_, from)| from);
    assert_eq!(asked.unwrap_err().kind(), ErrorKind::WouldBlock, "it has called somebody else");
    let hello: Value =
        http().get(demo.swarm.url(&HMI, "/api/hello")).send().await.unwrap().json().await.unwrap();
    assert_eq!(hello["urls"]["gateway"], demo.swarm.url(&GATEWAY, ""));
}

#[test]
fn a_demo_whose_supervisor_does_not_start_says_so_and_does_not_play() {
    let demo = Demo::new();
    // What the supervisor is to write can't be written.
    fs::create_dir_all(demo.data().join("run/pids.new")).unwrap();
    let said = Said::from(demo.called().output().unwrap());
    assert!(said.error.contains("error: the supervisor did not start"), "{said:?}");
    assert!(said.error.ends_with("error: the demo could not start its services\n"), "{said:?}");
    assert!(!said.success && !said.out.contains("Look: "), "{said:?}");
}

#[tokio::test]
async fn no_service_of_a_demo_has_a_credential_and_the_hmi_says_that_it_is_one() {
    let demo = Demo::plays().await;
    let status = demo.status();
    let row =
        status["services"].as_array().unwrap().iter().find(|row| row["service"] == OPENAI.name).unwrap();
    let reason = row["reason"].as_str().unwrap();
    assert!(row["state"] == "not_configured" && reason.starts_with("no_credential"), "{row}");
    for pid in demo.pids() {
        let environment = fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
        assert!(!environment.contains("sk-of-the-environment"), "process {pid}");
    }
    let hello: Value =
        http().get(demo.swarm.url(&HMI, "/api/hello")).send().await.unwrap().json().await.unwrap();
    assert_eq!(hello["demo"], true);
}

#[tokio::test]
async fn a_demo_whose_player_dies_says_so_and_stops_the_services() {
    let mut demo = Demo::plays().await;
    let pids = demo.pids();
    signal(demo.player(), "-KILL");
    let said = demo.end();
    let told = "error: pas-demo ended by itself (signal: 9 (SIGKILL)), and the demo with it\n";
    assert!(!said.success && said.error.ends_with(told), "{said:?}");
    assert_eq!(survivors(pids), Vec::<i64>::new());
}

#[tokio::test]
async fn a_demo_that_is_killed_leaves_no_player_and_its_services_can_be_stopped() {
    let mut demo = Demo::plays().await;
    let (pids, player) = (demo.pids(), demo.player());
    signal(demo.pid(), "-KILL");
    demo.child.take().unwrap().wait().unwrap();
    until("the player is gone", async || (!runs(player)).then_some(())).await;
    demo.pas(&["down"]).ok();
    assert_eq!(survivors(pids), Vec::<i64>::new());
}

#[tokio::test]
async fn a_demo_that_is_interrupted_while_it_starts_leaves_nothing_running() {
    let mut demo = Demo::start();
    let pids = until("something runs", async || {
        let status = demo.status();
        let services = status["services"].as_array()?.iter().map(|row| &row["pid"]);
        let pids: Vec<_> = services.chain([&status["supervisor"]]).filter_map(Value::as_i64).collect();
        (pids.len() > 1).then_some(pids)
    })
    .await;
    signal(demo.pid(), "-TERM");
    demo.end().ok();
    assert_eq!(survivors(pids), Vec::<i64>::new());
    assert_eq!(demo.status()["services"], serde_json::json!([]));
}

#[tokio::test]
async fn a_demo_does_not_play_where_pas_runs_nor_into_real_data() {
    let swarm = Swarm::new();
    swarm.pas(&["up", "--detach"]).ok();
    let demo = |data_dir: &str| {
        // One that plays after all is ended, and has not refused then.
        let mut command = Command::new("timeout");
        command.args(["--signal=INT", "20", env!("CARGO_BIN_EXE_pas"), "--config"]).arg(swarm.config());
        command.args(["--data-dir", data_dir, "demo"]);
        Said::from(command.current_dir(swarm.dir.path()).output().unwrap())
    };
    let elsewhere = demo("elsewhere");
    let told =
        format!("error: PAS runs already where the demo would (registry at {}", swarm.url(&REGISTRY, ""));
    assert!(!elsewhere.success && elsewhere.error.starts_with(&told), "{elsewhere:?}");
    assert!(elsewhere.error.contains("`pas down` stops it"), "{elsewhere:?}");
    assert!(!swarm.dir.path().join("elsewhere/registry").exists());
    assert_eq!(swarm.agents().await, Vec::<String>::new());

    swarm.pas(&["down"]).ok();
    let data = demo("data");
    assert!(!data.success && data.error.contains("has real data"), "{data:?}");
}
