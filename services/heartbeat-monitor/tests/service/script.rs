//! A registry that keeps no services: it says what the test tells it to say, in the registry's protocol.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::{post, put};
use pas_proto::registry::v1::registry_server::{Registry, RegistryServer};
use pas_proto::registry::v1::{
    Changes, Cursor, FollowRequest, FollowResponse, Label, Progress, Service, Snapshot, Transition,
    WatchRequest, WatchResponse, watch_response::Event,
};
use pas_service::server::Server;
use pas_service::web::Json;
use pas_service::{Health, Metrics, Running, Sockets, Swarm, clock};
use pas_types::catalog;
use pas_types::registry::ReachabilityReport;
use pas_types::time::{Now, WireTime};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status};

/// How often it speaks when it has nothing to say.
const VOICE: Duration = Duration::from_millis(100);

/// Transitions in one message. The next message comes a [`VOICE`] later, so that reading much takes a while.
const AT_ONCE: usize = 10;

/// What it says, and what it was told.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    history: watch::Sender<Vec<Transition>>,
    services: watch::Sender<Listed>,
    reports: Arc<Mutex<Vec<ReachabilityReport>>>,
    /// How often its database was lost; streams end with the database.
    losses: watch::Sender<u32>,
}

/// What exists.
#[derive(Debug, Clone)]
struct Listed {
    at: Cursor,
    services: Vec<Service>,
    authoritative: bool,
}

impl Default for Script {
    fn default() -> Self {
        let listed = Listed { at: Cursor { epoch: 1, index: 1 }, services: Vec::new(), authoritative: true };
        Self {
            history: watch::Sender::new(Vec::new()),
            services: watch::Sender::new(listed),
            reports: Arc::default(),
            losses: watch::Sender::new(0),
        }
    }
}

impl Script {
    /// Something happened.
    pub(crate) fn happened(&self, transitions: impl IntoIterator<Item = Transition>) {
        self.history.send_modify(|history| history.extend(transitions));
    }

    /// It loses its database, and has another history now.
    pub(crate) fn lose_history(&self, transitions: impl IntoIterator<Item = Transition>) {
        self.history.send_modify(|history| *history = transitions.into_iter().collect());
        self.losses.send_modify(|losses| *losses += 1);
    }

    /// These services exist, and no others.
    pub(crate) fn list(&self, services: Vec<Service>) {
        self.services.send_modify(|listed| {
            listed.at.index += 1;
            listed.services = services;
        });
    }

    /// It starts anew with these services; `authoritative` as in its snapshots.
    pub(crate) fn start_anew(&self, services: Vec<Service>, authoritative: bool) {
        self.services.send_modify(|listed| {
            let at = Cursor { epoch: listed.at.epoch + 1, index: 1 };
            *listed = Listed { at, services, authoritative };
        });
    }

    /// What the monitor told it of probes, in order.
    pub(crate) fn reports(&self) -> Vec<ReachabilityReport> {
        self.reports.lock().unwrap().clone()
    }

    /// Serves on `sockets` until it is stopped.
    pub(crate) fn serve(&self, sockets: Sockets) -> Running {
        // No grace: a registry that is stopped here falls silent at once.
        let swarm = Swarm { grace_s: 0, ..Swarm::default() };
        let running = Running::new(&swarm, &sockets, CancellationToken::new());
        let (tasks, shutdown) = (running.tasks().clone(), running.shutdown().clone());
        let rpc = Rpc { script: self.clone(), tasks, shutdown };
        let server = Server {
            entry: catalog::REGISTRY,
            routes: self.routes(),
            rpc: Some(tonic::service::Routes::new(RegistryServer::new(rpc))),
            openapi: utoipa::openapi::OpenApi::default(),
            health: Health::new(&catalog::REGISTRY, clock::now()),
            metrics: Metrics::new(&catalog::REGISTRY),
        };
        server.spawn(&swarm, sockets, &running).unwrap();
        running
    }

    fn routes(&self) -> Router {
        let registered = json!({
            "service_id": "018f0000-0000-7000-8000-000000000001",
            "lease_id": "018f0000-0000-7000-8000-000000000002",
            "heartbeat_interval_s": 10, "ttl_s": 15, "next_beat_ms": 10_000, "role": "production",
        });
        let reports = Arc::clone(&self.reports);
        let report = async move |Json(report): Json<ReachabilityReport>| {
            reports.lock().unwrap().push(report);
            Json(json!({"reachability": "reachable"}))
        };
        let leave = async |Json(body): Json<Value>| {
            Json(json!({"service_id": body["service_id"], "ts": "2026-01-01T00:00:00.000Z"}))
        };
        Router::new()
            .route("/register", post(async move |Json(_): Json<Value>| Json(registered)))
            .route("/heartbeat", put(async |Json(_): Json<Value>| Json(json!({"next_beat_ms": 10_000}))))
            .route("/deregister", post(leave))
            .route("/reachability", post(report))
    }
}

