//! The processes: a scripted provider, and what stands before it.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use pas_testkit::{Process, binary};
use pas_types::catalog::{GATEWAY, REGISTRY};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Builder;
use tokio::time::Instant;

use super::Subject;
use crate::load::connection::{Connection, request};
use crate::load::turn::{self, Caller, MODEL};

/// What doesn't answer by then doesn't work.
const PATIENCE: Duration = Duration::from_secs(30);

/// The scripted provider, with one thread and no memory of what it got.
#[derive(Debug)]
pub(super) struct Upstream(Process);

impl Upstream {
    pub(super) fn start() -> anyhow::Result<Self> {
        Ok(Self(Process::helper("pas-scripted-provider", &["--instant", "--keep", "0"])?))
    }
}

/// What a client speaks to.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) process: Process,
    /// What it needs, which ends with it.
    _others: Option<(Process, TempDir)>,
}

impl Door {
    /// The bare proxy.
    pub(super) fn bare(upstream: &Upstream) -> anyhow::Result<Self> {
        let to = format!("127.0.0.1:{}", upstream.0.port());
        let process = Process::helper("pas-bare-proxy", &["--upstream", &to])?;
        let door = Self { process, _others: None };
        door.answers()?;
        Ok(door)
    }

    /// What is measured.
    pub(super) fn open(subject: Subject, upstream: &Upstream) -> anyhow::Result<Self> {
        match subject {
            Subject::Bare => Self::bare(upstream),
            Subject::Gateway => Self::gateway(upstream),
        }
    }

    /// The gateway, and a registry in which the provider is the one model.
    fn gateway(upstream: &Upstream) -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        let registry = Process::start(&REGISTRY, &binary(REGISTRY.binary)?, data.path(), &[])?;
        let body = json!({
            "name": MODEL, "type": "model", "role": "production", "url": upstream.0.url(), "caps": ["infer", "chat"],
            // It doesn't beat, and must stay as long as it is measured.
            "heartbeat_interval_s": 86_400, "ttl_s": 86_400, "ctx_limit": 131_072, "labels": {"dialects": "openai.chat", "models": MODEL},
        });
        let mut connection = Connection::open(registry.port())?;
        let status = connection.call(&request("POST", "/register", &body.to_string()))?;
        ensure!(
            status < 300,
            "the provider can't be registered: {}",
            String::from_utf8_lossy(connection.body())
        );
        let arguments = ["--registry-url", &registry.url()];
        let process = Process::start(&GATEWAY, &binary(GATEWAY.binary)?, data.path(), &arguments)?;
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
