//! Receipts: one for every call, in the journal before the answer ends.
//!
//! What always holds:
//!
//! - A call is begun and settled without waiting; what the journal is told of it is handed to its writer. Who may not go on
//!   before the receipt is safe awaits [`Settled`].
//! - Whatever call the journal knows to have begun has exactly one receipt, at the latest after the next start, as `lost`.
//! - While the disk takes nothing no call begins. What was open then is held (4,096 receipts), and written when it can be.
//! - The journal comes first. Index, files and events follow it, each from a place of its own that outlives any death;
//!   they take a bounded share of a core, and nobody waits for them.

mod calls;
mod checkpoint;
mod config;
pub mod content;
mod duty;
mod files;
mod follower;
pub mod ids;
mod index;
mod keeper;
mod line;
mod metrics;
mod queries;
mod recent;
mod recovery;
mod settled;
mod shared;
mod stall;
mod told;

use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use pas_journal::Journal;
use pas_service::publisher::Publisher;
use pas_service::{Health, Metrics, Running, Swarm, clock};
use pas_types::id::CallId;
use pas_types::receipt::RoutingReceipt;
use pas_types::time::Now;

pub use config::Config;
pub use line::Opened;
pub use settled::{Settled, Unavailable};

use calls::Calls;
use checkpoint::Checkpoint;
use files::Files;
use follower::Follower;
use ids::CallIds;
use keeper::Keeper;
use metrics::{Counts, Look};
use recovery::Found;
use shared::{Shared, lock};

/// Where receipts lie below the data directory.
const DIRECTORY: &str = "costs";
/// Where their journal lies in it.
const JOURNAL: &str = "journal";

