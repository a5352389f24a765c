//! What the event stream does, for whoever asks. The journal comes first: what is published is in it before anybody is told;
//! what is held in memory beside it follows it, in order, and could be made anew.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pas_journal::{Appended, Journal, Payload, ReadError, Reader, Refused};
use pas_service::{Health, Metrics, Running, clock};
use pas_types::Error;
use pas_types::event::{Cursor, Event, EventType, Gauges, Header, Recorded, RefusedBatch, Snapshot};
use pas_types::health::HealthStatus;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::core::agents::Agents;
use crate::core::gauges::Meter;
use crate::core::keys::{Keys, Known};
use crate::core::recent::{Entry, Recent};
use crate::error::{Misplaced, Refusal};
use crate::metrics::{Counts, Look};
use crate::subscribers::Subscribers;

/// Records that are read at once.
pub(crate) const PART_RECORDS: usize = 500;
/// Bytes that are read at once.
pub(crate) const PART_BYTES: usize = 128 * 1024;

/// What the journal writes behind the number of a record whose group goes on.
const MORE: &str = r#","more":true"#;

/// The event stream at work.
#[derive(Clone)]
pub struct App {
    pub(crate) shared: Arc<Shared>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("epoch", &self.epoch()).field("head", &self.head()).finish()
    }
}

/// What all parts share.
pub(crate) struct Shared {
    pub(crate) journal: Journal,
    keys: Mutex<Keys>,
    views: Mutex<Views>,
    /// How far the views have followed the journal.
    heads: watch::Sender<u64>,
    pub(crate) subscribers: Subscribers,
    pub(crate) counts: Counts,
    pub(crate) health: Health,
    /// The latest frame of gauges, for whoever is connected.
    pub(crate) gauges: watch::Sender<Option<Arc<Gauges>>>,
    pub(crate) tasks: TaskTracker,
    pub(crate) shutdown: CancellationToken,
}

/// What follows the journal.
#[derive(Debug)]
struct Views {
    recent: Recent,
    agents: Agents,
    meter: Meter,
    /// Whether the agents of before the start are in, too.
    whole: bool,
}

/// What became of events that were published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The epoch of the places.
    pub epoch: u64,
    /// The places of the first and the last of them, wherever they came from.
    pub span: (u64, u64),
    /// The places of those that are new.
    pub fresh: Option<(u64, u64)>,
    /// How many are not new.
    pub duplicates: usize,
}

impl App {
    /// Takes up what `journal` has: the newest `keys` events at once; [`App::read_the_past`] the others.
    pub fn new(
        journal: Journal,
        keys: usize,
        health: Health,
        metrics: &Metrics,
        running: &Running,
    ) -> anyhow::Result<Self> {
        let start = journal.head().saturating_sub(keys as u64).max(journal.oldest().saturating_sub(1));
        let mut known = Keys::new(keys);
        let mut views = Views {
            recent: Recent::after_place(start),
            agents: Agents::default(),
            meter: Meter::default(),
            whole: start < journal.oldest(),
        };
        each(&mut journal.reader(start), |line, entry| {
            if let Some(key) = key_of(line) {
                known.place(&key, entry.seq);
            }
            views.agents.fold(&entry);
            views.recent.push(entry);
        })?;
        if !views.whole {
            let reason = "what agents said before the newest events is being read";
            health.set("snapshot", HealthStatus::Recovering, reason);
        }
        let (heads, _) = watch::channel(journal.head());
        let shared = Shared {
            journal,
            keys: Mutex::new(known),
            views: Mutex::new(views),
            heads,
            subscribers: Subscribers::default(),
            counts: Counts::new(metrics),
            health,
            gauges: watch::channel(None).0,
            tasks: running.tasks().clone(),
            shutdown: running.shutdown().clone(),
        };
        let shared = Arc::new(shared);
        metrics.register_collector(Look(Arc::downgrade(&shared)));
        Ok(Self { shared })
    }

