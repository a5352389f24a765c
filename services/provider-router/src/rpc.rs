//! The stream for gateways: what is in force (`Watch`).

use std::sync::Arc;
use std::time::Duration;

use pas_proto::routing::v1::routing_server::{Routing, RoutingServer};
use pas_proto::routing::v1::{self, WatchRequest, WatchResponse, watch_response::Event};
use pas_service::metrics::Open;
use tokio::sync::mpsc::{Sender, channel};
use tokio::sync::watch;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use crate::app::App;
use crate::core::Documents;

/// How often a stream says what is in force.
const PROGRESS: Duration = Duration::from_secs(5);
/// Messages that wait for a slow reader. It is sent no more until it takes them, and then the newest.
const WAITING: usize = 1;

/// The gRPC service.
pub fn routes(app: Arc<App>, tasks: TaskTracker, shutdown: CancellationToken) -> Routes {
    Routes::new(RoutingServer::new(Streams { app, tasks, shutdown }))
}

struct Streams {
    app: Arc<App>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

#[tonic::async_trait]
impl Routing for Streams {
    type WatchStream = ReceiverStream<Result<WatchResponse, Status>>;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let (out, stream) = channel(WAITING);
        let watcher =
            Watcher { documents: self.app.documents(), known: request.into_inner().known, out: out.clone() };
        let shutdown = self.shutdown.clone();
        let open = Open::new(self.app.watchers());
        self.tasks.spawn(async move {
            tokio::select! {
                () = watcher.run() => {}
                () = out.closed() => {}
                () = shutdown.cancelled() => {
                    // A reader that is too slow to hear it sees the stream break.
                    let _ = out.try_send(Err(Status::unavailable("the provider router stops")));
                }
            }
            drop(open);
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

/// What somebody has, and how he is told what is in force.
struct Watcher {
    documents: watch::Receiver<Option<Arc<Documents>>>,
    known: Option<v1::Versions>,
    out: Sender<Result<WatchResponse, Status>>,
}

impl Watcher {
    /// Returns when nobody listens any more.
    async fn run(mut self) {
        let mut progress = tokio::time::interval(PROGRESS);
        loop {
            let documents = self.documents.borrow_and_update().clone();
            if let Some(documents) = documents {
                let versions = versions(&documents);
                let is_new = self.known.as_ref() != Some(&versions);
                if is_new && self.send(whole(&documents)).await.is_err() {
                    return;
                }
                self.known = Some(versions);
            }
            tokio::select! {
                changed = self.documents.changed() => if changed.is_err() { return },
                _ = progress.tick() => {
                    let known = self.known.clone();
                    if self.send(Event::Progress(v1::Progress { versions: known })).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    async fn send(&self, event: Event) -> Result<(), ()> {
        self.out.send(Ok(WatchResponse { event: Some(event) })).await.map_err(drop)
    }
}

fn versions(documents: &Documents) -> v1::Versions {
    let versions = documents.table.versions();
    v1::Versions { matrix: versions.matrix.clone(), policies: versions.policies.clone() }
}

fn whole(documents: &Documents) -> Event {
    Event::Documents(v1::Documents {
        versions: Some(versions(documents)),
        matrix_json: documents.matrix_json.clone(),
        policies_json: documents.policies_json.clone(),
    })
}
