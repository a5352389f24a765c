//! The connection to the registry's watch, made again whenever it breaks.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::Context;
use pas_proto::registry::v1::registry_client::RegistryClient;
use pas_proto::registry::v1::{self as proto, WatchRequest};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use super::watcher::Watcher;
use super::{News, wire};
use crate::{clock, rpc};

/// Time for a stream to begin.
const CALL: Duration = Duration::from_secs(5);
/// The registry speaks every 5 s; a stream on which it says nothing for so long is dead.
const SILENCE: Duration = Duration::from_secs(20);
/// The first pause after a break, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

pub(super) struct Link {
    registry: RegistryClient<Channel>,
    watcher: Watcher,
}

impl Link {
    /// The registry at `url`; the connection is made when it is needed.
    pub(super) fn new(url: &str) -> anyhow::Result<Self> {
        Ok(Self { registry: RegistryClient::new(rpc::channel(url)?), watcher: Watcher::default() })
    }

    pub(super) async fn run(mut self, hear: &mut impl FnMut(News), shutdown: &CancellationToken) {
        let mut pause = PAUSES.0;
        loop {
            let broken = shutdown.run_until_cancelled(self.hear_once(hear, &mut pause)).await;
            let Some(Err(error)) = broken else { return };
            let again_in = clock::jittered(pause, 0.5);
            let again_in_ms = again_in.as_millis() as u64;
            if pause == PAUSES.0 {
                tracing::warn!(again_in_ms, "the registry is not heard: {error:#}");
            } else {
                tracing::debug!(again_in_ms, "the registry is not heard: {error:#}");
            }
            hear(News::Broke(format!("{error:#}")));
            pause = (pause * 2).min(PAUSES.1);
            if shutdown.run_until_cancelled(tokio::time::sleep(again_in)).await.is_none() {
                return;
            }
        }
    }

    async fn hear_once(
        &mut self,
        hear: &mut impl FnMut(News),
        pause: &mut Duration,
    ) -> anyhow::Result<Infallible> {
        let from = self.watcher.connect().map(|at| proto::Cursor { epoch: at.epoch, index: at.index });
        let begun = tokio::time::timeout(CALL, self.registry.watch(WatchRequest { from })).await;
        let begun = begun.context("the stream did not begin in time")?;
        let mut stream = begun.map_err(told)?.into_inner();
        loop {
            let next = tokio::time::timeout(SILENCE, stream.message()).await;
            let next = next.context("the registry says nothing any more")?;
            let message = next.map_err(told)?.context("the stream was ended by the registry")?;
            let message = wire::watched(message).map_err(anyhow::Error::msg);
            let message = message.context("the stream brought what can't be understood")?;
            hear(News::Learned(self.watcher.take(message)));
            *pause = PAUSES.0;
        }
    }
}

fn told(status: tonic::Status) -> anyhow::Error {
    anyhow::anyhow!("the stream broke: {}", status.message())
}
