use std::time::Duration;

use pas_proto::registry::v1::registry_client::RegistryClient;
use pas_proto::registry::v1::{self as proto, FollowRequest, WatchRequest};
use pas_service::client::{CallError as HttpError, Client};
use pas_types::registry::{ReachabilityReport, path};
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};

use super::wire;
use crate::core::targets::{Cursor, Watched};
use crate::core::transitions::Batch;

/// Time for one call, and for a stream to begin.
const CALL: Duration = Duration::from_secs(5);
/// A connection on which nothing comes for this long is asked whether it lives, and has as long to answer.
const PING: Duration = Duration::from_secs(5);

/// Why the registry brought nothing, or no more.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// It refused, or the connection broke.
    #[error("the registry's stream broke: {}", .0.message())]
    Broken(Box<Status>),
    /// It did not answer in time.
    #[error("the registry did not begin the stream within {} s", CALL.as_secs())]
    Late,
    /// It ended the stream.
    #[error("the registry ended the stream")]
    Ended,
    /// It said what can't be understood.
    #[error("the registry said what can't be understood: {0}")]
    Unreadable(String),
}

impl From<Status> for CallError {
    fn from(status: Status) -> Self {
        Self::Broken(Box::new(status))
    }
}

/// The registry, as the monitor calls it. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Registry {
    rpc: RegistryClient<Channel>,
    http: Client,
    reachability_url: String,
}

impl Registry {
    /// The registry at `url`; the connection is made when it is needed.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        let root = url.trim_end_matches('/').to_owned();
        let channel = Endpoint::from_shared(root.clone())?
            .connect_timeout(CALL)
            .http2_keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            .keep_alive_while_idle(true)
            .tcp_nodelay(true)
            .connect_lazy();
        let reachability_url = format!("{root}{}", path::REACHABILITY);
        Ok(Self { rpc: RegistryClient::new(channel), http: Client::default(), reachability_url })
    }

    /// Its history after the transition `after`.
    pub async fn follow(&self, after: u64) -> Result<History, CallError> {
        let mut rpc = self.rpc.clone();
        let begun = tokio::time::timeout(CALL, rpc.follow(FollowRequest { after })).await;
        Ok(History(begun.map_err(|_| CallError::Late)??.into_inner()))
    }

    /// What exists, from a place in its change log, or all of it.
    pub async fn watch(&self, from: Option<Cursor>) -> Result<Services, CallError> {
        let mut rpc = self.rpc.clone();
        let from = from.map(|Cursor { epoch, index }| proto::Cursor { epoch, index });
        let begun = tokio::time::timeout(CALL, rpc.watch(WatchRequest { from })).await;
        Ok(Services(begun.map_err(|_| CallError::Late)??.into_inner()))
    }

    /// Tells it what a probe found. Whom it does not know any more needs no telling.
    pub async fn report(&self, report: &ReachabilityReport) -> Result<(), HttpError> {
        let told = self.http.call(http::Method::POST, &self.reachability_url, report, CALL).await;
        match told {
            Ok(serde::de::IgnoredAny) | Err(HttpError::Refused { status: 404, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The registry's history, as it comes.
#[derive(Debug)]
pub struct History(Streaming<proto::FollowResponse>);

impl History {
    /// The next message. What is in it is in order.
    pub async fn next(&mut self) -> Result<Batch, CallError> {
        Ok(wire::batch(self.0.message().await?.ok_or(CallError::Ended)?))
    }
}

/// What exists, as it comes.
#[derive(Debug)]
pub struct Services(Streaming<proto::WatchResponse>);

impl Services {
    /// The next message.
    pub async fn next(&mut self) -> Result<Watched, CallError> {
        wire::watched(self.0.message().await?.ok_or(CallError::Ended)?).map_err(CallError::Unreadable)
    }
}
