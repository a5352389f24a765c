//! What the provider router says: the documents by which is chosen, whole, whenever they change.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::Context;
use pas_proto::routing::v1::routing_client::RoutingClient;
use pas_proto::routing::v1::watch_response::Event;
use pas_proto::routing::v1::{Versions, WatchRequest};
use pas_service::{clock, rpc};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

/// Time for a stream to begin.
const CALL: Duration = Duration::from_secs(5);
/// The router speaks every 5 s; a stream on which it says nothing for so long is dead.
const SILENCE: Duration = Duration::from_secs(20);
/// The first pause after a break, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

/// The documents that are in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documents {
    /// The provider matrix, as JSON.
    pub matrix: String,
    /// The policies, as JSON.
    pub policies: String,
}

/// What is heard of the router.
#[derive(Debug)]
pub enum Heard {
    /// These are in force from now on.
    Documents(Documents),
    /// Nothing has changed.
    Progress,
    /// It is away, or can't be understood. It is tried again by and by.
    Broke(String),
}

/// The way to the router.
#[derive(Debug)]
pub struct Router {
    rpc: RoutingClient<Channel>,
    known: Option<Versions>,
}

impl Router {
    /// The router at `url`; the connection is made when it is needed.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        Ok(Self { rpc: RoutingClient::new(rpc::channel(url)?), known: None })
    }

    /// Hears it until `shutdown`.
    pub async fn follow(mut self, mut hear: impl FnMut(Heard), shutdown: CancellationToken) {
        let mut pause = PAUSES.0;
        loop {
            let broken = shutdown.run_until_cancelled(self.hear_once(&mut hear, &mut pause)).await;
            let Some(Err(error)) = broken else { return };
            tracing::debug!("the provider router is not heard: {error:#}");
            hear(Heard::Broke(format!("{error:#}")));
            let again = clock::jittered(pause, 0.5);
            pause = (pause * 2).min(PAUSES.1);
            if shutdown.run_until_cancelled(tokio::time::sleep(again)).await.is_none() {
                return;
            }
        }
    }

    async fn hear_once(
        &mut self,
        hear: &mut impl FnMut(Heard),
        pause: &mut Duration,
    ) -> anyhow::Result<Infallible> {
        let told = |status: tonic::Status| anyhow::anyhow!("the stream broke: {}", status.message());
        let begun =
            tokio::time::timeout(CALL, self.rpc.watch(WatchRequest { known: self.known.clone() })).await;
        let mut stream = begun.context("the stream did not begin in time")?.map_err(told)?.into_inner();
        loop {
            let next = tokio::time::timeout(SILENCE, stream.message()).await;
            let next = next.context("it says nothing any more")?.map_err(told)?;
            let event =
                next.context("it ended the stream")?.event.context("it said what nobody understands")?;
            match event {
                Event::Documents(documents) => {
                    self.known = documents.versions;
                    hear(Heard::Documents(Documents {
                        matrix: documents.matrix_json,
                        policies: documents.policies_json,
                    }));
                }
                Event::Progress(_) => hear(Heard::Progress),
            }
            *pause = PAUSES.0;
        }
    }
}
