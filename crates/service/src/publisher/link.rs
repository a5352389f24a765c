//! The one connection to the event stream: batches go out, answers come in, and what has none goes out again.

use std::collections::VecDeque;
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use pas_proto::events::v1::events_client::EventsClient;
use pas_proto::events::v1::publish_response::Result as Answer;
use pas_proto::events::v1::{PublishRequest, PublishResponse, Refused};
use pas_types::ErrorCode;
use pas_types::health::HealthStatus;
use pas_types::time::WireTime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Interval, MissedTickBehavior};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

use super::{Delivery, Shared};
use crate::client::root_cause;
use crate::{Health, clock};

/// Batches that may be without an answer at once.
const UNANSWERED: usize = 4;
/// Time for a stream to begin.
const BEGIN: Duration = Duration::from_secs(5);
/// The least time between two batches of what is published. The first event of a while goes at once; those that follow
/// closely go together, for a batch costs about as much as an event.
const PACE: Duration = Duration::from_millis(10);
/// The first pause after a failure, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// The check in `/health`.
const CHECK: &str = "events";

pub(super) struct Link {
    url: String,
    rpc: EventsClient<Channel>,
    shared: Arc<Shared>,
    deliveries: mpsc::Receiver<Delivery>,
    health: Health,
    /// What has no answer yet, oldest first: the first `sent` of it are on their way, the rest has yet to go (again).
    open: VecDeque<Batch>,
    sent: usize,
    batches: u64,
    pause: Duration,
    away_since: Option<WireTime>,
}

struct Batch {
    number: u64,
    lines: Vec<Vec<u8>>,
    /// Who waits for it; nobody, if it is of the buffer.
    told: Option<oneshot::Sender<()>>,
}

/// A stream of batches that has begun.
struct Stream {
    out: mpsc::Sender<PublishRequest>,
    answers: Streaming<PublishResponse>,
    pace: Interval,
}

impl Link {
    pub(super) fn new(
        url: String,
        channel: Channel,
        shared: Arc<Shared>,
        deliveries: mpsc::Receiver<Delivery>,
        health: Health,
    ) -> Self {
        let rpc = EventsClient::new(channel);
        let (open, pause) = (VecDeque::new(), PAUSES.0);
        Self { url, rpc, shared, deliveries, health, open, sent: 0, batches: 0, pause, away_since: None }
    }

    /// Publishes until everybody who could publish has ended; then sends for at most `last_moment` what still waits.
    pub(super) async fn run(mut self, tasks_ended: CancellationToken, last_moment: Duration) {
        let mut stream = None;
        // It never ends by itself.
        let _ = tasks_ended.run_until_cancelled(self.publish(&mut stream)).await;
        let _ = tokio::time::timeout(last_moment, self.flush(stream)).await;
        let lost = self.shared.buffer().close();
        if lost > 0 {
            tracing::warn!(events = lost, "stopped before the event stream had these events; they are lost");
        }
    }

    async fn publish(&mut self, stream: &mut Option<Stream>) -> std::convert::Infallible {
        loop {
            let Err(reason) = self.publish_until_it_breaks(stream).await;
            *stream = None;
            self.sent = 0;
            self.away(&reason);
            tokio::time::sleep(clock::jittered(self.pause, 0.5)).await;
            self.pause = (self.pause * 2).min(PAUSES.1);
        }
    }

    async fn publish_until_it_breaks(
        &mut self,
        stream: &mut Option<Stream>,
    ) -> Result<std::convert::Infallible, String> {
        let stream = stream.insert(self.begin().await?);
        self.back();
        loop {
            self.step(stream).await?;
        }
    }

    /// Sends what waits, over a new connection if there is none.
    async fn flush(&mut self, stream: Option<Stream>) -> Result<(), String> {
        let is_done = |link: &Self| link.open.is_empty() && !link.shared.buffer().is_waiting();
        if is_done(self) {
            return Ok(());
        }
        let mut stream = match stream {
            Some(stream) => stream,
            None => self.begin().await?,
        };
        while !is_done(self) {
            self.step(&mut stream).await?;
        }
        Ok(())
    }

