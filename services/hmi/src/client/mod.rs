//! Calls to those who own what is shown.

mod passed;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use pas_service::client::root_cause;
use pas_service::{Swarm, request};
use pas_types::error::ErrorEnvelope;
use pas_types::health::Health;
use pas_types::registry::{DiscoveryPage, ServiceView};
use pas_types::{health, limits, registry};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

pub use passed::{Kind, Owner, PASSED, Passed};

use crate::config::Config;
use crate::error::Error;

/// Time within which a connection must stand.
const CONNECT: Duration = Duration::from_secs(2);
/// Time within which all but a call to a model must begin to be answered.
const BEGIN: Duration = Duration::from_secs(10);
/// Time within which a service must have said how it is.
const HEALTH: Duration = Duration::from_secs(1);
/// Bytes of an answer that is read here. The registry ends a page of heavy services early enough.
const ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// How long an idle connection is kept: less than its service does.
const IDLE: Duration = Duration::from_secs(90);

/// A call to an owner.
#[derive(Debug, Clone)]
pub struct Call {
    /// To whom.
    pub owner: Owner,
    /// What it does.
    pub kind: Kind,
    /// The path there, and the query.
    pub path: String,
    /// What goes with it.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Call {
    fn look(owner: Owner, path: &str) -> Self {
        let path = path.to_owned();
        Self { owner, kind: Kind::Read, path, headers: HeaderMap::new(), body: Bytes::new() }
    }
}

/// The way to the owners. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Owners {
    pool: Pool<HttpConnector, Full<Bytes>>,
    urls: [String; Owner::ALL.len()],
}

impl Owners {
    /// The owners where the settings say that they are.
    pub fn new(swarm: &Swarm, config: &Config) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT));
        let pool = Pool::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        let urls = Owner::ALL.map(|owner| {
            let url = match owner {
                Owner::Registry => &swarm.registry_url,
                Owner::Events => &swarm.events_url,
                Owner::Monitor => &config.monitor_url,
                Owner::Router => &config.router_url,
                Owner::Gateway => &config.gateway_url,
            };
            url.trim_end_matches('/').to_owned()
        });
        Self { pool, urls }
    }

    /// Where an owner is.
    pub fn url(&self, owner: Owner) -> &str {
        &self.urls[owner as usize]
    }

    /// Passes a call on, and waits for the head of its answer. How long a model may take, the gateway knows; all else is
    /// answered soon. Dropped, here or while the body comes, it ends the call.
    pub async fn pass(&self, call: Call) -> Result<Response<Incoming>, Error> {
        let (owner, kind) = (call.owner, call.kind);
        let sending = self.send(call);
        if owner == Owner::Gateway && kind == Kind::Ask {
            return sending.await;
        }
        let late = || match kind {
            Kind::Read => self.unreachable(owner, format!("no answer within {} s", BEGIN.as_secs())),
            // A connection would have stood, or not, before.
            _ => Error::Late { who: owner.spoken(), seconds: BEGIN.as_secs() },
        };
        tokio::time::timeout(BEGIN, sending).await.unwrap_or_else(|_| Err(late()))
    }

    /// How an owner says that it is.
    pub async fn health(&self, owner: Owner) -> Result<Health, Error> {
        let asking = async {
            let answer = self.send(Call::look(owner, health::path::HEALTH)).await?;
            // A service that is down says so with 503.
            let health: Health = self.read(owner, answer).await?;
            if health.service == owner.entry().name {
                return Ok(health);
            }
            let (who, url) = (owner.spoken(), self.url(owner).to_owned());
            Err(Error::Stranger { who, url, service: health.service })
        };
        let late = || self.unreachable(owner, format!("no answer within {} ms", HEALTH.as_millis()));
        tokio::time::timeout(HEALTH, asking).await.unwrap_or_else(|_| Err(late()))
    }

    /// Every agent that is registered.
    pub async fn agents(&self) -> Result<Vec<ServiceView>, Error> {
        let mut agents = Vec::new();
        let mut cursor = String::new();
        while agents.len() <= limits::SERVICES {
            let path = format!(
                "{}?type=agent&status=any&limit={}{cursor}",
                registry::path::DISCOVER,
                limits::LIST_MAX
            );
            let page: DiscoveryPage = self.get(Owner::Registry, &path).await?;
            // Nothing follows an empty page.
            let next = page.next_cursor.filter(|_| !page.services.is_empty());
            agents.extend(page.services);
            match next {
                Some(next) => cursor = format!("&cursor={}", utf8_percent_encode(&next, NON_ALPHANUMERIC)),
                None => return Ok(agents),
            }
        }
        let (who, url) = (Owner::Registry.spoken(), self.url(Owner::Registry).to_owned());
        let reason = format!("it lists more than {} agents", limits::SERVICES);
        Err(Error::Unreadable { who, url, reason })
    }

    async fn get<T: DeserializeOwned>(&self, owner: Owner, path: &str) -> Result<T, Error> {
        let asking = async {
            let answer = self.send(Call::look(owner, path)).await?;
            let status = answer.status();
            if status.is_success() {
                return self.read(owner, answer).await;
            }
            let (who, url) = (owner.spoken(), self.url(owner).to_owned());
            let error: ErrorEnvelope = self.read(owner, answer).await?;
            Err(Error::Refused { who, url, status: status.as_u16(), said: error.error.message })
        };
        let late = || self.unreachable(owner, format!("no whole answer within {} s", BEGIN.as_secs()));
        tokio::time::timeout(BEGIN, asking).await.unwrap_or_else(|_| Err(late()))
    }

    async fn read<T: DeserializeOwned>(&self, owner: Owner, answer: Response<Incoming>) -> Result<T, Error> {
        let unreadable = |reason: String| {
            let (who, url) = (owner.spoken(), self.url(owner).to_owned());
            Error::Unreadable { who, url, reason }
        };
        let body = Limited::new(answer.into_body(), ANSWER_BYTES).collect().await;
        let body = body.map_err(|error| unreadable(error.to_string()))?.to_bytes();
        serde_json::from_slice(&body).map_err(|error| unreadable(error.to_string()))
    }

    async fn send(&self, call: Call) -> Result<Response<Incoming>, Error> {
        let Call { owner, kind, path, headers, body } = call;
        let unreachable = |cause: String| self.unreachable(owner, cause);
        let request = Request::builder().method(kind.method()).uri(format!("{}{path}", self.url(owner)));
        let mut request = request.body(Full::new(body)).map_err(|error| unreachable(error.to_string()))?;
        *request.headers_mut() = headers;
        request::pass_on(request.headers_mut());
        // The owner's log then names the request as ours does.
        if let Some(id) = request::id().and_then(|id| HeaderValue::try_from(id).ok()) {
            request.headers_mut().insert("x-request-id", id);
        }
        self.pool.request(request).await.map_err(|error| match kind {
            Kind::Read => unreachable(root_cause(&error)),
            _ if error.is_connect() => unreachable(root_cause(&error)),
            _ => Error::Broken { who: owner.spoken(), cause: root_cause(&error) },
        })
    }

    fn unreachable(&self, owner: Owner, cause: String) -> Error {
        Error::Unreachable { who: owner.spoken(), url: self.url(owner).to_owned(), cause }
    }
}
