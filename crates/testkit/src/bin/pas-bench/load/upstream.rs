//! The provider behind a gateway.

use anyhow::ensure;
use pas_testkit::Process;
use serde_json::json;

use super::connection::{Connection, request};
use super::turn::MODEL;

/// The scripted provider, with one thread and no memory of what it got.
#[derive(Debug)]
pub(crate) struct Upstream(Process);

impl Upstream {
    /// Starts it.
    pub(crate) fn start() -> anyhow::Result<Self> {
        Ok(Self(Process::helper("pas-scripted-provider", &["--instant", "--keep", "0"])?))
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.0.port()
    }

    /// Makes it a service of this name in the registry on this port, with the one model.
    pub(crate) fn register(&self, registry: u16, name: &str) -> anyhow::Result<()> {
        let body = json!({
            "name": name, "type": "model", "role": "production", "url": self.0.url(), "caps": ["infer", "chat"],
            // It doesn't beat, and must stay as long as it is measured.
            "heartbeat_interval_s": 86_400, "ttl_s": 86_400, "ctx_limit": 131_072, "labels": {"dialects": "openai.chat", "models": MODEL},
        });
        let mut connection = Connection::open(registry)?;
        let status = connection.call(&request("POST", "/register", &body.to_string()))?;
        let said = String::from_utf8_lossy(connection.body());
        ensure!(status < 300, "the provider can't be registered: {said}");
        Ok(())
    }
}
