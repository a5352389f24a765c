//! The streams for the rest of PAS: what exists (`Watch`), and what happened (`Follow`).

mod encode;

use std::time::Duration;

use pas_proto::registry::v1::registry_server::{Registry, RegistryServer};
use pas_proto::registry::v1::{self, FollowRequest, FollowResponse, WatchRequest, WatchResponse};
use pas_service::metrics::Open;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use crate::app::App;
use crate::core::Cursor;
use crate::error::Refusal;

/// How often a stream says how far it is.
const PROGRESS: Duration = Duration::from_secs(5);
/// Transitions of one answer, at the most.
const PART: u32 = 500;
/// Messages that wait for a slow reader. It is sent no more until it takes them; meanwhile what changes coalesces.
const WAITING: usize = 4;

/// The gRPC service.
pub fn routes(app: App, tasks: TaskTracker, shutdown: CancellationToken) -> Routes {
    Routes::new(RegistryServer::new(Streams { app, tasks, shutdown }))
}

struct Streams {
    app: App,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Streams {
    /// Runs what fills a stream until it ends, the reader is gone, or the registry stops.
    fn spawn<T: Send + 'static>(
        &self,
        open: &Gauge,
        out: Sender<Result<T, Status>>,
        fill: impl Future<Output = Result<(), End>> + Send + 'static,
    ) {
        let shutdown = self.shutdown.clone();
        let open = Open::new(open);
        self.tasks.spawn(async move {
            let last_word = tokio::select! {
                () = shutdown.cancelled() => Some(Refusal::Stopping),
                () = out.closed() => None,
                ended = fill => match ended {
                    Err(End::Told(refusal)) => Some(refusal),
                    Ok(()) | Err(End::Gone) => None,
                },
            };
            if let Some(refusal) = last_word {
                // A reader that is too slow to hear it sees the stream break.
                let _ = out.try_send(Err(pas_service::rpc::status(&refusal.into())));
            }
            drop(open);
        });
    }
}

/// Why a stream ends.
enum End {
    /// The reader is gone.
    Gone,
    /// The reader is told.
    Told(Refusal),
}

#[tonic::async_trait]
impl Registry for Streams {
    type WatchStream = ReceiverStream<Result<WatchResponse, Status>>;
    type FollowStream = ReceiverStream<Result<FollowResponse, Status>>;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let cursor = request.into_inner().from.map(|v1::Cursor { epoch, index }| Cursor { epoch, index });
        let (out, stream) = channel(WAITING);
        let watcher = Watcher { app: self.app.clone(), cursor, out: out.clone() };
        self.spawn(&self.app.counts().watchers, out, watcher.run());
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn follow(&self, request: Request<FollowRequest>) -> Result<Response<Self::FollowStream>, Status> {
        let after = request.into_inner().after;
        let (out, stream) = channel(WAITING);
        let follower = Follower { app: self.app.clone(), after, out: out.clone() };
        self.spawn(&self.app.counts().followers, out, follower.run());
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

/// A cursor into the change log, and who reads from it.
struct Watcher {
    app: App,
    cursor: Option<Cursor>,
    out: Sender<Result<WatchResponse, Status>>,
}

impl Watcher {
    async fn run(mut self) -> Result<(), End> {
        let mut heads = self.app.heads();
        let mut progress = tokio::time::interval(PROGRESS);
        loop {
            heads.borrow_and_update();
            let at = self.catch_up().await?;
            tokio::select! {
                changed = heads.changed() => changed.map_err(|_| End::Told(Refusal::Stopping))?,
                _ = progress.tick() => self.send(encode::progress(at)).await?,
            }
        }
    }

    /// Sends what the reader doesn't know yet: a snapshot when it must, and what changed since.
    async fn catch_up(&mut self) -> Result<Cursor, End> {
        loop {
            let Some(changes) = self.cursor.and_then(|cursor| self.app.changes_after(cursor)) else {
                let snapshot = self.app.snapshot();
                self.cursor = Some(snapshot.at);
                for part in encode::snapshot(snapshot) {
                    self.send(part).await?;
                }
                continue;
            };
            let (at, more) = (changes.at, changes.more);
            self.cursor = Some(at);
            if !(changes.upserted.is_empty() && changes.removed.is_empty()) {
                self.send(encode::changes(changes)).await?;
            }
            if !more {
                return Ok(at);
            }
        }
    }

    async fn send(&self, message: WatchResponse) -> Result<(), End> {
        self.out.send(Ok(message)).await.map_err(|_| End::Gone)
    }
}

/// A cursor into what happened, and who reads from it.
struct Follower {
    app: App,
    after: u64,
    out: Sender<Result<FollowResponse, Status>>,
}

impl Follower {
    async fn run(mut self) -> Result<(), End> {
        let mut heads = self.app.heads();
        let mut progress = tokio::time::interval(PROGRESS);
        loop {
            let head = heads.borrow_and_update().seq;
            while self.after < head && self.send_more(head).await? {}
            tokio::select! {
                changed = heads.changed() => changed.map_err(|_| End::Told(Refusal::Stopping))?,
                _ = progress.tick() => self.send(FollowResponse { transitions: Vec::new(), head }).await?,
            }
        }
    }

    /// Sends the next transitions; answers whether there were any.
    async fn send_more(&mut self, head: u64) -> Result<bool, End> {
        let mut next = self.app.transitions_after(self.after, PART).await.map_err(End::Told)?;
        // The store can be ahead of what was announced; a reader must never see the head go back.
        next.retain(|transition| transition.seq <= head);
        let Some(last) = next.last() else { return Ok(false) };
        self.after = last.seq;
        let transitions = next.into_iter().map(encode::transition).collect();
        self.send(FollowResponse { transitions, head }).await?;
        Ok(true)
    }

    async fn send(&self, message: FollowResponse) -> Result<(), End> {
        self.out.send(Ok(message)).await.map_err(|_| End::Gone)
    }
}
