//! One listener for REST and gRPC: what is read of a connection, how long that may take, and how it ends.

mod workers;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use pas_types::catalog;
use pas_types::health::HealthStatus;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use crate::config::{Limits, Swarm};
use crate::door::Door;
use crate::metrics::Open;
use crate::patience;
use crate::request::{self, Answering, Direct, Edge};
use crate::server::workers::{Among, Mate};
use crate::{Health, Metrics, Running, Sockets, clock, web};

/// The first bytes of an HTTP/2 connection.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// hyper answers what passes its own limits with an empty body; they are above ours, so that the envelope holds. Not far
/// above in number, for it clears a table of that size at each request.
const HYPER_ROOM: usize = 4;
const HYPER_MORE_HEADERS: usize = 28;
/// Its buffer is never less than it insists on.
const HYPER_BUFFER_BYTES: usize = 64 * 1024;
/// Files that a service needs besides its connections.
const OTHER_FILES: u64 = 64;
/// Streams of one HTTP/2 connection.
const HTTP2_STREAMS: u32 = 1024;
/// An HTTP/2 peer that is silent this long is asked whether it lives, and has as long to answer.
const HTTP2_PING: Duration = Duration::from_secs(15);

/// What a service hands to its server.
pub struct Server {
    /// Which service it is.
    pub entry: catalog::Entry,
    /// Its routes.
    pub routes: Router,
    /// Its gRPC services.
    pub rpc: Option<tonic::service::Routes>,
    /// The description of its routes.
    pub openapi: utoipa::openapi::OpenApi,
    /// How it is.
    pub health: Health,
    /// What it counts.
    pub metrics: Metrics,
}

impl Server {
    /// Serves on `sockets` until `running` stops; then what is open gets the grace to end, and is cut after it.
    pub fn spawn(self, swarm: &Swarm, sockets: Sockets, running: &Running) -> anyhow::Result<()> {
        let (service, port) = (self.entry.name, sockets.port());
        let accept = self.accept(Vec::new(), swarm, running, 1)?;
        for listener in sockets.listeners {
            running.tasks().spawn(accept.clone().run(listener));
        }
        tracing::info!(service, port, "listening");
        Ok(())
    }

    /// The same by so many threads, each with connections of its own: what a connection sets off stays with its thread, so
    /// that none waits for another. For who answers far more requests than one thread could, and calls others to do so: as
    /// many files are kept for these calls as for connections. What is asked for most often is `direct`.
    pub fn spawn_on_threads(
        self,
        threads: usize,
        direct: Vec<Direct>,
        swarm: &Swarm,
        sockets: Sockets,
        running: &Running,
    ) -> anyhow::Result<()> {
        let (service, port) = (self.entry.name, sockets.port());
        let accept = self.accept(direct, swarm, running, 2)?;
        let listeners =
            sockets.listeners.into_iter().map(TcpListener::into_std).collect::<Result<Vec<_>, _>>()?;
        for (number, worker) in workers::crew(threads, &accept, &listeners)?.into_iter().enumerate() {
            let ended = running.tasks().token();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
                runtime.block_on(worker.run());
                // What is still open ends with the runtime; the stop of the service waits for that, too.
                drop(runtime);
                drop(ended);
            })?;
        }
        tracing::info!(service, port, threads, "listening");
        Ok(())
    }

    fn accept(
        self,
        direct: Vec<Direct>,
        swarm: &Swarm,
        running: &Running,
        files: u64,
    ) -> anyhow::Result<Accept> {
        let places = Arc::new(Semaphore::new(places(swarm.limits.connections, files)));
        let open = self.metrics.connections.clone();
        let serving = Serving {
            front: self.into_front(direct, swarm)?,
            limits: swarm.limits.clone(),
            shutdown: running.shutdown().clone(),
            grace: Duration::from_secs(swarm.grace_s),
        };
        Ok(Accept { serving, places, open, tasks: running.tasks().clone(), mates: Arc::default() })
    }

    fn into_front(self, direct: Vec<Direct>, swarm: &Swarm) -> anyhow::Result<Front> {
        let door = Door::new(swarm);
        if door.is_insecure() {
            let reason = "insecure_bind: other machines may reach this service, and nobody is authenticated";
            tracing::warn!("{reason}");
            self.health.set("door", HealthStatus::Ok, reason);
        }
        let openapi = self.openapi.to_json()?;
        let (health, metrics) = (self.health, self.metrics.clone());
        let mut router = self
            .routes
            .route("/health", get(async move || answer_health(&health)))
            .route("/metrics", get(async move || answer_metrics(&metrics)))
            .route(
                "/openapi.json",
                get(async move || ([(header::CONTENT_TYPE, "application/json")], openapi)),
            );
        if let Some(rpc) = self.rpc {
            // Two fallbacks can't be merged; ours answers both kinds of callers.
            router = router.merge(rpc.into_axum_router().reset_fallback());
        }
        let edge = Edge::new(door, self.metrics, swarm.limits.clone());
        let router = router
            .fallback(request::no_route)
            .method_not_allowed_fallback(request::no_method)
            .layer(request::Outermost(Arc::clone(&edge)));
        Ok(Front { edge, direct: direct.into(), router })
    }
}