struct Rpc {
    script: Script,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Rpc {
    /// What `say` makes of each state of `source`: at once, at each change, and every now and then.
    fn stream<S, T>(
        &self,
        source: &watch::Sender<S>,
        mut say: impl FnMut(&S) -> T + Send + 'static,
    ) -> Response<ReceiverStream<Result<T, Status>>>
    where
        S: Send + Sync + 'static,
        T: Send + 'static,
    {
        let (mouth, ear) = mpsc::channel(16);
        let mut source = source.subscribe();
        let mut losses = self.script.losses.subscribe();
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            loop {
                let message = say(&source.borrow_and_update());
                if mouth.send(Ok(message)).await.is_err() {
                    return;
                }
                tokio::select! {
                    _ = source.changed() => {}
                    () = tokio::time::sleep(VOICE) => {}
                    () = mouth.closed() => return,
                    _ = losses.changed() => return,
                    () = shutdown.cancelled() => return,
                }
            }
        });
        Response::new(ReceiverStream::new(ear))
    }
}

#[tonic::async_trait]
impl Registry for Rpc {
    type WatchStream = ReceiverStream<Result<WatchResponse, Status>>;
    type FollowStream = ReceiverStream<Result<FollowResponse, Status>>;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let mut known = request.into_inner().from;
        let mut told = HashSet::new();
        Ok(self.stream(&self.script.services, move |listed: &Listed| {
            let before = known.replace(listed.at);
            let ids: HashSet<String> =
                listed.services.iter().map(|service| service.service_id.clone()).collect();
            let gone = std::mem::replace(&mut told, ids.clone()).into_iter().filter(|id| !ids.contains(id));
            let (at, upserted) = (Some(listed.at), listed.services.clone());
            let event = match before {
                Some(before) if before == listed.at => Event::Progress(Progress { at }),
                Some(before) if before.epoch == listed.at.epoch => {
                    Event::Changes(Changes { at, upserted, removed_service_ids: gone.collect() })
                }
                _ => Event::Snapshot(Snapshot {
                    at,
                    services: upserted,
                    last: true,
                    authoritative: listed.authoritative,
                }),
            };
            WatchResponse { event: Some(event) }
        }))
    }

    async fn follow(&self, request: Request<FollowRequest>) -> Result<Response<Self::FollowStream>, Status> {
        let mut after = request.into_inner().after;
        Ok(self.stream(&self.script.history, move |history: &Vec<Transition>| {
            let head = history.iter().map(|transition| transition.seq).max().unwrap_or(0);
            let new = history.iter().filter(|transition| transition.seq > after).take(AT_ONCE);
            let transitions: Vec<Transition> = new.cloned().collect();
            after = transitions.last().map_or(after, |last| last.seq);
            FollowResponse { transitions, head }
        }))
    }
}

/// When this test began: what is older than the retention would not be kept.
static BEGIN: LazyLock<Now> = LazyLock::new(clock::now);

/// The time `second` seconds into the test.
pub(crate) fn time(second: u64) -> WireTime {
    BEGIN.plus(Duration::from_secs(second)).wall.into()
}

/// A transition of the service `name` at [`time`]`(second)`; its place in the history is `seq`.
pub(crate) fn transition(seq: u64, second: u64, kind: &str, name: &str, missed_beats: u32) -> Transition {
    let ts = time(second).to_string();
    Transition {
        seq,
        ts: ts.clone(),
        kind: kind.to_owned(),
        service_id: Some(service_id(name)),
        service_name: Some(name.to_owned()),
        service_type: Some("model".to_owned()),
        from_status: None,
        to_status: None,
        missed_beats,
        last_seen: Some(ts),
        reason: None,
        from_role: None,
        to_role: None,
    }
}

/// The service `name`, at `url`.
pub(crate) fn service(name: &str, url: &str, labels: &[(&str, &str)]) -> Service {
    let label =
        |(key, value): &(&str, &str)| Label { key: (*key).to_owned(), value: Some((*value).to_owned()) };
    Service {
        service_id: service_id(name),
        name: name.to_owned(),
        r#type: "model".to_owned(),
        role: "production".to_owned(),
        url: url.to_owned(),
        labels: labels.iter().map(label).collect(),
        status: "ok".to_owned(),
        ..Service::default()
    }
}

/// The id of the service `name`: always the same.
pub(crate) fn service_id(name: &str) -> String {
    let mut bytes = [0; 16];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    uuid::Uuid::from_bytes(bytes).to_string()
}
