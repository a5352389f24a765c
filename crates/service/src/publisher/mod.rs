//! A service's voice in the event stream.
//!
//! What always holds:
//!
//! - [`Publisher::publish`] never waits and never fails: a service does its work whether or not the stream is there.
//! - Events that are published come in order, and so do those that are delivered. Only the rest of a batch from which
//!   the stream refused an event may come after what was sent meanwhile.
//! - What the stream has not answered is sent again on the next connection. Every event has an `idempotency_key`, by
//!   which the stream keeps once what comes twice: nothing is lost or doubled by its stops and starts.
//! - What waits is bounded in number and bytes. What finds no room is counted, and the loss is published as an alert as
//!   soon as half of the room is free.
//! - What is published while the service stops is sent as well: the connection outlives all other tasks, sends what
//!   waits then, for a second at most, and closes.
//! - An event that the stream refuses for good is logged, counted and passed over: it stops no other.

mod buffer;
mod link;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pas_types::alert::{AlertAction, AlertType, HeartbeatAlert, Severity};
use pas_types::event::Event;
use pas_types::id::AlertId;
use pas_types::time::WireTime;
use pas_types::{Error, catalog, limits};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Interval;
use tokio_util::sync::CancellationToken;

use crate::config::Swarm;
use crate::{Health, Metrics, Running, clock, rpc};
use buffer::{Buffer, Loss};
use link::Link;

/// The longest that a stop waits, when all else has ended, for what is still to be sent.
const LAST_MOMENT: Duration = Duration::from_secs(1);
/// Bytes of an event that is passed over that are logged.
const SHOWN: usize = 256;

/// Publishes events. Clones share its buffer and its connection.
#[derive(Debug, Clone)]
pub struct Publisher {
    shared: Arc<Shared>,
    deliveries: mpsc::Sender<Delivery>,
    shutdown: CancellationToken,
}

/// The service stops before the event stream has what was to be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the service stops before the event stream has it")]
pub struct Stopped;

/// Keeps a connection to the event stream until all tasks of `running` have ended, and what they published is sent. The service is no less well while there is none.
pub fn spawn(
    entry: &catalog::Entry,
    swarm: &Swarm,
    health: &Health,
    metrics: &Metrics,
    running: &Running,
) -> anyhow::Result<Publisher> {
    let shared = Arc::new(Shared {
        service: entry.name,
        process: clock::new_id().to_string(),
        numbers: AtomicU64::new(0),
        buffer: Mutex::default(),
        news: Notify::new(),
        counts: Counts::new(metrics),
    });
    // No more than one waits there: whoever delivers waits itself.
    let (deliveries, to_deliver) = mpsc::channel(1);
    let url = swarm.events_url.clone();
    let link = Link::new(url.clone(), rpc::channel(&url)?, Arc::clone(&shared), to_deliver, health.clone());
    let last_moment = LAST_MOMENT.min(Duration::from_secs(swarm.grace_s));
    running.spawn_helper(|tasks_ended| link.run(tasks_ended, last_moment));
    Ok(Publisher { shared, deliveries, shutdown: running.shutdown().clone() })
}

impl Publisher {
    /// Publishes `event` as soon as it can be. Where too much waits already, it is lost, which is counted and reported.
    pub fn publish(&self, event: Event) {
        let Some(line) = self.shared.line(event) else { return };
        self.shared.keep(line);
        self.shared.news.notify_one();
    }

    /// Publishes what lies in a store of its own, with a cursor that moves when this returns: the stream has it all then,
    /// except what it will never take. Waits as long as the stream is away. Called again with the same events, with the
    /// same keys, it doubles nothing. Ends when the service is told to stop: what lies in a store waits there.
    pub async fn deliver(&self, events: Vec<Event>) -> Result<(), Stopped> {
        let mut lines: VecDeque<_> = events.into_iter().filter_map(|event| self.shared.line(event)).collect();
        while !lines.is_empty() {
            let (told, answer) = oneshot::channel();
            let delivery = Delivery { lines: buffer::batch(&mut lines), told };
            let delivered = async {
                self.deliveries.send(delivery).await.map_err(|_| Stopped)?;
                answer.await.map_err(|_| Stopped)
            };
            self.shutdown.run_until_cancelled(delivered).await.unwrap_or(Err(Stopped))?;
        }
        Ok(())
    }
}

