//! Work at a steady rate, whatever the answers take: each piece has its time, and a late one doesn't move the next.

use std::time::Duration;

use tokio::time::Instant;

/// A rate from now on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    begin: Instant,
    step: Duration,
}

impl Pace {
    /// One piece every `step`, the first one now.
    pub(crate) fn every(step: Duration) -> Self {
        Self { begin: Instant::now(), step }
    }

    /// So many pieces a second, the first one now.
    pub(crate) fn per_second(rate: u32) -> Self {
        Self::every(Duration::from_secs(1) / rate)
    }

    /// When the piece with this number is due.
    pub(crate) fn due(&self, number: u32) -> Instant {
        self.begin + self.step * number
    }

    /// Waits until it is, and tells when that was.
    pub(crate) fn wait(&self, number: u32) -> Instant {
        let due = self.due(number);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        due
    }
}
