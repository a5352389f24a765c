//! Forces written data to the disk: at once for the writer, or behind its back within a second.

use std::fs::File;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::shared::{Shared, lock};

/// The most that a power failure costs under `Fsync::Interval`.
const INTERVAL: Duration = Duration::from_secs(1);

#[derive(Default)]
struct State {
    /// Has data that is not on the disk. One is enough: the writer forces a segment itself before it begins another.
    dirty: Option<Arc<File>>,
    closed: bool,
}

pub(crate) struct Syncer {
    shared: Arc<Shared>,
    state: Mutex<State>,
    changed: Condvar,
}

impl Syncer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Forces `file` to the disk now.
    pub(crate) fn sync(&self, file: &File) -> io::Result<()> {
        let synced = file.sync_data();
        let counts = &self.shared.counts;
        if synced.is_ok() {
            counts.fsyncs.add(1)
        } else {
            counts.fsync_errors.add(1)
        }
        synced
    }

    /// Has `file` forced to the disk within a second.
    pub(crate) fn note(&self, file: &Arc<File>) {
        let mut state = lock(&self.state);
        if state.dirty.is_none() {
            self.changed.notify_one();
        }
        state.dirty = Some(Arc::clone(file));
    }

    /// Lets [`Syncer::run`] end; what is dirty is the writer's again.
    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_one();
    }

    /// A second after something became dirty, forces it to the disk. An error is counted; the kernel has given that data
    /// up, and the next write tries anew.
    pub(crate) fn run(&self) {
        loop {
            let clean = |state: &mut State| state.dirty.is_none() && !state.closed;
            let waited = self.changed.wait_while(lock(&self.state), clean);
            let state = waited.unwrap_or_else(PoisonError::into_inner);
            let waited = self.changed.wait_timeout_while(state, INTERVAL, |state| !state.closed);
            let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if state.closed {
                return;
            }
            let dirty = state.dirty.take();
            drop(state);
            // Counted by `sync`; there is nobody to tell.
            dirty.into_iter().for_each(|file| drop(self.sync(&file)));
        }
    }
}
