//! The processes: a scripted provider, and what stands before it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use pas_testkit::{Process, binary};
use pas_types::catalog::{GATEWAY, OPENAI, REGISTRY};
use tokio::runtime::Builder;
use tokio::time::Instant;

use super::Subject;
use crate::load::turn::{self, Caller};
use crate::load::upstream::Upstream;

/// What doesn't answer by then doesn't work.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a client speaks to.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) process: Process,
    /// What it needs, which ends with it.
    _others: Option<(Process, Data)>,
}

/// What a gateway writes. Its files, one a call, stay until all is measured: where many were removed, ext4 without a journal
/// looks at all of them at each new one, for minutes. The journal of receipts is large and goes.
#[derive(Debug)]
struct Data(PathBuf);

impl Drop for Data {
    fn drop(&mut self) {
        // What stays goes with the rest.
        drop(std::fs::remove_dir_all(self.0.join("costs/journal")));
    }
}

impl Door {
    /// The bare proxy.
    pub(super) fn bare(upstream: &Upstream) -> anyhow::Result<Self> {
        let to = format!("127.0.0.1:{}", upstream.port());
        let process = Process::helper("pas-bare-proxy", &["--upstream", &to])?;
        let door = Self { process, _others: None };
        door.answers()?;
        Ok(door)
    }

    /// What is measured; what it writes lies in `place`.
    pub(super) fn open(subject: Subject, upstream: &Upstream, place: &Path) -> anyhow::Result<Self> {
        match subject {
            Subject::Bare => Self::bare(upstream),
            Subject::Gateway => Self::before(std::slice::from_ref(upstream), place),
            Subject::Adapter => Self::adapter(upstream, place),
        }
    }

    /// An adapter, with a credential that nobody looks at.
    fn adapter(upstream: &Upstream, place: &Path) -> anyhow::Result<Self> {
        let url = format!("http://127.0.0.1:{}", upstream.port());
        let env_file = place.join(".env");
        let env_file = env_file.to_string_lossy();
        let arguments = ["--base-url", &url, "--models", "scripted-1", "--env-file", &env_file];
        let environment = [("OPENAI_API_KEY", "sk-of-the-bench")];
        let program = binary(OPENAI.binary)?;
        let process = Process::start_in(&OPENAI, &program, place, &arguments, &environment)?;
        let door = Self { process, _others: None };
        door.answers()?;
        Ok(door)
    }

    /// The gateway without files of receipts.
    pub(super) fn without_files(upstream: &Upstream, place: &Path) -> anyhow::Result<Self> {
        Self::gateway(std::slice::from_ref(upstream), place, "gateway: {receipts: {files: false}}")
    }

    /// The gateway before several providers of the one model.
    pub(super) fn before(upstreams: &[Upstream], place: &Path) -> anyhow::Result<Self> {
        Self::gateway(upstreams, place, "")
    }

    /// The gateway, and a registry in which the providers are all there is.
    fn gateway(upstreams: &[Upstream], place: &Path, settings: &str) -> anyhow::Result<Self> {
        let data = Data(tempfile::tempdir_in(place)?.keep());
        let config = data.0.join("pas.yaml");
        std::fs::write(&config, settings)?;
        let registry = Process::start(&REGISTRY, &binary(REGISTRY.binary)?, &data.0, &[])?;
        for (number, upstream) in upstreams.iter().enumerate() {
            upstream.register(registry.port(), &format!("provider-{number}"))?;
        }
        let config = config.to_string_lossy();
        let arguments = ["--config", &config, "--registry-url", &registry.url()];
        let process = Process::start(&GATEWAY, &binary(GATEWAY.binary)?, &data.0, &arguments)?;
        let door = Self { process, _others: Some((registry, data)) };
        door.answers()?;
        Ok(door)
    }

    /// The port that is called.
    pub(super) fn port(&self) -> u16 {
        self.process.port()
    }

    /// Waits until it answers a call; tells how long that took.
    pub(super) fn answers(&self) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            loop {
                let said = match ask(self.port()).await {
                    Ok((200, _)) => return Ok(begun.elapsed()),
                    Ok((status, body)) => format!("{status}: {}", String::from_utf8_lossy(&body)),
                    Err(error) => error.to_string(),
                };
                if begun.elapsed() > PATIENCE {
                    bail!("port {} does not answer a call: {said}", self.port());
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
    }

    /// The processor time that `work` costs it, in seconds.
    pub(super) fn cost<T>(&self, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(f64, T)> {
        let before = self.process.cpu_s()?;
        let done = work()?;
        Ok((self.process.cpu_s()? - before, done))
    }

    /// Kills it and starts it again; tells how long it took from its start until it answered a call.
    pub(super) fn start_anew(&mut self) -> anyhow::Result<Duration> {
        self.process.kill()?;
        let begun = Instant::now();
        self.process.restart().context("it does not start again")?;
        self.answers()?;
        Ok(begun.elapsed())
    }
}

async fn ask(port: u16) -> std::io::Result<(u16, Vec<u8>)> {
    Caller::open(port).await?.answer(&turn::whole()).await
}
