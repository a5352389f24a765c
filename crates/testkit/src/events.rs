//! An event stream in this process, which a test can stop, start again, and have refuse or answer late.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pas_proto::events::v1::events_server::{Events, EventsServer};
use pas_proto::events::v1::publish_response::Result as Answer;
use pas_proto::events::v1::subscribe_response::Message;
use pas_proto::events::v1::{
    Cursor, Delivery, Hello, Progress, PublishRequest, PublishResponse, Published, Refused, SubscribeRequest,
    SubscribeResponse,
};
use pas_service::server::Server;
use pas_service::{Health, Metrics, Running, Sockets, Swarm, clock};
use pas_types::catalog;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status, Streaming};

/// How often it says how far it is.
const PROGRESS: Duration = Duration::from_millis(100);

/// What it keeps outlives its stops. Clones share it.
#[derive(Debug, Clone)]
pub struct EventStream {
    kept: Arc<Mutex<Kept>>,
    /// Told of everything that changes.
    changes: watch::Sender<()>,
}

#[derive(Debug)]
struct Kept {
    epoch: u64,
    events: Vec<Value>,
    keys: HashSet<String>,
    doubled: usize,
    will: Will,
}

/// How it takes what is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Will {
    /// As it should.
    Takes,
    /// Takes it, and keeps the answer to itself.
    Silent,
    /// Refuses every batch with the code `unavailable`.
    Unavailable,
    /// Refuses for good each event under this key.
    Refuses(String),
}

impl Default for EventStream {
    fn default() -> Self {
        let (events, keys) = (Vec::new(), HashSet::new());
        let kept = Kept { epoch: 1, events, keys, doubled: 0, will: Will::Takes };
        Self { kept: Arc::new(Mutex::new(kept)), changes: watch::Sender::new(()) }
    }
}

impl EventStream {
    /// Serves on `sockets` until it is stopped. It has no grace: what is open then is cut.
    pub fn serve(&self, sockets: Sockets) -> anyhow::Result<Running> {
        let swarm = Swarm { grace_s: 0, ..Swarm::default() };
        let running = Running::new(&swarm, &sockets, CancellationToken::new());
        let (tasks, shutdown) = (running.tasks().clone(), running.shutdown().clone());
        let rpc = Rpc { stream: self.clone(), tasks, shutdown };
        let server = Server {
            entry: catalog::EVENT_STREAM,
            routes: axum::Router::new(),
            rpc: Some(tonic::service::Routes::new(EventsServer::new(rpc))),
            openapi: utoipa::openapi::OpenApi::default(),
            health: Health::new(&catalog::EVENT_STREAM, clock::now()),
            metrics: Metrics::new(&catalog::EVENT_STREAM),
        };
        server.spawn(&swarm, sockets, &running)?;
        Ok(running)
    }

    /// From now on it takes what is published like this.
    pub fn will(&self, will: Will) {
        self.kept().will = will;
        self.changes.send_replace(());
    }

    /// Somebody publishes `event`.
    pub fn happened(&self, event: Value) {
        self.kept().append([event]);
        self.changes.send_replace(());
    }

    /// It loses its journal, and begins another epoch.
    pub fn lose(&self) {
        let mut kept = self.kept();
        (kept.epoch, kept.events, kept.keys) = (kept.epoch + 1, Vec::new(), HashSet::new());
    }

    /// Every event that it keeps, in order, each with its `seq`.
    pub fn events(&self) -> Vec<Value> {
        self.kept().events.clone()
    }

