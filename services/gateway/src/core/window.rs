//! How many calls of the last ten seconds failed.

use std::time::Duration;

const SECONDS: usize = 10;

/// A bucket a second.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    /// The second that the newest bucket counts.
    newest: u64,
    buckets: [Bucket; SECONDS],
}

#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    failed: u32,
    all: u32,
}

impl Window {
    /// A call ended at `now`.
    pub(super) fn count(&mut self, now: Duration, failed: bool) {
        self.turn_to(now);
        let bucket = &mut self.buckets[place(self.newest)];
        bucket.all += 1;
        bucket.failed += u32::from(failed);
    }

    /// How many failed, of how many.
    pub(super) fn counts(&mut self, now: Duration) -> (u32, u32) {
        self.turn_to(now);
        self.buckets.iter().fold((0, 0), |(failed, all), bucket| (failed + bucket.failed, all + bucket.all))
    }

    fn turn_to(&mut self, now: Duration) {
        let second = now.as_secs();
        let passed = second.saturating_sub(self.newest).min(SECONDS as u64);
        for past in 1..=passed {
            self.buckets[place(self.newest + past)] = Bucket::default();
        }
        if passed == SECONDS as u64 {
            self.buckets = Default::default();
        }
        self.newest = self.newest.max(second);
    }
}

fn place(second: u64) -> usize {
    (second % SECONDS as u64) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_counts_what_ended_in_the_last_ten_seconds(
            calls in prop::collection::vec((0_u64..4_000, prop::bool::ANY), 0..100),
        ) {
            let (mut window, mut now, mut all) = (Window::default(), 0, Vec::new());
            for (pause, failed) in calls {
                now += pause;
                all.push((now / 1_000, failed));
                window.count(Duration::from_millis(now), failed);
                let recent = all.iter().filter(|(second, _)| second + SECONDS as u64 > now / 1_000);
                let (failures, count) = recent.fold((0, 0), |(f, n), (_, failed)| (f + u32::from(*failed), n + 1));
                prop_assert_eq!(window.counts(Duration::from_millis(now)), (failures, count));
            }
        }
    }
}
