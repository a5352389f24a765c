//! Services as real processes.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use pas_types::catalog;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::proc;

/// The root of a service that isn't there.
pub const NOBODY: &str = "http://127.0.0.1:1";

/// The built binary `name`, beside the test that asks for it.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let directories = test.ancestors().skip(1).take(2);
    let found = directories.map(|directory| directory.join(name)).find(|path| path.is_file());
    found.with_context(|| format!("{name} is not built: run `cargo build --workspace` first"))
}

/// A service that runs as a process of its own. It is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    binary: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    child: Child,
    port: u16,
    log: Log,
}

/// What a process has logged, as far as it is kept.
type Log = Arc<Mutex<String>>;

/// Bytes of a log that are kept.
const LOG_BYTES: usize = 8 * 1024 * 1024;

impl Process {
    /// Starts the service `entry` from `binary`, on a free port of 127.0.0.1, with its data under `data_dir`.
    pub fn start(
        entry: &catalog::Entry,
        binary: &Path,
        data_dir: &Path,
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        Self::start_in(entry, binary, data_dir, arguments, &[])
    }

    /// The same, with these variables in its environment.
    pub fn start_in(
        entry: &catalog::Entry,
        binary: &Path,
        data_dir: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let mut all: Vec<String> =
            entry.arguments.iter().chain(arguments).map(|argument| (*argument).to_owned()).collect();
        let data = data_dir.to_str().context("the data directory is not UTF-8")?;
        // A swarm that happens to run on this machine is none of a test's business.
        for flag in ["--registry-url", "--events-url"] {
            if !arguments.contains(&flag) {
                all.extend([flag, NOBODY].map(str::to_owned));
            }
        }
        all.extend(["--data-dir", data, "--bind", "127.0.0.1", "--log-format", "json"].map(str::to_owned));
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self::spawned(entry.name, binary, all, environment.collect())
    }

    /// Starts one of the testkit's own servers, on a free port of 127.0.0.1.
    pub fn helper(name: &'static str, arguments: &[&str]) -> anyhow::Result<Self> {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Self::spawned(name, &self::binary(name)?, arguments, Vec::new())
    }

    fn spawned(
        name: &'static str,
        binary: &Path,
        arguments: Vec<String>,
        environment: Vec<(String, String)>,
    ) -> anyhow::Result<Self> {
        let log = Log::default();
        let (child, port) = spawn(binary, &arguments, &environment, 0, &log)?;
        Ok(Self { name, binary: binary.to_owned(), arguments, environment, child, port, log })
    }

    /// Starts it again, on the same port and data, after it has ended.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.wait()?;
        (self.child, self.port) =
            spawn(&self.binary, &self.arguments, &self.environment, self.port, &self.log)?;
        Ok(())
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("no such pid")?;
        kill_process(pid, signal).with_context(|| format!("{} can't be signalled", self.name))
    }

    /// Kills it, without a chance to finish anything, and waits until it is gone.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.wait().map(drop)
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        Ok(self.child.wait()?)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it has logged, the first mebibytes of it.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Bytes of its memory that are resident.
    pub fn resident_bytes(&self) -> anyhow::Result<u64> {
        proc::resident_bytes(self.pid())
    }

    /// The most bytes of its memory that ever were resident.
    pub fn peak_resident_bytes(&self) -> anyhow::Result<u64> {
        proc::peak_resident_bytes(self.pid())
    }

    /// Processor time that it has used, in seconds.
    pub fn cpu_s(&self) -> anyhow::Result<f64> {
        proc::cpu_s(self.pid())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Starts the binary and reads its log until it says on which port it listens.
fn spawn(
    binary: &Path,
    arguments: &[String],
    environment: &[(String, String)],
    port: u16,
    log: &Log,
) -> anyhow::Result<(Child, u16)> {
    let mut command = Command::new(binary);
    // Whoever runs a test may have credentials; no account of his is charged for it.
    for variable in catalog::SERVICES.iter().flat_map(|entry| entry.credentials) {
        command.env_remove(variable);
    }
    let mut child = command
        .envs(environment.iter().cloned())
        .args(arguments)
        .args(["--port", &port.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} can't be started", binary.display()))?;
    let output = child.stdout.take().context("no log")?;
    match listening_port(output, Arc::clone(log)) {
        Some(port) => Ok((child, port)),
        None => bail!("{} ended before it listened: {}", binary.display(), child.wait()?),
    }
}

fn listening_port(output: ChildStdout, log: Log) -> Option<u16> {
    let keep = move |line: &str| {
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.len() < LOG_BYTES {
            log.push_str(line);
            log.push('\n');
        }
    };
    let mut lines = BufReader::new(output).lines();
    let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
        keep(&line);
        let event: Value = serde_json::from_str(&line).ok()?;
        (event["message"] == "listening").then(|| u16::try_from(event["port"].as_u64()?).ok())?
    });
    // The rest is read too, so that the service never waits for a reader.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| keep(&line)));
    port
}
