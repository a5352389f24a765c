//! What the handles, the threads and the journal's callbacks share: calls begin and are settled here.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Duration;

use pas_journal::{Appended, Journal, Payload, Refused};
use pas_service::{Health, clock};
use pas_types::ErrorCode;
use pas_types::event::CallStatus;
use pas_types::health::HealthStatus;
use pas_types::id::CallId;
use pas_types::receipt::{Failure, RoutingReceipt};
use pas_types::time::Now;
use serde::Serialize;
use tokio::sync::{Notify, oneshot};

use super::calls::{Calls, Settle};
use super::checkpoint::Checkpoint;
use super::ids::CallIds;
use super::line::{OpenLine, Opened};
use super::metrics::Counts;
use super::recent::Recent;
use super::settled::{Settled, Unavailable};
use super::stall::Stall;
use super::{Config, checkpoint, index};

/// Receipts that are held until the disk takes something again. While it doesn't no call begins, so these are of calls that
/// were open.
const UNWRITTEN: usize = 4_096;
/// Records of calls that began, in one group.
const GROUP: usize = 250;
/// The room that is made for a line.
const LINE_BYTES: usize = 1_536;
/// The check in `/health`.
const CHECK: &str = "receipts";

pub(super) struct Shared {
    pub(super) config: Config,
    /// Where the journal's directory, the index and the files lie.
    pub(super) directory: PathBuf,
    pub(super) journal: Journal,
    pub(super) ids: CallIds,
    pub(super) state: Mutex<State>,
    /// Held from the decision to record calls as begun until the journal's queue has the records, so that no receipt gets
    /// before the record of its call: whoever reads the journal would take that call for open.
    handing: Mutex<()>,
    unwritten: Mutex<Vec<RoutingReceipt>>,
    writable: AtomicBool,
    /// While one is feared, the journal's own thread writes.
    stall: Stall,
    /// The keeper, which is woken when the disk takes nothing.
    pub(super) keeper: OnceLock<Thread>,
    /// The follower, which may be asked to make haste.
    pub(super) follower: OnceLock<Thread>,
    /// Rings when the follower has seen that the journal grew.
    pub(super) grown: Notify,
    pub(super) index: Mutex<Option<Arc<index::Reader>>>,
    /// Up to where the journal is in the index.
    indexed: Mutex<u64>,
    moved: Condvar,
    pub(super) filed: AtomicU64,
    pub(super) told: AtomicU64,
    pub(super) checkpoint: checkpoint::File,
    pub(super) stopping: AtomicBool,
    pub(super) health: Health,
    pub(super) counts: Counts,
}

/// What is known of the newest part of the journal.
#[derive(Debug)]
pub(super) struct State {
    pub(super) calls: Calls,
    pub(super) recent: Recent,
}

