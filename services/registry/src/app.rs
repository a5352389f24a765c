//! What the registry does, for whoever asks: load → decide → store → tell. The state is in memory behind one lock, held
//! for microseconds; what must be durable goes through the writer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use pas_service::publisher::{Publisher, Stopped};
use pas_service::{Health, Metrics, clock};
use pas_types::catalog;
use pas_types::event::Event;
use pas_types::id::{LeaseId, ServiceId};
use pas_types::registry::{
    AdminOutcome, BrakeRelease, BrakeState, Deregister, Deregistered, DiscoveryPage, DiscoveryQuery,
    Heartbeat, HeartbeatAnswer, Probe, Promote, ReachabilityReport, Registered, Registration, Selector,
    ServiceDetail, ServiceType, ServiceView, Transition,
};
use pas_types::time::Now;
use tokio::sync::{oneshot, watch};

use crate::core::{Changes, Cursor, Figures, Fresh, Registry, Row, Snapshot, Tuning, event_of};
use crate::error::Refusal;
use crate::metrics::{Counts, Look};
use crate::store::{History, Store};
use crate::writer::{self, Job};

/// Jobs that may wait for the writer.
const QUEUE: usize = 20_000;
/// Transitions in a service's history, at the most.
const HISTORY: u32 = 100;
/// Transitions that are published at once.
const PUBLISHED_AT_ONCE: u32 = 500;

/// How far watchers may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The change log.
    pub index: u64,
    /// The transitions.
    pub seq: u64,
}

/// What the writer and everybody else share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) registry: Mutex<Registry>,
    pub(crate) heads: watch::Sender<Head>,
    /// The transition up to which the event stream has them.
    pub(crate) published: AtomicU64,
    pub(crate) health: Health,
    pub(crate) counts: Counts,
}

impl Shared {
    /// How things are.
    pub(crate) fn figures(&self) -> Figures {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner).figures()
    }
}

/// The registry at work. When its last clone is dropped, the writer writes what is left and ends.
#[derive(Debug, Clone)]
pub struct App {
    shared: Arc<Shared>,
    history: Arc<History>,
    jobs: SyncSender<Job>,
    publisher: Publisher,
}