fn answer_health(health: &Health) -> impl IntoResponse + use<> {
    let report = health.report(clock::now());
    let status = match report.status {
        HealthStatus::Down => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::OK,
    };
    (status, web::Json(report))
}

fn answer_metrics(metrics: &Metrics) -> impl IntoResponse + use<> {
    let kind = [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    metrics.encode().map(|text| (kind, text)).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// How many connections may be open: as many as wanted, if the system lends as many files as they need, `each` so many.
fn places(wanted: usize, each: u64) -> usize {
    #[cfg(target_os = "linux")]
    if let Some(files) = crate::linux::raise_file_limit(wanted as u64 * each + OTHER_FILES) {
        let places = places_of(files, wanted, each);
        if places < wanted {
            let connections = places;
            tracing::warn!(files, connections, wanted, "the system lends fewer files than are wanted");
        }
        return places;
    }
    wanted
}

#[cfg(any(target_os = "linux", test))]
/// How many of the connections that are wanted so many files are enough for; one at least.
fn places_of(files: u64, wanted: usize, each: u64) -> usize {
    let places = files.saturating_sub(OTHER_FILES) / each;
    usize::try_from(places).unwrap_or(wanted).clamp(1, wanted)
}

/// Takes connections from one listener.
#[derive(Clone)]
struct Accept {
    serving: Serving,
    places: Arc<Semaphore>,
    open: Gauge,
    tasks: TaskTracker,
    /// The threads that share the connections; none where there is one alone.
    mates: Arc<[Mate]>,
}

impl Accept {
    async fn run(self, listener: TcpListener) {
        loop {
            // When every place is taken, callers wait in the kernel's queue.
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else { return };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.serving.shutdown.cancelled() => return,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Something is short, files mostly: give what is open a moment to end.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(250)).await;
                    continue;
                }
            };
            let held = Held { _place: place, _open: Open::new(&self.open), _among: None };
            if let Some((stream, held)) = workers::hand_over(&self.mates, stream, held) {
                self.serve(stream, held);
            }
        }
    }

    fn serve(&self, stream: TcpStream, held: Held) {
        let serving = self.serving.clone();
        self.tasks.spawn(async move {
            if let Err(error) = serving.serve(stream, held).await {
                tracing::debug!(error = %error, "a connection failed");
            }
        });
    }
}

/// What a connection holds for as long as it is open, also when it has become a WebSocket and is nobody's here.
#[derive(Debug)]
pub(crate) struct Held {
    _place: OwnedSemaphorePermit,
    _open: Open,
    _among: Option<Among>,
}