    /// How many events came more than once; they are kept once.
    pub fn doubled(&self) -> usize {
        self.kept().doubled
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of a batch.
    fn take(&self, events: &[Vec<u8>]) -> Result<Published, Refused> {
        let refused = |code: &str, message: String, index| {
            Err(Refused { code: code.to_owned(), message, field: None, index })
        };
        let read = events.iter().map(|event| serde_json::from_slice(event));
        let events: Vec<Value> = match read.collect() {
            Ok(events) => events,
            Err(error) => return refused("invalid_argument", error.to_string(), None),
        };
        let mut kept = self.kept();
        match &kept.will {
            Will::Unavailable => return refused("unavailable", "the disk is full".to_owned(), None),
            Will::Refuses(key) => {
                if let Some(index) = events.iter().position(|event| event["idempotency_key"] == key.as_str())
                {
                    return refused("invalid_argument", format!("{key} is refused"), Some(index as u32));
                }
            }
            Will::Takes | Will::Silent => {}
        }
        let published = kept.append(events);
        drop(kept);
        self.changes.send_replace(());
        Ok(published)
    }

    async fn answers(self, mut batches: Streaming<PublishRequest>, out: mpsc::Sender<Answered>) {
        let mut changes = self.changes.subscribe();
        while let Ok(Some(PublishRequest { batch, events })) = batches.message().await {
            let result = match self.take(&events) {
                Ok(published) => Answer::Published(published),
                Err(refused) => Answer::Refused(refused),
            };
            while self.kept().will == Will::Silent && changes.changed().await.is_ok() {}
            // As the real one: nothing is taken behind what may be taken later.
            let goes_on = !matches!(&result, Answer::Refused(refused) if refused.code == "unavailable");
            if out.send(Ok(PublishResponse { batch, result: Some(result) })).await.is_err() || !goes_on {
                return;
            }
        }
    }

    async fn subscription(
        self,
        wanted: SubscribeRequest,
        out: mpsc::Sender<Result<SubscribeResponse, Status>>,
    ) {
        let mut changes = self.changes.subscribe();
        let (mut at, hello) = self.kept().hello(wanted.after);
        let mut next = Message::Hello(hello);
        while out.send(Ok(SubscribeResponse { message: Some(next) })).await.is_ok() {
            changes.borrow_and_update();
            next = loop {
                if let Some(delivery) = self.kept().after(&mut at, &wanted.types) {
                    break Message::Delivery(delivery);
                }
                tokio::select! {
                    _ = changes.changed() => {}
                    () = tokio::time::sleep(PROGRESS) => break Message::Progress(Progress { at: Some(at) }),
                }
            };
        }
    }
}

impl Kept {
    fn append(&mut self, events: impl IntoIterator<Item = Value>) -> Published {
        let before = self.events.len() as u64;
        let mut duplicates = 0;
        for mut event in events {
            let key = event["idempotency_key"].as_str().map(str::to_owned);
            if key.is_some_and(|key| !self.keys.insert(key)) {
                duplicates += 1;
                continue;
            }
            event["seq"] = (self.events.len() + 1).into();
            self.events.push(event);
        }
        self.doubled += duplicates;
        let after = self.events.len() as u64;
        let (first_seq, last_seq) = if after > before { (before + 1, after) } else { (0, 0) };
        Published { epoch: self.epoch, first_seq, last_seq, duplicates: duplicates as u32 }
    }

    /// Where a subscription begins, and what it is told first.
    fn hello(&self, after: Option<Cursor>) -> (Cursor, Hello) {
        let head = self.events.len() as u64;
        let reset = after.is_some_and(|after| after.epoch != self.epoch || after.seq > head);
        let seq = if reset { 0 } else { after.map_or(head, |after| after.seq) };
        (Cursor { epoch: self.epoch, seq }, Hello { epoch: self.epoch, head, oldest: 1, reset })
    }

    /// What is wanted of all that came after `at`, which moves to the end.
    fn after(&self, at: &mut Cursor, types: &[String]) -> Option<Delivery> {
        let is_wanted = |event: &&Value| {
            types.is_empty() || types.iter().any(|wanted| event["event_type"] == wanted.as_str())
        };
        let new = self.events.iter().skip(at.seq as usize).filter(is_wanted);
        let events: Vec<_> = new.map(|event| event.to_string().into_bytes()).collect();
        at.seq = self.events.len() as u64;
        (!events.is_empty()).then_some(Delivery { events, to: Some(*at) })
    }
}

type Answered = Result<PublishResponse, Status>;

struct Rpc {
    stream: EventStream,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Rpc {
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move { shutdown.run_until_cancelled(work).await });
    }
}

#[tonic::async_trait]
impl Events for Rpc {
    type PublishStream = ReceiverStream<Answered>;
    type SubscribeStream = ReceiverStream<Result<SubscribeResponse, Status>>;

    async fn publish(
        &self,
        request: Request<Streaming<PublishRequest>>,
    ) -> Result<Response<Self::PublishStream>, Status> {
        let (out, answers) = mpsc::channel(16);
        self.spawn(self.stream.clone().answers(request.into_inner(), out));
        Ok(Response::new(ReceiverStream::new(answers)))
    }

    async fn subscribe(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let (out, messages) = mpsc::channel(16);
        self.spawn(self.stream.clone().subscription(request.into_inner(), out));
        Ok(Response::new(ReceiverStream::new(messages)))
    }
}