impl App {
    /// Takes up what `store` remembers, and starts the writer.
    pub fn start(
        mut store: Store,
        tuning: Tuning,
        health: Health,
        metrics: &Metrics,
        publisher: Publisher,
    ) -> anyhow::Result<(Self, JoinHandle<()>)> {
        let now = clock::now();
        let loaded = store.load(now)?;
        tracing::info!(epoch = loaded.epoch, services = loaded.rows.len(), "loaded");
        let history = Arc::new(store.history()?);
        let (heads, _) = watch::channel(Head { index: 0, seq: store.last_seq()? });
        let registry = Mutex::new(Registry::new(tuning, loaded, now));
        let published = store.published().into();
        let shared = Arc::new(Shared { registry, heads, published, health, counts: Counts::new(metrics) });
        metrics.register_collector(Look(Arc::downgrade(&shared)));
        let (jobs, queue) = sync_channel(QUEUE);
        let for_writer = Arc::clone(&shared);
        let writer = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || writer::run(store, &for_writer, &queue))?;
        Ok((Self { shared, history, jobs, publisher }, writer))
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.shared.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out a command through the writer: by the time that it is answered, it is durable.
    async fn durably<T: Send + 'static>(
        &self,
        command: impl FnOnce(&mut Registry, Now) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (tell, told) = oneshot::channel();
        let carry_out = move |registry: &mut Registry, now: Now| -> writer::Acknowledge {
            let outcome = command(registry, now);
            Box::new(move |written| {
                let outcome =
                    outcome.and_then(|done| if written { Ok(done) } else { Err(Refusal::StoreUnavailable) });
                // A caller that has gone away meanwhile needs no answer.
                let _ = tell.send(outcome);
            })
        };
        self.jobs.try_send(Job::Command(Box::new(carry_out))).map_err(|error| match error {
            TrySendError::Full(_) => Refusal::Overloaded,
            TrySendError::Disconnected(_) => Refusal::Stopping,
        })?;
        told.await.unwrap_or(Err(Refusal::Stopping))
    }

    /// Takes in something observed, which never waits for the disk. When something came of it, the writer is told.
    fn observe<T>(&self, fact: impl FnOnce(&mut Registry, Now) -> T) -> T {
        let mut registry = self.registry();
        let before = registry.pending_transitions();
        let answer = fact(&mut registry, clock::now());
        let news = registry.pending_transitions() != before;
        drop(registry);
        if news {
            // A full queue means that the writer has work anyway.
            let _ = self.jobs.try_send(Job::Nudge);
        }
        answer
    }

    /// A service says that it exists. Answers whether that was news, too.
    pub async fn register(&self, registration: Registration) -> Result<(Registered, bool), Refusal> {
        let fresh = Fresh { service_id: ServiceId(clock::new_id()), lease_id: LeaseId(clock::new_id()) };
        self.durably(move |registry, now| registry.register(registration, fresh, now)).await
    }

    /// A service says that it lives. Of an agent, everybody is told.
    pub fn beat(&self, beat: &Heartbeat) -> Result<HeartbeatAnswer, Refusal> {
        let of = beat.service_id;
        let (answer, agent, now) =
            self.observe(|registry, now| (registry.beat(beat, now), registry.agent(of), now));
        let answer = answer?;
        if let Some(agent) = agent {
            self.publisher.publish(Event::of_beat(&agent, beat, now.wall.into()));
        }
        Ok(answer)
    }

    /// The monitor says what its probe found.
    pub fn probed(&self, report: &ReachabilityReport) -> Result<Probe, Refusal> {
        self.observe(|registry, now| registry.probed(report, now))
    }

    /// Looks who is silent.
    pub fn sweep(&self) {
        self.observe(|registry, now| registry.sweep(clock::random(), now));
    }

    /// Who fits a query.
    pub fn discover(&self, query: &DiscoveryQuery) -> Result<DiscoveryPage, Refusal> {
        let page = self.registry().discover(query)?;
        Ok(page.into_answer(clock::now()))
    }

    /// One service with its history; one that is gone as well, as long as it is remembered.
    pub async fn service(&self, id: ServiceId) -> Result<ServiceDetail, Refusal> {
        let (row, deregistered) = {
            let registry = self.registry();
            match (registry.get(id), registry.gone(id)) {
                (Some(row), _) => (row.clone(), None),
                (None, Some(gone)) => (gone.row.clone(), Some(gone.view())),
                (None, None) => return Err(Refusal::UnknownService(id)),
            }
        };
        let history = self.read(move |history| history.of_service(id, HISTORY)).await?;
        Ok(ServiceDetail { service: row.view(clock::now()), deregistered, history })
    }

    /// What happened after `seq`, oldest first.
    pub async fn transitions_after(&self, seq: u64, limit: u32) -> Result<Vec<Transition>, Refusal> {
        self.read(move |history| history.after(seq, limit)).await
    }

    /// Hands the next transitions to the event stream, from where that was left; waits until it has them. Answers whether
    /// there were any. The place is stored by and by: what is handed over a second time is kept once.
    pub async fn publish_more(&self) -> Result<bool, Refusal> {
        let after = self.shared.published.load(Ordering::Relaxed);
        if self.shared.heads.borrow().seq <= after {
            return Ok(false);
        }
        let next = self.transitions_after(after, PUBLISHED_AT_ONCE).await?;
        let Some(last) = next.last().map(|transition| transition.seq) else { return Ok(false) };
        let events = next.into_iter().filter_map(event_of).collect();
        self.publisher.deliver(events).await.map_err(|Stopped| Refusal::Stopping)?;
        self.shared.published.store(last, Ordering::Relaxed);
        Ok(true)
    }

    async fn read<T: Send + 'static>(
        &self,
        select: impl FnOnce(&History) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        let history = Arc::clone(&self.history);
        let selected = tokio::task::spawn_blocking(move || select(&history)).await;
        selected.map_err(|_| Refusal::Stopping)?.map_err(|error| {
            tracing::error!(%error, "the history can't be read");
            Refusal::HistoryUnavailable
        })
    }

    /// Gives a service another rung.
    pub async fn promote(&self, promote: Promote) -> Result<ServiceView, Refusal> {
        let row = self.durably(move |registry, now| registry.promote(&promote, now)).await?;
        Ok(row.view(clock::now()))
    }

    /// Takes services out of service.
    pub async fn pause(&self, selector: Selector) -> Result<AdminOutcome, Refusal> {
        self.durably(move |registry, now| registry.pause(&selector, now)).await
    }

    /// Gives them back.
    pub async fn resume(&self, selector: Selector) -> Result<AdminOutcome, Refusal> {
        self.durably(move |registry, now| registry.resume(&selector, now)).await
    }

    /// A service is gone.
    pub async fn deregister(&self, request: Deregister) -> Result<Deregistered, Refusal> {
        self.durably(move |registry, now| registry.deregister(&request, now)).await
    }

    /// Ends the eviction brake.
    pub async fn release_brake(&self, request: BrakeRelease) -> Result<BrakeState, Refusal> {
        self.durably(move |registry, now| registry.release_brake(&request, now)).await
    }

    /// Everything that exists.
    pub fn snapshot(&self) -> Snapshot {
        self.registry().snapshot()
    }

    /// What changed after `from`; none when only a snapshot can tell.
    pub fn changes_after(&self, from: Cursor) -> Option<Changes> {
        self.registry().changes_after(from)
    }

    /// The id under which a part of PAS was here before, wherever it listened.
    pub fn id_of(&self, entry: &catalog::Entry) -> Option<ServiceId> {
        let registry = self.registry();
        let mut named = registry.named(entry.name);
        named.find(|row| row.record.service_type == ServiceType::Service).map(Row::id)
    }

    /// Services that have not beaten since the start, while they may still be on their way.
    pub fn awaited(&self) -> usize {
        let registry = self.registry();
        if registry.recovering(clock::now()) { registry.unverified() } else { 0 }
    }

    /// How far watchers may read, told on each change.
    pub fn heads(&self) -> watch::Receiver<Head> {
        self.shared.heads.subscribe()
    }

    /// What is counted beside the figures.
    pub fn counts(&self) -> &Counts {
        &self.shared.counts
    }
}
