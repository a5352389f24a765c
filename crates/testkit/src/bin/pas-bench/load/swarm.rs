//! A whole swarm, under its launcher.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use pas_types::catalog::{Entry, SERVICES};
use pas_types::health::{Health, HealthStatus};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tokio::time::Instant;

use super::connection::{Connection, request};

/// Time within which every service must answer after a start.
const PATIENCE: Duration = Duration::from_secs(30);
/// The time between two looks whether something has happened.
const LOOK: Duration = Duration::from_millis(2);

/// A swarm on free ports and in a data directory of its own, under `pas up`. It stops when this is dropped.
#[derive(Debug)]
pub(crate) struct Swarm {
    directory: tempfile::TempDir,
    ports: Vec<u16>,
    launcher: Child,
}

/// What `pas status` says.
#[derive(Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) services: Vec<ServiceStatus>,
}

/// What it says of one service.
#[derive(Debug, Deserialize)]
pub(crate) struct ServiceStatus {
    pub(crate) service: String,
    pub(crate) pid: Option<u32>,
    pub(crate) restarts: u32,
}

impl Swarm {
    /// Starts every service of the catalogue, and returns when each has answered; tells how long that took.
    pub(crate) fn up() -> anyhow::Result<(Self, Duration)> {
        let directory = tempfile::tempdir()?;
        let sockets =
            SERVICES.iter().map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<Vec<_>, _>>()?;
        let ports = sockets.iter().map(|socket| Ok(socket.local_addr()?.port()));
        let ports = ports.collect::<std::io::Result<Vec<_>>>()?;
        drop(sockets);
        let sections = SERVICES.iter().zip(&ports);
        let env_file = directory.path().join(".env");
        let section = |(entry, port): (&Entry, &u16)| {
            // Nobody's account is charged for a bench, and no server on this machine takes part.
            let nobody = format!(", base_url: '{}', env_file: '{}'", pas_testkit::NOBODY, env_file.display());
            let more = if entry.credentials.is_empty() { "" } else { &nobody };
            format!("{}: {{port: {port}{more}}}\n", entry.section)
        };
        let sections: String = sections.map(section).collect();
        let shared = format!(
            "swarm: {{bind: [127.0.0.1], registry_url: 'http://127.0.0.1:{}', events_url: 'http://127.0.0.1:{}'}}\n",
            ports[0], ports[1]
        );
        std::fs::write(directory.path().join("pas.yaml"), shared + &sections)?;
        let begun = Instant::now();
        let launcher =
            command(&directory, &["up"])?.stdout(Stdio::null()).spawn().context("pas can't be run")?;
        let swarm = Self { directory, ports, launcher };
        for entry in &SERVICES {
            swarm.answering(entry, |_| true)?;
        }
        Ok((swarm, begun.elapsed()))
    }

    /// The port of a service.
    pub(crate) fn port(&self, entry: &Entry) -> u16 {
        let found = SERVICES.iter().zip(&self.ports).find(|(each, _)| *each == entry);
        found.map_or(entry.port, |(_, port)| *port)
    }

    /// How its services are.
    pub(crate) fn status(&self) -> anyhow::Result<Status> {
        let output = command(&self.directory, &["status", "--json"])?.output()?;
        serde_json::from_slice(&output.stdout).context("pas status is not understood")
    }

    /// Kills a service, and returns how long it took until its successor answered.
    pub(crate) fn kill(&self, entry: &Entry) -> anyhow::Result<Duration> {
        let status = self.status()?;
        let found = status.services.iter().find(|row| row.service == entry.name);
        let pid = found.and_then(|row| row.pid).with_context(|| format!("{} doesn't run", entry.name))?;
        let before = health(self.port(entry))?.uptime_s;
        let begun = Instant::now();
        signal(pid, Signal::KILL)?;
        // The dead can't answer, but what it had sent may still be under way.
        self.answering(entry, |health| health.uptime_s < before)?;
        Ok(begun.elapsed())
    }

    fn answering(&self, entry: &Entry, accept: impl Fn(&Health) -> bool) -> anyhow::Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            // A door without a credential is as well as it can be.
            let is_up =
                |health: &Health| health.status != HealthStatus::Down || !entry.credentials.is_empty();
            let works = |health: &Health| is_up(health) && accept(health);
            if health(self.port(entry)).is_ok_and(|health| works(&health)) {
                return Ok(());
            }
            std::thread::sleep(LOOK);
        }
        bail!("{} does not answer within {} s", entry.name, PATIENCE.as_secs())
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(signal(self.launcher.id(), Signal::INT));
        drop(self.launcher.wait());
    }
}

/// What the service on this port says of itself.
pub(crate) fn health(port: u16) -> anyhow::Result<Health> {
    let mut connection = Connection::open(port)?;
    connection.call(&request("GET", "/health", ""))?;
    Ok(serde_json::from_slice(connection.body())?)
}

fn command(directory: &tempfile::TempDir, arguments: &[&str]) -> anyhow::Result<Command> {
    let mut command = Command::new(pas_testkit::binary("pas")?);
    let path = directory.path();
    command
        .arg("--config")
        .arg(path.join("pas.yaml"))
        .arg("--data-dir")
        .arg(path.join("data"))
        .args(arguments);
    for variable in SERVICES.iter().flat_map(|entry| entry.credentials) {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    Ok(command)
}

fn signal(pid: u32, signal: Signal) -> anyhow::Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).context("no such pid")?;
    kill_process(pid, signal).context("a process can't be signalled")
}
