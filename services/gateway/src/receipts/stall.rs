//! Whether the disk stalls: then a thread that serves calls must not write. Pure: told when a write began and ended.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A write that takes so long keeps a thread from its calls. Less may be that others had the processor, and to have the
/// journal's thread write costs two switches between threads a call.
const SLOW: Duration = Duration::from_millis(100);
/// For how long the journal's own thread writes, then.
const LASTING: Duration = Duration::from_secs(5);

/// Until when the disk is taken to be slow.
#[derive(Debug, Default)]
pub(super) struct Stall {
    until_ms: AtomicU64,
}

impl Stall {
    /// Whether writes may take long at this time.
    pub(super) fn is_feared(&self, now: Duration) -> bool {
        millis(now) < self.until_ms.load(Ordering::Relaxed)
    }

    /// A write is over.
    pub(super) fn wrote(&self, began: Duration, ended: Duration) {
        if ended.saturating_sub(began) >= SLOW {
            self.until_ms.fetch_max(millis(ended + LASTING), Ordering::Relaxed);
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_slow_write_another_is_feared_for_a_while_and_no_usual_one_ends_that() {
        let at = Duration::from_millis;
        let stall = Stall::default();
        stall.wrote(at(1_000), at(1_099));
        assert!(!stall.is_feared(at(1_099)));
        stall.wrote(at(2_000), at(2_100));
        stall.wrote(at(2_100), at(2_101));
        assert_eq!([2_100, 7_099, 7_100].map(|ms| stall.is_feared(at(ms))), [true, true, false]);
        // What began earlier and ended earlier shortens nothing.
        stall.wrote(at(3_000), at(4_000));
        stall.wrote(at(2_500), at(3_000));
        assert_eq!([8_999, 9_000].map(|ms| stall.is_feared(at(ms))), [true, false]);
    }
}