    async fn begin(&mut self) -> Result<Stream, String> {
        let (out, batches) = mpsc::channel(UNANSWERED);
        let begun = self.rpc.publish(ReceiverStream::new(batches));
        let begun = tokio::time::timeout(BEGIN, begun).await;
        let begun = begun.map_err(|_| format!("no answer within {} s", BEGIN.as_secs()))?;
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Stream { out, answers: begun.map_err(|status| in_words(&status))?.into_inner(), pace })
    }

    /// Sends what has yet to go, and waits for the next thing that happens. May be dropped at any time.
    async fn step(&mut self, stream: &mut Stream) -> Result<(), String> {
        for batch in self.open.iter().skip(self.sent).take(UNANSWERED.saturating_sub(self.sent)) {
            let request = PublishRequest { batch: batch.number, events: batch.lines.clone() };
            // There is room for as many as may be without an answer.
            stream.out.try_send(request).map_err(|_| "the connection broke".to_owned())?;
            self.sent += 1;
        }
        let has_room = self.open.len() < UNANSWERED;
        tokio::select! {
            answer = stream.answers.message() => {
                let answer = answer.map_err(|status| in_words(&status))?;
                self.answered(answer.ok_or("it ended the stream")?)?;
            }
            Some(Delivery { lines, told }) = self.deliveries.recv(), if has_room => self.add(lines, Some(told)),
            lines = self.shared.next(&mut stream.pace), if has_room => self.add(lines, None),
        }
        Ok(())
    }

    fn add(&mut self, lines: Vec<Vec<u8>>, told: Option<oneshot::Sender<()>>) {
        let number = self.number();
        self.open.push_back(Batch { number, lines, told });
    }

    fn number(&mut self) -> u64 {
        self.batches += 1;
        self.batches
    }

    fn answered(&mut self, PublishResponse { batch, result }: PublishResponse) -> Result<(), String> {
        let place = self.open.iter().take(self.sent).position(|sent| sent.number == batch);
        let unknown = || format!("it answered batch {batch}, which it was not sent");
        let place = place.ok_or_else(unknown)?;
        let refused = match result {
            Some(Answer::Published(_)) => None,
            Some(Answer::Refused(refused)) if refused.code == ErrorCode::InvalidArgument.as_str() => {
                Some(refused)
            }
            Some(Answer::Refused(Refused { code, message, .. })) => return Err(format!("{code}: {message}")),
            None => return Err("it answered neither yes nor no".to_owned()),
        };
        self.pause = PAUSES.0;
        self.sent -= 1;
        let Some(batch) = self.open.remove(place) else { return Err(unknown()) };
        match refused {
            None => {
                self.shared.counts.published.inc_by(batch.lines.len() as u64);
                self.settle(batch);
            }
            Some(refused) => self.without(batch, &refused),
        }
        Ok(())
    }

    /// Passes over what the stream refused of a batch, and sends the rest again.
    fn without(&mut self, mut batch: Batch, refused: &Refused) {
        let at_fault = refused.index.map(|index| index as usize).filter(|index| *index < batch.lines.len());
        // Where it names no event, all of them are: sent again, they would be refused again.
        let passed_over: Vec<_> = match at_fault {
            Some(index) => vec![batch.lines.remove(index)],
            None => std::mem::take(&mut batch.lines),
        };
        for line in &passed_over {
            self.shared.refused(line, &refused.message);
        }
        if batch.told.is_none() {
            self.shared.let_go(&passed_over);
        }
        if batch.lines.is_empty() {
            self.settle(batch);
        } else {
            batch.number = self.number();
            self.open.insert(self.sent, batch);
        }
    }

    /// Nothing of the batch has yet to be sent.
    fn settle(&self, Batch { lines, told, .. }: Batch) {
        match told {
            // Whoever waited may be gone.
            Some(told) => drop(told.send(())),
            None => self.shared.let_go(&lines),
        }
    }

    fn back(&mut self) {
        self.health.ok(CHECK);
        match self.away_since.take() {
            Some(since) => tracing::info!(%since, "the event stream is back"),
            None => tracing::debug!("the event stream is there"),
        }
    }

    /// Said once when it is lost; `/health` has the rest.
    fn away(&mut self, reason: &str) {
        let url = &self.url;
        if self.away_since.is_none() {
            tracing::warn!(url, "the event stream is away: {reason}; events wait");
        }
        let since = *self.away_since.get_or_insert_with(|| clock::now().wall.into());
        let events = self.shared.buffer().events();
        let reason =
            format!("the event stream at {url} is away since {since} ({reason}); {events} events wait");
        self.health.set(CHECK, HealthStatus::Ok, reason);
    }
}

/// What the stream said; or, where it said nothing, what the system did.
fn in_words(status: &Status) -> String {
    if status.source().is_some() { root_cause(status) } else { status.message().to_owned() }
}