/// The receipts of a gateway. Clones are the same.
#[derive(Clone)]
pub struct Receipts {
    shared: Arc<Shared>,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Receipts {
    /// Opens them. Every call that was open when the last run ended has its receipt then, if the disk takes it.
    pub fn open(
        config: &crate::Config,
        swarm: &Swarm,
        health: &Health,
        metrics: &Metrics,
        publisher: Publisher,
        running: &Running,
    ) -> anyhow::Result<Self> {
        let receipts = Self::start(config, swarm, health, metrics)?;
        if config.receipts.events {
            let shared = Arc::clone(&receipts.shared);
            let tell = told::tell(shared, publisher, config.receipts.share(), running.shutdown().clone());
            running.tasks().spawn(tell);
        }
        Ok(receipts)
    }

    /// The same, without a word to the event stream.
    fn start(
        config: &crate::Config,
        swarm: &Swarm,
        health: &Health,
        metrics: &Metrics,
    ) -> anyhow::Result<Self> {
        let now = clock::now();
        let directory = swarm.data_dir.join(DIRECTORY);
        let options = config.receipts.journal(&directory.join(JOURNAL), swarm.fsync, now);
        let journal = Journal::open(options).context("the journal of receipts can't be opened")?;
        tracing::info!(epoch = journal.epoch(), recovered = ?journal.recovered(), "opened the journal of receipts");

        // What an earlier run left open is found by what it noted last, and what it wrote after that.
        let checkpoint = checkpoint::File::new(&directory).load().context("the checkpoint can't be read")?;
        let known = checkpoint.clone().filter(|it| it.epoch == journal.epoch() && it.seq <= journal.head());
        let found = recovery::find(&journal, known.as_ref())?;
        let Found { open, last_id, read } = found;
        tracing::info!(read, open = open.len(), "read the journal of receipts");
        let ids = CallIds::new(&config.instance, last_id.max(checkpoint.as_ref().map_or(0, |it| it.last_id)));
        let mut calls = Calls::new(journal.head());
        open.iter().for_each(|(seq, opened)| calls.adopt(opened.run_id.clone(), *seq));

        // Without a note, files and events begin now: who has removed it wants neither all over again.
        let head = journal.head();
        let place = |place: fn(&Checkpoint) -> u64| checkpoint.as_ref().map_or(head, place).min(head);
        let from =
            Checkpoint { filed: place(|it| it.filed), told: place(|it| it.told), ..Checkpoint::default() };
        let counts = Counts::new(metrics);
        let shared = Shared::new(
            config.receipts.clone(),
            directory,
            journal,
            ids,
            calls,
            &from,
            health.clone(),
            counts,
        );
        let shared = Arc::new(shared);
        metrics.register_collector(Look(Arc::downgrade(&shared)));
        shared.set_writable();
        settle_lost(&shared, open.into_iter().map(|(_, opened)| opened.lost()), now);
        // Should this not be possible, the next start reads more.
        drop(shared.checkpoint.store(&shared.standing()));
        let receipts = Self { shared, threads: Arc::default() };
        receipts.spawn_threads(now)?;
        Ok(receipts)
    }

    fn spawn_threads(&self, now: Now) -> anyhow::Result<()> {
        let (shared, config) = (&self.shared, &self.shared.config);
        let index = if config.index { Some(follower::open_index(shared)?) } else { None };
        let files = config.files.then(|| {
            let kept = usize::try_from(config.files_kept).unwrap_or(usize::MAX);
            Files::open(&shared.directory, kept, config.files_per_s, now.monotonic)
        });
        let files = files.transpose().context("the files of receipts can't be listed")?;
        let keeper = Keeper::new(Arc::clone(shared));
        let follower = Follower::new(Arc::clone(shared), index, files, config.share());
        let keeper = std::thread::Builder::new().name("receipts-keep".to_owned()).spawn(|| keeper.run())?;
        let _ = shared.keeper.set(keeper.thread().clone());
        lock(&self.threads).push(keeper);
        let follower =
            std::thread::Builder::new().name("receipts-follow".to_owned()).spawn(|| follower.run())?;
        let _ = shared.follower.set(follower.thread().clone());
        lock(&self.threads).push(follower);
        Ok(())
    }

    /// Whether receipts can be written. While they can't, no call should be taken.
    pub fn is_writable(&self) -> bool {
        self.shared.is_writable()
    }

    /// The id of a call that comes in now.
    pub fn next_id(&self, now: Now) -> CallId {
        self.shared.ids.next(now)
    }

    /// A call begins: to be said before the first byte goes upstream. Never waits. Should it still be open after
    /// [`Receipts::open_after`], [`Receipts::tell_of`] is to be called.
    pub fn begin(&self, run_id: CallId) -> Result<(), Unavailable> {
        self.shared.begin(run_id)
    }

    /// How long a call may be open before the journal has to know.
    pub fn open_after(&self) -> Duration {
        Duration::from_millis(self.shared.config.open_after_ms)
    }

    /// A call goes on: the journal is told that it has begun, once. Never waits.
    pub fn tell_of(&self, opened: Opened) {
        self.shared.tell_of(opened, clock::now());
    }

    /// A call is over, whether it was begun or not; once for each call. It is on its way to the journal when this returns.
    pub fn settle(&self, receipt: impl Into<Arc<RoutingReceipt>>) -> Settled {
        self.shared.settle(receipt.into(), clock::now())
    }

    /// Ends them in order: waits until all that was handed in is written. In a thread that may wait.
    pub fn close(&self) {
        self.shared.stopping.store(true, Ordering::Release);
        let threads = std::mem::take(&mut *lock(&self.threads));
        threads.iter().for_each(|thread| thread.thread().unpark());
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the receipts has panicked");
            }
        }
        let shared = &self.shared;
        let closed = shared.journal.close();
        if let Err(error) = closed {
            tracing::error!(error = &error as &dyn std::error::Error, "the journal of receipts");
        }
        // What was on its way is in the journal now, and known to be.
        if let Err(error) = shared.checkpoint.store(&shared.standing()) {
            tracing::warn!(%error, "the checkpoint of the receipts can't be written");
        }
    }
}

/// Settles calls of an earlier run, and waits until the journal has it. What it can't take is held, as any other receipt.
fn settle_lost(shared: &Arc<Shared>, lost: impl Iterator<Item = RoutingReceipt>, now: Now) {
    /// Receipts that are on their way at once.
    const GROUP: usize = 1_000;
    let mut lost = lost.peekable();
    while lost.peek().is_some() {
        let (tell, told) = mpsc::channel();
        for receipt in lost.by_ref().take(GROUP) {
            shared.state().calls.settle(&receipt.run_id);
            let tell = tell.clone();
            let tell = move |result| {
                // It is waited for below.
                let _ = tell.send(result);
            };
            // What is refused is held.
            let _ = shared.write(Arc::new(receipt), now, tell);
        }
        drop(tell);
        while told.recv().is_ok() {}
    }
}