/// Who answers the requests of a connection.
#[derive(Clone)]
struct Front {
    edge: Arc<Edge>,
    direct: Arc<[Direct]>,
    router: Router,
}

impl hyper::service::Service<http::Request<hyper::body::Incoming>> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: http::Request<hyper::body::Incoming>) -> Answering {
        let direct = self.direct.iter().find(|direct| direct.is_for(&request));
        let request = request.map(Body::new);
        match direct {
            Some(direct) => direct.answer(&self.edge, request),
            // A router is ready at any time.
            None => Box::pin(self.router.clone().call(request)),
        }
    }
}

/// What every connection is served with.
#[derive(Clone)]
struct Serving {
    front: Front,
    limits: Limits,
    shutdown: CancellationToken,
    grace: Duration,
}

impl Serving {
    async fn serve(
        self,
        stream: TcpStream,
        held: Held,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        set_up(&stream)?;
        let head = Duration::from_secs(self.limits.header_read_s);
        let is_http2 = tokio::select! {
            sniffed = tokio::time::timeout(head, begins_with_preface(&stream)) => sniffed??,
            () = self.shutdown.cancelled() => return Ok(()),
        };
        let service = self.front;
        let idle = Duration::from_secs(self.limits.idle_s);
        let (io, patience) = patience::watch(TokioIo::new(stream), patience::Limits { head, idle }, held);
        let buffer =
            (HYPER_ROOM * (self.limits.header_bytes + self.limits.url_bytes)).max(HYPER_BUFFER_BYTES);
        if is_http2 {
            let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_concurrent_streams(HTTP2_STREAMS)
                .max_header_list_size(u32::try_from(buffer).unwrap_or(u32::MAX))
                .keep_alive_interval(HTTP2_PING)
                .keep_alive_timeout(HTTP2_PING)
                .serve_connection(io, service);
            drive(connection, |it| it.graceful_shutdown(), &self.shutdown, self.grace).await?;
        } else {
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(patience)
                .header_read_timeout(head)
                .max_headers(self.limits.headers + HYPER_MORE_HEADERS)
                .max_buf_size(buffer)
                .serve_connection(io, service)
                .with_upgrades();
            drive(connection, |it| it.graceful_shutdown(), &self.shutdown, self.grace).await?;
        }
        Ok(())
    }
}

/// Nagle's algorithm would hold small answers back for 40 ms.
fn set_up(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)
}

/// Runs a connection to its end; after the signal to stop it may finish what is open, for as long as the grace lasts.
async fn drive<C: Future<Output = hyper::Result<()>>>(
    connection: C,
    stop: impl FnOnce(Pin<&mut C>),
    shutdown: &CancellationToken,
    grace: Duration,
) -> hyper::Result<()> {
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = shutdown.cancelled() => stop(connection.as_mut()),
    }
    tokio::time::timeout(grace, connection).await.unwrap_or(Ok(()))
}

/// Whether the peer speaks HTTP/2; decided on the first bytes, which stay unread.
async fn begins_with_preface(stream: &TcpStream) -> std::io::Result<bool> {
    let mut start = [0; HTTP2_PREFACE.len()];
    let mut pause = Duration::from_millis(1);
    loop {
        let seen = stream.peek(&mut start).await?;
        if seen == 0 || start[..seen] != HTTP2_PREFACE[..seen] {
            return Ok(false);
        }
        if seen == start.len() {
            return Ok(true);
        }
        // A peek returns at once while some bytes are there; look again when more can have come.
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_places_for_as_many_connections_as_there_are_files_for() {
        assert_eq!(places_of(1_024, 10_000, 1), 960);
        assert_eq!(places_of(1_024, 10_000, 2), 480);
        assert_eq!(places_of(100_000, 10_000, 2), 10_000);
        assert_eq!(places_of(10, 10_000, 2), 1);
    }

    #[tokio::test]
    async fn an_accepted_connection_sends_small_answers_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        set_up(&accepted).unwrap();
        assert!(accepted.nodelay().unwrap());
    }
}
