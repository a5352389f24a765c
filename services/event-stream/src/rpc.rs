//! The streams for the rest of PAS: publishing, and following what happens.

use std::time::Duration;

use pas_proto::events::v1::events_server::{Events, EventsServer};
use pas_proto::events::v1::publish_response::Result as Outcome;
use pas_proto::events::v1::subscribe_response::Message;
use pas_proto::events::v1::{
    Cursor, Delivery, Hello, Progress, PublishRequest, PublishResponse, Published, Refused, SubscribeRequest,
    SubscribeResponse,
};
use pas_service::clock;
use pas_types::Error;
use pas_types::event::{self, EventFilter, read_batch};
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};

use crate::app::{App, Placed};
use crate::error::Refusal;
use crate::subscribers::{Kind, Listed};
use crate::tail::{End, Tail};

/// How often a stream says how far it is.
const PROGRESS: Duration = Duration::from_secs(5);
/// Messages that wait for a slow reader.
const WAITING: usize = 4;
/// Bytes of a message: a batch, and the frame of each of its events.
const MESSAGE_BYTES: usize = pas_types::limits::BATCH_BYTES + 128 * 1024;

/// The gRPC service.
pub fn routes(app: App) -> Routes {
    Routes::new(EventsServer::new(Streams { app }).max_decoding_message_size(MESSAGE_BYTES))
}

struct Streams {
    app: App,
}

impl Streams {
    /// Runs what fills a stream until it ends, the reader is gone, or the service stops.
    fn spawn<T: Send + 'static>(
        &self,
        out: Sender<Result<T, Status>>,
        fill: impl Future<Output = Result<(), Refusal>> + Send + 'static,
    ) {
        let shutdown = self.app.shared.shutdown.clone();
        self.app.shared.tasks.spawn(async move {
            let last_word = tokio::select! {
                () = shutdown.cancelled() => Some(Refusal::Stopping),
                () = out.closed() => None,
                ended = fill => ended.err(),
            };
            if let Some(refusal) = last_word {
                // A reader that is too slow to hear it sees the stream break.
                let _ = out.try_send(Err(pas_service::rpc::status(&refusal.into())));
            }
        });
    }
}

#[tonic::async_trait]
impl Events for Streams {
    type PublishStream = ReceiverStream<Result<PublishResponse, Status>>;
    type SubscribeStream = ReceiverStream<Result<SubscribeResponse, Status>>;

    async fn publish(
        &self,
        request: Request<Streaming<PublishRequest>>,
    ) -> Result<Response<Self::PublishStream>, Status> {
        let (out, stream) = channel(WAITING);
        self.spawn(out.clone(), take_batches(self.app.clone(), request.into_inner(), out));
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn subscribe(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let request = request.into_inner();
        let filter = filter(&request).map_err(|error| pas_service::rpc::status(&error))?;
        let (out, stream) = channel(WAITING);
        self.spawn(out.clone(), follow(self.app.clone(), filter, request.after, out));
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

/// Publishes what comes, one batch after the other, and answers each. What comes behind a batch that can't be taken now is
/// not taken either: the publisher begins anew with that batch, and its order holds.
async fn take_batches(
    app: App,
    mut batches: Streaming<PublishRequest>,
    out: Sender<Result<PublishResponse, Status>>,
) -> Result<(), Refusal> {
    while let Ok(Some(PublishRequest { batch, events })) = batches.message().await {
        let placed = publish(&app, &events).await;
        let goes_on = matches!(placed, Ok(_) | Err(Refusal::Batch(_)));
        let answer = PublishResponse { batch, result: Some(outcome(placed)) };
        if out.send(Ok(answer)).await.is_err() || !goes_on {
            break;
        }
    }
    Ok(())
}

async fn publish(app: &App, events: &[Vec<u8>]) -> Result<Placed, Refusal> {
    let now = clock::now().wall.into();
    let events = read_batch(events.iter().map(|event| &**event), now).map_err(Refusal::Batch)?;
    app.publish(events).await
}

fn outcome(placed: Result<Placed, Refusal>) -> Outcome {
    match placed {
        Ok(placed) => {
            let (first_seq, last_seq) = placed.fresh.unwrap_or((0, 0));
            let duplicates = u32::try_from(placed.duplicates).unwrap_or(u32::MAX);
            Outcome::Published(Published { epoch: placed.epoch, first_seq, last_seq, duplicates })
        }
        Err(refusal) => Outcome::Refused(refused(refusal)),
    }
}

/// A refusal as publishers are told it, with the number of the event beside its field.
fn refused(refusal: Refusal) -> Refused {
    let (index, error) = match refusal {
        Refusal::Batch(refused) => (refused.index, refused.error),
        refusal => (None, Error::from(refusal)),
    };
    Refused {
        code: error.code.as_str().to_owned(),
        message: error.message,
        field: error.field,
        index: index.and_then(|index| u32::try_from(index).ok()),
    }
}

fn filter(request: &SubscribeRequest) -> Result<EventFilter, Error> {
    let types = request.types.iter().map(|word| ("type", word.as_str()));
    let agents = request.agents.iter().map(|agent| ("agent", agent.as_str()));
    let run = request.run_id.iter().map(|run| ("run_id", run.as_str()));
    event::StreamQuery::from_pairs(types.chain(agents).chain(run)).map(|query| query.filter)
}

async fn follow(
    app: App,
    filter: EventFilter,
    after: Option<Cursor>,
    out: Sender<Result<SubscribeResponse, Status>>,
) -> Result<(), Refusal> {
    let after = after.map(|Cursor { epoch, seq }| event::Cursor { epoch, seq });
    let start = after.map_or(Ok(app.head()), |cursor| app.locate(cursor));
    // A follower keeps what it is told: it wants all that is left.
    let mut at = start.unwrap_or_else(|_| app.oldest() - 1);
    let mut reset = start.is_err();
    let listed = Listed::new(&app, Kind::Rpc, at);
    loop {
        if reset {
            app.shared.counts.resets.inc();
        }
        let hello = Hello { epoch: app.epoch(), head: app.head(), oldest: app.oldest(), reset };
        if !send(&out, Message::Hello(hello)).await {
            return Ok(());
        }
        match deliver(&app, Tail::new(app.clone(), filter.clone(), at), &listed, &out).await {
            Ok(()) => return Ok(()),
            Err(End::Gone) => (at, reset) = (app.oldest() - 1, true),
            Err(End::Failed(refusal)) => return Err(refusal),
        }
    }
}

/// Sends what is wanted until the reader is gone.
async fn deliver(
    app: &App,
    mut tail: Tail,
    listed: &Listed,
    out: &Sender<Result<SubscribeResponse, Status>>,
) -> Result<(), End> {
    let mut progress = tokio::time::interval(PROGRESS);
    let cursor = |seq| Some(Cursor { epoch: app.epoch(), seq });
    loop {
        let message = tokio::select! {
            part = tail.next() => {
                let part = part?;
                listed.is_at(part.to);
                if part.events.is_empty() {
                    continue;
                }
                let events = part.events.iter().map(|entry| entry.line.get().as_bytes().to_vec()).collect();
                Message::Delivery(Delivery { events, to: cursor(part.to) })
            }
            _ = progress.tick() => Message::Progress(Progress { at: cursor(tail.at()) }),
        };
        if !send(out, message).await {
            return Ok(());
        }
    }
}

async fn send(out: &Sender<Result<SubscribeResponse, Status>>, message: Message) -> bool {
    out.send(Ok(SubscribeResponse { message: Some(message) })).await.is_ok()
}