/// A batch for which somebody waits.
#[derive(Debug)]
struct Delivery {
    lines: Vec<Vec<u8>>,
    told: oneshot::Sender<()>,
}

/// What those who publish and the one connection share.
#[derive(Debug)]
struct Shared {
    service: &'static str,
    /// With a number behind it, a key that no other event has.
    process: String,
    numbers: AtomicU64,
    buffer: Mutex<Buffer>,
    /// Rings when something waits.
    news: Notify,
    counts: Counts,
}

impl Shared {
    fn buffer(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The event as it is sent; none if the stream would never take it.
    fn line(&self, mut event: Event) -> Option<Vec<u8>> {
        let key = || {
            let number = self.numbers.fetch_add(1, Ordering::Relaxed);
            format!("{}-{}-{number}", self.service, self.process)
        };
        event.idempotency_key.get_or_insert_with(key);
        let mut line = serde_json::to_vec(&event).unwrap_or_default();
        if let Err(error) = check(&event, &line) {
            self.refused(&line, &error.message);
            return None;
        }
        // What is bounded by its length should take no more than that.
        line.shrink_to_fit();
        Some(line)
    }

    fn refused(&self, line: &[u8], reason: &str) {
        self.counts.refused.inc();
        let head = String::from_utf8_lossy(&line[..line.len().min(SHOWN)]);
        tracing::warn!(event = %head, "an event is passed over, for the event stream won't take it: {reason}");
    }

    /// Keeps a line until the stream has it, where there is room for it.
    fn keep(&self, line: Vec<u8>) {
        let mut buffer = self.buffer();
        if !buffer.push(line, clock::now().wall.into()) {
            self.counts.dropped.inc();
        }
        self.counts.waiting.set(buffer.events() as i64);
    }

    /// The next batch of what was published, when there is one and `pace` allows it.
    async fn next(&self, pace: &mut Interval) -> Vec<Vec<u8>> {
        while !self.buffer().is_waiting() {
            self.news.notified().await;
        }
        pace.tick().await;
        self.buffer().take()
    }

    /// The stream has these, or will never take them. When there is room again for it, a loss is reported.
    fn let_go(&self, lines: &[Vec<u8>]) {
        let mut buffer = self.buffer();
        buffer.let_go(lines);
        self.counts.waiting.set(buffer.events() as i64);
        let loss = buffer.loss_to_report();
        drop(buffer);
        if let Some(line) = loss.and_then(|loss| self.line(self.report(loss).into())) {
            self.keep(line);
        }
    }

    fn report(&self, Loss { events, since }: Loss) -> HeartbeatAlert {
        let details = [("events".to_owned(), events.into()), ("since".to_owned(), since.to_string().into())];
        HeartbeatAlert {
            alert_id: AlertId(clock::new_id()),
            alert_type: AlertType::EventsDropped,
            severity: Severity::Warning,
            service_id: None,
            service_name: self.service.to_owned(),
            missed_beats: 0,
            last_seen: None,
            action: AlertAction::None,
            ts: clock::now().wall.into(),
            acked: false,
            message: Some(format!(
                "{events} events of {} were lost since {since}: too many waited",
                self.service
            )),
            details: Some(BTreeMap::from(details)),
        }
    }
}

/// Whether the stream may take it.
fn check(event: &Event, line: &[u8]) -> Result<(), Error> {
    event.validate(WireTime::from(clock::now().wall))?;
    if (1..=limits::EVENT_BYTES).contains(&line.len()) {
        return Ok(());
    }
    let message = format!("the event has {} bytes: use at most {}", line.len(), limits::EVENT_BYTES);
    Err(Error::invalid("body", message))
}

#[derive(Debug)]
struct Counts {
    published: Counter,
    dropped: Counter,
    refused: Counter,
    waiting: Gauge,
}

impl Counts {
    fn new(metrics: &Metrics) -> Self {
        let counts = Self {
            published: Counter::default(),
            dropped: Counter::default(),
            refused: Counter::default(),
            waiting: Gauge::default(),
        };
        metrics.register("events_published", "Events that the event stream has", counts.published.clone());
        metrics.register("events_dropped", "Events lost, since too many waited", counts.dropped.clone());
        metrics.register(
            "events_refused",
            "Events never taken, for they are not legal",
            counts.refused.clone(),
        );
        metrics.register("events_waiting", "Events that wait for the stream", counts.waiting.clone());
        counts
    }
}