/// Locks; what a panic left behind is still consistent, since no lock here is held over a call to others.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a thing of its own, named once, where receipts are opened"
    )]
    pub(super) fn new(
        config: Config,
        directory: PathBuf,
        journal: Journal,
        ids: CallIds,
        calls: Calls,
        from: &Checkpoint,
        health: Health,
        counts: Counts,
    ) -> Self {
        let checkpoint = checkpoint::File::new(&directory);
        Self {
            config,
            directory,
            journal,
            ids,
            handing: Mutex::default(),
            state: Mutex::new(State { calls, recent: Recent::default() }),
            unwritten: Mutex::default(),
            writable: AtomicBool::new(true),
            stall: Stall::default(),
            keeper: OnceLock::new(),
            follower: OnceLock::new(),
            grown: Notify::new(),
            index: Mutex::default(),
            indexed: Mutex::new(0),
            moved: Condvar::new(),
            filed: AtomicU64::new(from.filed),
            told: AtomicU64::new(from.told),
            checkpoint,
            stopping: AtomicBool::new(false),
            health,
            counts,
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(super) fn is_writable(&self) -> bool {
        self.writable.load(Ordering::Relaxed)
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// A call begins; the journal is told when it turns out to be long.
    pub(super) fn begin(&self, run_id: CallId) -> Result<(), Unavailable> {
        if !self.is_writable() {
            return Err(Unavailable::Disk);
        }
        self.state().calls.begin(run_id).map_err(|_| Unavailable::Full)
    }

    /// Tells the journal that a call has begun, unless it knows, or the call is over. While it takes nothing, that waits for the
    /// keeper.
    pub(super) fn tell_of(self: &Arc<Self>, opened: Opened, now: Now) {
        let _handing = lock(&self.handing);
        if self.state().calls.tell(&opened) {
            self.write_begun(&[opened], now);
        }
    }

    /// The same of all calls of which it could not be told.
    pub(super) fn tell_of_untold(self: &Arc<Self>, now: Now) {
        let _handing = lock(&self.handing);
        loop {
            let untold = self.state().calls.untold(GROUP);
            if untold.is_empty() || !self.write_begun(&untold, now) {
                return;
            }
        }
    }

    fn write_begun(self: &Arc<Self>, due: &[Opened], now: Now) -> bool {
        let calls: Vec<CallId> = due.iter().map(|opened| opened.run_id.clone()).collect();
        let payloads: Result<Vec<Payload>, Unavailable> =
            due.iter().map(|opened| payload(&OpenLine { open: opened })).collect();
        let Ok(payloads) = payloads else {
            self.state().calls.not_opened(&calls);
            return false;
        };
        let (shared, group) = (Arc::clone(self), calls.clone());
        let taken = self.journal.append(payloads, now, move |result| match result {
            Ok(Appended { first_seq, .. }) => {
                shared.counts.begun.inc_by(group.len() as u64);
                shared.state().calls.opened(&group, first_seq);
            }
            Err(_) => {
                shared.state().calls.not_opened(&group);
                shared.set_unwritable();
            }
        });
        if let Err(refused) = &taken {
            self.state().calls.not_opened(&calls);
            // The keeper tells it as soon as there is room.
            if !matches!(refused, Refused::Closed) {
                self.set_unwritable();
            }
        }
        taken.is_ok()
    }

    /// Hands a receipt to the journal.
    pub(super) fn settle(self: &Arc<Self>, receipt: Arc<RoutingReceipt>, now: Now) -> Settled {
        // Known before it is matched on: the lock on the state must not be held any longer.
        let (settle, alone) = {
            let mut state = self.state();
            (state.calls.settle(&receipt.run_id), state.calls.len() <= 1)
        };
        match settle {
            Settle::Now => {}
            Settle::AfterRecord => drop(lock(&self.handing)),
            Settle::Twice => {
                tracing::error!(run_id = %receipt.run_id, "a call was settled a second time; its first receipt counts");
                return Settled::known(Unavailable::Twice);
            }
        }
        let (tell, told) = oneshot::channel();
        let tell = move |result| {
            // Whoever waited may be gone.
            let _ = tell.send(result);
        };
        match self.hand_in(receipt, now, tell) {
            Ok(()) => Settled::waits(told, Arc::clone(self), alone),
            Err(why) => Settled::known(why),
        }
    }

    /// Writes what was handed in, unless the disk was slow a while ago: a thread that serves calls must not wait for it.
    pub(super) fn write_here(&self) {
        let now = clock::now();
        if self.stall.is_feared(now.monotonic) {
            return self.journal.wake();
        }
        self.journal.write_here(now);
        self.stall.wrote(now.monotonic, clock::monotonic());
    }

    /// Writes a receipt.
    pub(super) fn write(
        self: &Arc<Self>,
        receipt: Arc<RoutingReceipt>,
        now: Now,
        tell: impl FnOnce(Result<u64, Unavailable>) + Send + 'static,
    ) -> Result<(), Unavailable> {
        self.hand_in(receipt, now, tell).inspect(|()| self.journal.wake())
    }

    /// Hands in a receipt, to be written soon; what can't be written is held until it can.
    fn hand_in(
        self: &Arc<Self>,
        receipt: Arc<RoutingReceipt>,
        now: Now,
        tell: impl FnOnce(Result<u64, Unavailable>) + Send + 'static,
    ) -> Result<(), Unavailable> {
        let payload = payload(&*receipt)?;
        let (shared, written) = (Arc::clone(self), Arc::clone(&receipt));
        let taken = self.journal.append_soon(vec![payload], now, move |result| match result {
            Ok(Appended { last_seq, .. }) => {
                let mut state = shared.state();
                state.calls.settled(&written.run_id, last_seq);
                state.recent.push(written.run_id.as_str(), last_seq);
                drop(state);
                shared.counts.settled(written.status);
                tell(Ok(last_seq));
            }
            Err(_) => {
                shared.hold(Arc::unwrap_or_clone(written));
                shared.set_unwritable();
                tell(Err(Unavailable::Disk));
            }
        });
        let why = match taken {
            Ok(()) => return Ok(()),
            Err(Refused::Closed) => Unavailable::Stopping,
            Err(_) => Unavailable::Full,
        };
        self.hold(Arc::unwrap_or_clone(receipt));
        // It is written as soon as there is room, by the keeper, as after a failure.
        self.set_unwritable();
        Err(why)
    }

    /// Holds a receipt until the disk takes something again.
    fn hold(&self, receipt: RoutingReceipt) {
        let mut unwritten = lock(&self.unwritten);
        if unwritten.len() < UNWRITTEN {
            unwritten.push(receipt);
        } else {
            self.counts.dropped.inc();
            tracing::error!(run_id = %receipt.run_id, "a receipt is lost: the disk takes nothing, and too many are held");
        }
    }

    /// The receipts that are held, as they are to be written now: their callers were told that something went wrong.
    pub(super) fn take_unwritten(&self) -> Vec<RoutingReceipt> {
        std::mem::take(&mut *lock(&self.unwritten)).into_iter().map(belated).collect()
    }

    /// How many are held.
    pub(super) fn unwritten(&self) -> usize {
        lock(&self.unwritten).len()
    }

    fn set_unwritable(&self) {
        if self.writable.swap(false, Ordering::Relaxed) {
            tracing::error!("the journal of receipts can't be written: no calls are taken until it can");
        }
        let reason = "the journal of receipts can't be written; no calls are taken until it can";
        self.health.set(CHECK, HealthStatus::Degraded, reason);
        if let Some(keeper) = self.keeper.get() {
            keeper.unpark();
        }
    }

    pub(super) fn set_writable(&self) {
        if !self.writable.swap(true, Ordering::Relaxed) {
            tracing::info!("the journal of receipts can be written again");
        }
        self.health.ok(CHECK);
    }

    /// Up to where the journal is in the index.
    pub(super) fn indexed(&self) -> u64 {
        *lock(&self.indexed)
    }

    /// The index has the journal up to `seq`.
    pub(super) fn set_indexed(&self, seq: u64) {
        *lock(&self.indexed) = seq;
        self.moved.notify_all();
        self.state().recent.forget(seq);
    }

    /// How many records index and files are behind the journal.
    pub(super) fn lag(&self) -> u64 {
        let indexed = self.config.index.then(|| self.indexed());
        let filed = self.config.files.then(|| self.filed.load(Ordering::Relaxed));
        let head = self.journal.head();
        indexed.into_iter().chain(filed).min().map_or(0, |place| head.saturating_sub(place))
    }

    /// Waits until the index has the journal up to `seq`, if it gets there soon.
    pub(super) fn wait_for_index(&self, seq: u64, patience: Duration) {
        if self.indexed() < seq
            && let Some(follower) = self.follower.get()
        {
            follower.unpark();
            let behind = |indexed: &mut u64| *indexed < seq && !self.is_stopping();
            drop(self.moved.wait_timeout_while(lock(&self.indexed), patience, behind));
        }
    }

    /// What is known now, for the next start.
    pub(super) fn standing(&self) -> Checkpoint {
        let (seq, open) = self.state().calls.standing();
        Checkpoint {
            epoch: self.journal.epoch(),
            seq,
            open,
            last_id: self.ids.last(),
            filed: self.filed.load(Ordering::Relaxed),
            told: self.told.load(Ordering::Relaxed),
        }
    }

    pub(super) fn now() -> Now {
        clock::now()
    }
}

/// A receipt that is written later than its caller was answered.
fn belated(receipt: RoutingReceipt) -> RoutingReceipt {
    let mut receipt = receipt;
    if receipt.status == CallStatus::Ok {
        receipt.status = CallStatus::Error;
        let message = Unavailable::Disk.to_string().into_boxed_str();
        receipt.error = Some(Failure { code: ErrorCode::Unavailable, message });
    }
    let note = "the disk took no receipt when the call was over: this was written later, and the caller was told of an error";
    if receipt.status != CallStatus::Lost && !receipt.notes.iter().any(|known| known == note) {
        receipt.notes.push(note.into());
    }
    receipt
}

fn payload(line: &impl Serialize) -> Result<Payload, Unavailable> {
    Payload::of(line, LINE_BYTES).map_err(|error| {
        let error = &error as &dyn std::error::Error;
        tracing::error!(error, "a receipt can't be written as a line of the journal");
        Unavailable::Full
    })
}