    /// Reads what agents said before the newest events. To be called in a thread that may wait; ends early on shutdown.
    pub fn read_the_past(&self) -> anyhow::Result<()> {
        // What comes from now on is folded as it comes.
        let end = *self.shared.heads.borrow();
        let mut reader = self.reader(self.oldest() - 1);
        while reader.after() < end && !self.shared.shutdown.is_cancelled() {
            match reader.read(PART_RECORDS, PART_BYTES) {
                Ok(records) => {
                    let entries: Vec<_> = records.into_iter().filter_map(entry).collect();
                    let mut views = self.views();
                    entries.iter().for_each(|entry| views.agents.fold(entry));
                }
                // Retention was faster: what it took is nobody's past any more.
                Err(ReadError::Gone { oldest }) => reader = self.reader(oldest - 1),
                Err(error) => return Err(error.into()),
            }
        }
        if reader.after() >= end {
            self.views().whole = true;
            self.shared.health.ok("snapshot");
        }
        Ok(())
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.shared.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn views(&self) -> MutexGuard<'_, Views> {
        self.shared.views.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends events, all or none; what came before under the same key is not kept twice. Answers when the journal has
    /// them.
    pub async fn publish(&self, events: Vec<Event>) -> Result<Placed, Refusal> {
        let Batch { payloads, fresh_keys, known } = self.admit(&events)?;
        let epoch = self.epoch();
        let appended =
            if payloads.is_empty() { None } else { Some(self.append(payloads, fresh_keys).await?) };
        let mut next = appended.map_or(0, |appended| appended.first_seq);
        let places = known.iter().map(|known| {
            known.unwrap_or_else(|| {
                next += 1;
                next - 1
            })
        });
        let places: Vec<u64> = places.collect();
        let duplicates = known.iter().flatten().count();
        self.shared.counts.duplicates.inc_by(duplicates as u64);
        Ok(Placed {
            epoch,
            span: (places.first().copied().unwrap_or(0), places.last().copied().unwrap_or(0)),
            fresh: appended.map(|appended| (appended.first_seq, appended.last_seq)),
            duplicates,
        })
    }

    /// Tells the events that came before from the new ones, whose keys are then underway.
    fn admit(&self, events: &[Event]) -> Result<Batch, Refusal> {
        let mut batch = Batch::default();
        for event in events {
            let text = serde_json::to_vec(event).map_err(|error| Refusal::Unwritable(error.to_string()))?;
            batch.payloads.push(Payload::new(text).map_err(|error| Refusal::Unwritable(error.to_string()))?);
        }
        let mut keys = self.keys();
        for (index, event) in events.iter().enumerate() {
            match event.idempotency_key.as_deref().map(|key| (key, keys.get(key))) {
                Some((_, Some(Known::At(seq)))) => batch.known.push(Some(seq)),
                Some((key, Some(Known::Underway))) => {
                    let twice = batch.fresh_keys.iter().flatten().any(|fresh| fresh == key);
                    batch.fresh_keys.iter().flatten().for_each(|key| keys.give_up(key));
                    return Err(if twice {
                        twice_in_a_batch(index, key)
                    } else {
                        Refusal::Underway(key.to_owned())
                    });
                }
                Some((key, None)) => {
                    keys.begin(key);
                    batch.fresh_keys.push(Some(key.to_owned()));
                    batch.known.push(None);
                }
                None => {
                    batch.fresh_keys.push(None);
                    batch.known.push(None);
                }
            }
        }
        let mut known = batch.known.iter();
        batch.payloads.retain(|_| known.next().is_some_and(Option::is_none));
        Ok(batch)
    }

    async fn append(&self, payloads: Vec<Payload>, keys: Vec<Option<String>>) -> Result<Appended, Refusal> {
        let (tell, told) = oneshot::channel();
        let app = self.clone();
        let lost = keys.clone();
        // The keys are settled here, for whoever waits may be gone by then.
        let done = move |appended: Result<Appended, _>| {
            app.settle(&keys, appended.as_ref().ok());
            app.shared.counts.published.inc_by(if appended.is_ok() { keys.len() as u64 } else { 0 });
            app.note_write(appended.as_ref().err());
            let _ = tell.send(appended.map_err(|_| Refusal::CannotWrite));
        };
        self.shared.journal.append(payloads, clock::now(), done).map_err(|refused| {
            self.settle(&lost, None);
            match refused {
                Refused::Full | Refused::TooLarge { .. } | Refused::Empty => Refusal::Overloaded,
                Refused::Closed => Refusal::Stopping,
            }
        })?;
        told.await.unwrap_or(Err(Refusal::Stopping))
    }

    fn settle(&self, fresh: &[Option<String>], appended: Option<&Appended>) {
        let mut keys = self.keys();
        for (number, key) in (0..).zip(fresh) {
            match (key, appended) {
                (Some(key), Some(appended)) => keys.place(key, appended.first_seq + number),
                (Some(key), None) => keys.give_up(key),
                (None, _) => {}
            }
        }
    }

    fn note_write(&self, error: Option<&pas_journal::AppendError>) {
        if !self.shared.counts.write_failing(error.is_some()) {
            return;
        }
        let Some(error) = error else { return self.shared.health.ok("journal") };
        tracing::error!(error = error as &dyn std::error::Error, "the journal can't be written");
        self.shared.health.set("journal", HealthStatus::Degraded, "it can't be written: is the disk full?");
    }

    /// Brings the views up to what the journal has by now.
    pub fn follow(&self, reader: &mut Reader) -> Result<(), pas_journal::ReadError> {
        loop {
            let before = reader.after();
            let records = reader.read(PART_RECORDS, PART_BYTES)?;
            if reader.after() == before {
                return Ok(());
            }
            let now = clock::now().monotonic;
            let entries: Vec<_> = records.into_iter().filter_map(entry).collect();
            let mut views = self.views();
            for entry in entries {
                if matches!(entry.header.event_type, EventType::Heartbeat | EventType::Receipt)
                    && let Ok(recorded) = Recorded::read(entry.line.get().as_bytes())
                {
                    views.meter.fold(&recorded.event, now);
                }
                views.agents.fold(&entry);
                views.recent.push(entry);
            }
            // Under the lock, so that a snapshot and its head belong together.
            self.shared.heads.send_replace(reader.after());
        }
    }

    /// The place from which to follow the journal again after an error. What retention took meanwhile can't be held in
    /// memory any more: who still wants it is told by the files that it is gone.
    pub fn followed_to(&self, error: &ReadError) -> u64 {
        let at = *self.shared.heads.borrow();
        let ReadError::Gone { oldest } = error else { return at };
        self.views().recent = Recent::after_place(oldest - 1);
        oldest - 1
    }

    /// The newest events after a place; none when that is further back than is held in memory.
    pub(crate) fn recent(&self, after: u64) -> Option<Vec<Arc<Entry>>> {
        self.views().recent.after(after, PART_RECORDS, PART_BYTES)
    }

    /// How far subscribers may read, told on each change.
    pub fn heads(&self) -> watch::Receiver<u64> {
        self.shared.heads.subscribe()
    }

    /// A reader of the journal.
    pub fn reader(&self, after: u64) -> Reader {
        self.shared.journal.reader(after)
    }

    /// The epoch of every place here.
    pub fn epoch(&self) -> u64 {
        self.shared.journal.epoch()
    }

    /// The place of the newest event.
    pub fn head(&self) -> u64 {
        self.shared.journal.head()
    }

    /// The place of the oldest event that is kept; one more than the head when there is none.
    pub fn oldest(&self) -> u64 {
        self.shared.journal.oldest()
    }

    /// A place as it is told.
    pub fn cursor(&self, seq: u64) -> Cursor {
        Cursor { epoch: self.epoch(), seq }
    }

    /// The place that a cursor names, if what came after it is here.
    pub fn locate(&self, given: Cursor) -> Result<u64, Misplaced> {
        let (epoch, head, oldest) = (self.epoch(), self.head(), self.oldest());
        if given.epoch != epoch {
            Err(Misplaced::OtherEpoch { given, epoch })
        } else if given.seq > head {
            Err(Misplaced::Ahead { given, head: self.cursor(head) })
        } else if given.seq + 1 < oldest {
            Err(Misplaced::Gone { given, before_oldest: self.cursor(oldest - 1) })
        } else {
            Ok(given.seq)
        }
    }

    /// The latest of each agent.
    pub fn snapshot(&self) -> Result<Snapshot, Refusal> {
        let views = self.views();
        if !views.whole {
            return Err(Refusal::Recovering);
        }
        // Under the same lock: the views are at this head.
        Ok(Snapshot {
            epoch: self.epoch(),
            head: *self.shared.heads.borrow(),
            agents: views.agents.snapshot(),
        })
    }

    /// Hands out the gauges of the interval that ends now, if anything was said in it.
    pub fn gauge(&self, interval: Duration) {
        let now = clock::now();
        if let Some(frame) = self.views().meter.frame(now.wall.into(), now.monotonic, interval) {
            self.shared.gauges.send_replace(Some(Arc::new(frame)));
        }
    }

    /// Runs a round of retention. To be called in a thread that may wait.
    pub fn retain(&self) {
        if let Err(error) = self.shared.journal.retain(clock::now()) {
            tracing::warn!(error = &error as &dyn std::error::Error, "old events can't be removed");
            self.shared.health.set("retention", HealthStatus::Degraded, "old events can't be removed");
        } else {
            self.shared.health.ok("retention");
        }
    }

    /// Writes what waits, and closes the journal.
    pub fn close(&self) {
        if let Err(error) = self.shared.journal.close() {
            tracing::error!(error = &error as &dyn std::error::Error, "the journal can't be closed in order");
        }
    }
}

/// Events on their way into the journal.
#[derive(Debug, Default)]
struct Batch {
    payloads: Vec<Payload>,
    /// Of each new event, in order.
    fresh_keys: Vec<Option<String>>,
    /// Of each event, the place that it has already.
    known: Vec<Option<u64>>,
}

fn twice_in_a_batch(index: usize, key: &str) -> Refusal {
    let message = format!("the key `{key}` is in the batch twice: give each event its own");
    let error = Error::invalid("idempotency_key", message);
    Refusal::Batch(RefusedBatch { index: Some(index), error })
}

/// A record as it is handed out; what is no event (of this version) is passed over.
pub(crate) fn entry(record: pas_journal::Record) -> Option<Arc<Entry>> {
    let mut text = String::from_utf8(record.line).ok()?;
    // How the journal says that a batch goes on; nobody's business outside of it.
    let numbered = format!(r#","seq":{}"#, record.seq);
    if let Some(place) = text.rfind(&format!("{numbered}{MORE}")) {
        let mark = place + numbered.len();
        text.replace_range(mark..mark + MORE.len(), "");
    }
    let header = Header::read(text.as_bytes()).ok()?.into_owned();
    let line = RawValue::from_string(text).ok()?;
    Some(Arc::new(Entry { seq: record.seq, header, line }))
}

fn each(reader: &mut Reader, mut fold: impl FnMut(&[u8], Arc<Entry>)) -> anyhow::Result<()> {
    loop {
        let records = reader.read(PART_RECORDS, PART_BYTES)?;
        if records.is_empty() {
            return Ok(());
        }
        for entry in records.into_iter().filter_map(entry) {
            let line = Arc::clone(&entry);
            fold(line.line.get().as_bytes(), entry);
        }
    }
}

/// The idempotency key of a line.
fn key_of(line: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Keyed<'a> {
        #[serde(borrow)]
        idempotency_key: Option<Cow<'a, str>>,
    }
    let keyed: Keyed<'_> = serde_json::from_slice(line).ok()?;
    keyed.idempotency_key.map(Cow::into_owned)
}
