//! The one thread that writes. Commands that must be durable pass through it, many to a transaction; what was only
//! observed goes along, at the latest after a second.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use pas_service::clock;
use pas_types::health::HealthStatus;
use pas_types::registry::{Transition, TransitionKind};
use pas_types::time::Now;

use crate::app::{Head, Shared};
use crate::core::{Batch, Registry};
use crate::store::Store;

/// The longest that something observed waits to be written.
const FLUSH: Duration = Duration::from_secs(1);
/// Commands of one transaction, at the most.
const GROUP: usize = 1_000;

/// Carries out a command, and answers how to acknowledge it.
pub(crate) type Command = Box<dyn FnOnce(&mut Registry, Now) -> Acknowledge + Send>;
/// Tells the caller, once it is known whether what was done is durable.
pub(crate) type Acknowledge = Box<dyn FnOnce(bool) + Send>;

/// What the writer is asked for.
pub(crate) enum Job {
    /// Carry this out, and acknowledge it when it is durable.
    Command(Command),
    /// Something happened that should not wait.
    Nudge,
}

/// Writes until nobody is left who could ask for it; then writes what is left.
pub(crate) fn run(mut store: Store, shared: &Arc<Shared>, jobs: &Receiver<Job>) {
    let mut synced = clock::monotonic();
    loop {
        let first = match jobs.recv_timeout(FLUSH) {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        let group = first.into_iter().chain(jobs.try_iter()).take(GROUP);
        round(&mut store, shared, group);
        let now = clock::monotonic();
        if now.saturating_sub(synced) >= FLUSH {
            synced = now;
            keep_place(&mut store, shared);
            if let Err(error) = store.sync() {
                tracing::error!(%error, "what was written could not be forced to the disk");
            }
        }
    }
    keep_place(&mut store, shared);
    if !round(&mut store, shared, std::iter::empty()) {
        tracing::error!("the last changes could not be written; what was acknowledged is safe");
    }
}

/// Carries out commands, writes what the store lacks, and acknowledges. Answers whether the store has everything.
fn round(store: &mut Store, shared: &Arc<Shared>, jobs: impl Iterator<Item = Job>) -> bool {
    let commands: Vec<Command> = jobs
        .filter_map(|job| match job {
            Job::Command(command) => Some(command),
            Job::Nudge => None,
        })
        .collect();
    let mut registry = shared.registry.lock().unwrap_or_else(PoisonError::into_inner);
    let now = clock::now();
    let acknowledge: Vec<Acknowledge> =
        commands.into_iter().map(|command| command(&mut registry, now)).collect();
    let batch = registry.batch();
    drop(registry);

    let written = batch.is_empty() || write(store, shared, &batch);

    let mut registry = shared.registry.lock().unwrap_or_else(PoisonError::into_inner);
    if written {
        registry.committed(&batch);
    } else {
        registry.failed();
    }
    let index = registry.head().index;
    drop(registry);
    acknowledge.into_iter().for_each(|tell| tell(written));
    shared.heads.send_if_modified(|head| {
        let seq = batch.last_seq().filter(|_| written).unwrap_or(head.seq);
        let news = Head { index, seq };
        std::mem::replace(head, news) != news
    });
    if written {
        batch.transitions.iter().for_each(log);
    }
    written
}

fn write(store: &mut Store, shared: &Arc<Shared>, batch: &Batch) -> bool {
    let started = clock::now();
    let saved = store.save(batch);
    let took = clock::monotonic().saturating_sub(started.monotonic);
    shared.counts.commit_seconds.observe(took.as_secs_f64());
    match saved {
        Ok(()) => {
            shared.health.ok("store");
            true
        }
        Err(error) => {
            shared.counts.failed_commits.inc();
            tracing::error!(%error, "a batch could not be written; it is tried again");
            let reason = "the last write failed: registrations and decisions are refused until one succeeds";
            shared.health.set("store", HealthStatus::Degraded, reason);
            false
        }
    }
}

/// Stores up to where transitions are published. Where that fails, some are published again after the next start, which
/// doubles nothing.
fn keep_place(store: &mut Store, shared: &Shared) {
    let published = shared.published.load(Ordering::Relaxed);
    if let Err(error) = store.set_published(published) {
        tracing::debug!(%error, "the place in the event stream could not be stored");
    }
}

/// What an operator may want to know afterwards goes to the log; the rest, on request.
fn log(transition: &Transition) {
    let Transition { kind, service_name, service_id, missed_beats, reason, .. } = transition;
    let kind = kind.as_str();
    let service_id = service_id.map(|id| id.to_string());
    match transition.kind {
        TransitionKind::Evicted
        | TransitionKind::BrakeOn
        | TransitionKind::BrakeOff
        | TransitionKind::Stalled => {
            tracing::warn!(kind, service_id, service_name, missed_beats, reason, "transition");
        }
        TransitionKind::BeatMissed | TransitionKind::Recovered | TransitionKind::Unreachable => {
            tracing::info!(kind, service_id, service_name, missed_beats, reason, "transition");
        }
        _ => tracing::debug!(kind, service_id, service_name, missed_beats, reason, "transition"),
    }
}
