//! The thread that tries whether a disk that took nothing takes something again, and notes from where the next start has to
//! read.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use pas_journal::Payload;
use pas_types::time::Now;

use super::checkpoint::Checkpoint;
use super::line;
use super::settled::Unavailable;
use super::shared::Shared;

/// How often it is noted from where the next start has to read.
const CHECKPOINT: Duration = Duration::from_secs(1);
/// How often it is tried whether the disk takes something.
const PROBE: Duration = Duration::from_millis(200);
/// The longest wait for what the journal says.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Keeper {
    shared: Arc<Shared>,
    noted: Option<Checkpoint>,
    noted_at: Duration,
}

impl Keeper {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, noted: None, noted_at: Duration::ZERO }
    }

    /// Keeps until the gateway stops; then all that waits is written.
    pub(super) fn run(mut self) {
        while !self.shared.is_stopping() {
            let now = Shared::now();
            // Also what was held just when all else could be written again.
            if !self.shared.is_writable() || self.shared.unwritten() > 0 {
                recover(&self.shared, now);
            }
            if now.monotonic.saturating_sub(self.noted_at) >= CHECKPOINT {
                self.noted_at = now.monotonic;
                self.note();
            }
            // Whoever finds that the disk takes nothing wakes it.
            std::thread::park_timeout(if self.shared.is_writable() { CHECKPOINT } else { PROBE });
        }
        if !self.shared.is_writable() || self.shared.unwritten() > 0 {
            recover(&self.shared, Shared::now());
        }
    }

    /// Notes how things stand, where that is news. What can't be noted costs the next start some reading.
    fn note(&mut self) {
        let standing = self.shared.standing();
        if self.noted.as_ref() == Some(&standing) {
            return;
        }
        match self.shared.checkpoint.store(&standing) {
            Ok(()) => self.noted = Some(standing),
            Err(error) => tracing::debug!(%error, "the checkpoint of the receipts can't be written"),
        }
    }
}

/// Writes something as large as any receipt; if that can be written, then what is held; if that can be written too, calls
/// are taken again.
pub(super) fn recover(shared: &Arc<Shared>, now: Now) {
    let (tell, told) = mpsc::channel();
    let probed = tell.clone();
    let Ok(probe) = Payload::new(line::probe(now.wall.into())) else { return };
    let again = Arc::clone(shared);
    let taken = shared.journal.append(vec![probe], now, move |result| {
        if let Ok(appended) = &result {
            again.state().calls.passed(appended.last_seq);
        }
        // Nobody hears it who has lost patience.
        let _ = probed.send(result.map(|appended| appended.last_seq).map_err(|_| Unavailable::Disk));
    });
    if taken.is_err() || !matches!(told.recv_timeout(PATIENCE), Ok(Ok(_))) {
        return;
    }
    let held = shared.take_unwritten();
    let mut written = true;
    let mut waits = 0;
    for receipt in held {
        let tell = tell.clone();
        let taken = shared.write(Arc::new(receipt), now, move |result| {
            let _ = tell.send(result);
        });
        waits += usize::from(taken.is_ok());
        written &= taken.is_ok();
    }
    for _ in 0..waits {
        written &= matches!(told.recv_timeout(PATIENCE), Ok(Ok(_)));
    }
    if written {
        shared.set_writable();
        shared.tell_of_untold(now);
    }
}
