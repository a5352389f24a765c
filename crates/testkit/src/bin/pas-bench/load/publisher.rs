//! A publisher of events over gRPC, in the thread that calls it.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use pas_proto::events::v1::events_client::EventsClient;
use pas_proto::events::v1::publish_response::Result as Answer;
use pas_proto::events::v1::{PublishRequest, PublishResponse, Published};
use tokio::runtime::Builder;
use tokio::sync::mpsc::{self, Sender};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::Endpoint;

use super::pace::Pace;

/// Batches whose answers are waited for at the same time.
pub(crate) const IN_FLIGHT: usize = 8;
/// An answer that isn't there by then does not come.
const PATIENCE: Duration = Duration::from_secs(10);

/// What became of a flood.
#[derive(Debug)]
pub(crate) struct Flood {
    /// Events that are acknowledged.
    pub(crate) events: u64,
    /// From the first request to the last answer.
    pub(crate) lasted: Duration,
}

/// Publishes the same batch again and again, as fast as it is answered, with [`IN_FLIGHT`] under way.
pub(crate) fn flood(port: u16, batch: Vec<String>, lasting: Duration) -> anyhow::Result<Flood> {
    let batch: Vec<_> = batch.into_iter().map(String::into_bytes).collect();
    run(async {
        let (requests, mut answers) = open(port).await?;
        let begun = Instant::now();
        for _ in 0..IN_FLIGHT {
            requests.send(batch.clone()).await?;
        }
        let (mut under_way, mut events) = (IN_FLIGHT, 0);
        while under_way > 0 {
            events += answers.next(batch.len()).await?;
            under_way -= 1;
            if begun.elapsed() < lasting {
                requests.send(batch.clone()).await?;
                under_way += 1;
            }
        }
        Ok(Flood { events, lasted: begun.elapsed() })
    })
}

/// Publishes so many events one by one at a steady rate, in the order of their numbers, whatever the answers take.
/// `event` is told the number and when it is due.
pub(crate) fn at_rate(
    port: u16,
    rate: u32,
    count: u32,
    event: impl Fn(u32, Instant) -> String,
) -> anyhow::Result<()> {
    run(async {
        let (requests, mut answers) = open(port).await?;
        let pace = Pace::per_second(rate);
        let publish = async {
            for number in 0..count {
                let due = pace.due(number);
                sleep_until(due).await;
                requests.send(vec![event(number, due).into_bytes()]).await?;
            }
            Ok(())
        };
        let hear = async {
            for _ in 0..count {
                answers.next(1).await?;
            }
            Ok(())
        };
        tokio::try_join!(publish, hear).map(drop)
    })
}

/// In a runtime of its own, so that it and whoever follows the events don't wait for each other.
fn run<T>(publishing: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    Builder::new_current_thread().enable_all().build()?.block_on(publishing)
}

struct Requests {
    sender: Sender<PublishRequest>,
}

impl Requests {
    async fn send(&self, events: Vec<Vec<u8>>) -> anyhow::Result<()> {
        let request = PublishRequest { batch: 0, events };
        self.sender.send(request).await.ok().context("the stream of batches ended")
    }
}

struct Answers {
    stream: Streaming<PublishResponse>,
    last_seq: Option<u64>,
}

impl Answers {
    /// The next one, by which so many events are kept, just after those of the one before.
    async fn next(&mut self, events: usize) -> anyhow::Result<u64> {
        let next = timeout(PATIENCE, self.stream.message()).await.context("a batch is not answered")?;
        match next?.context("the stream of answers ended")?.result {
            Some(Answer::Published(Published { first_seq, last_seq, .. })) => {
                let before = self.last_seq.replace(last_seq).unwrap_or(first_seq.saturating_sub(1));
                let expected = before + events as u64;
                ensure!(
                    first_seq == before + 1 && last_seq == expected,
                    "{first_seq} to {last_seq} are kept"
                );
                Ok(events as u64)
            }
            Some(Answer::Refused(refused)) => bail!("a batch is refused: {}", refused.message),
            None => bail!("a batch is answered with nothing"),
        }
    }
}

async fn open(port: u16) -> anyhow::Result<(Requests, Answers)> {
    let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?.tcp_nodelay(true);
    let mut client = EventsClient::new(endpoint.connect().await?);
    let (sender, receiver) = mpsc::channel(IN_FLIGHT);
    let stream = client.publish(ReceiverStream::new(receiver)).await?.into_inner();
    Ok((Requests { sender }, Answers { stream, last_seq: None }))
}
