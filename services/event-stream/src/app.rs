//! What the event stream does, for whoever asks. The journal comes first: what is published is in it before anybody is told;
//! what is held in memory beside it follows it, in order, and could be made anew.

mod publishing;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pas_journal::{Journal, ReadError, Reader};
use pas_service::{Health, Metrics, Running, clock};
use pas_types::event::{Cursor, EventType, Gauges, Recorded, Snapshot, SubscribeMode, Subscribed};
use pas_types::health::HealthStatus;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::core::agents::Agents;
use crate::core::gauges::Meter;
use crate::core::keys::Keys;
use crate::core::recent::{Entry, Recent};
use crate::error::{Misplaced, Refusal};
use crate::metrics::{Counts, Look};
use crate::records::{PART_BYTES, PART_RECORDS, each, entry, key_of};
use crate::subscribers::Subscribers;

pub use publishing::Placed;

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
        each(&mut journal.reader(start), |entry| {
            if let Some(key) = key_of(&entry) {
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

    /// Brings the views up to what the journal has by now.
    pub fn follow(&self, reader: &mut Reader) -> Result<(), ReadError> {
        loop {
            let before = reader.after();
            let records = reader.read(PART_RECORDS, PART_BYTES)?;
            if reader.after() == before {
                return Ok(());
            }
            let now = clock::monotonic();
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

    /// What a subscriber is told that goes on after `head`; a reset is counted.
    pub fn subscribed(&self, head: u64, mode: SubscribeMode) -> Subscribed {
        if mode == SubscribeMode::Reset {
            self.shared.counts.resets.inc();
        }
        Subscribed { epoch: self.epoch(), head, oldest: self.oldest(), mode }
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
