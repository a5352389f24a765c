use pas_proto::registry::v1::registry_client::RegistryClient;
use pas_proto::registry::v1::{self as proto, FollowRequest};
use pas_service::client::{CallError as HttpError, Client};
use pas_service::rpc;
use pas_types::registry::{ReachabilityReport, path};
use tonic::Streaming;
use tonic::transport::Channel;

use super::{CALL, CallError, begun, wire};
use crate::core::transitions::Batch;

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
        let reachability_url = format!("{}{}", url.trim_end_matches('/'), path::REACHABILITY);
        Ok(Self { rpc: RegistryClient::new(rpc::channel(url)?), http: Client::default(), reachability_url })
    }

    /// Its history after the transition `after`.
    pub async fn follow(&self, after: u64) -> Result<History, CallError> {
        let mut rpc = self.rpc.clone();
        Ok(History(begun(rpc.follow(FollowRequest { after })).await?))
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
