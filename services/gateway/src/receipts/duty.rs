//! How much of a core what follows the journal may take, and how many files a second it may write. Pure: told what it took
//! and what time it is.

use std::time::Duration;

/// The longest rest at once: what was asked of the follower in between should not wait long.
const LONGEST: Duration = Duration::from_millis(250);

/// A share of one core.
#[derive(Debug, Clone, Copy)]
pub(super) struct Duty {
    percent: u32,
    owed: Duration,
}

impl Duty {
    /// `percent` of one core, from 1 to 100.
    pub(super) fn new(percent: u32) -> Self {
        Self { percent: percent.clamp(1, 100), owed: Duration::ZERO }
    }

    /// How long to rest after so much work. While calls come the share is kept to, over any longer time; else half of a
    /// core may be taken.
    pub(super) fn rest(&mut self, worked: Duration, busy: bool) -> Duration {
        let percent = if busy { self.percent } else { self.percent.max(50) };
        self.owed += worked * (100 - percent) / percent;
        let rest = self.owed.min(LONGEST);
        self.owed -= rest;
        rest
    }

    /// Whether it has yet to rest, before it works again.
    pub(super) fn is_owing(&self) -> bool {
        !self.owed.is_zero()
    }
}

/// So many a second in the long run, and a few seconds' worth at once.
#[derive(Debug)]
pub(super) struct Rate {
    per_s: u64,
    /// In billionths of one.
    level: u128,
    last: Duration,
}

/// Seconds' worth that may come at once: with those of the second itself four in any second, 200 of the 50 by default.
const BURST: u64 = 3;

impl Rate {
    /// `per_s` a second, as of `now`.
    pub(super) fn new(per_s: u64, now: Duration) -> Self {
        Self { per_s, level: u128::from(per_s * BURST) * 1_000_000_000, last: now }
    }

    /// Whether there is one more.
    pub(super) fn take(&mut self, now: Duration) -> bool {
        let full = u128::from(self.per_s * BURST) * 1_000_000_000;
        let passed = now.saturating_sub(self.last).as_nanos();
        self.level = full.min(self.level + passed * u128::from(self.per_s));
        self.last = self.last.max(now);
        let taken = self.level.checked_sub(1_000_000_000);
        self.level = taken.unwrap_or(self.level);
        taken.is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn while_calls_come_no_more_than_the_share_is_taken(
            percent in 1_u32..=100, steps in proptest::collection::vec(0_u64..50_000, 1..200),
        ) {
            let mut duty = Duty::new(percent);
            let (mut worked, mut rested) = (Duration::ZERO, Duration::ZERO);
            for micros in steps {
                worked += Duration::from_micros(micros);
                rested += duty.rest(Duration::from_micros(micros), true);
                while duty.is_owing() {
                    rested += duty.rest(Duration::ZERO, true);
                }
                let share = worked.as_nanos() * 100;
                // Rounding costs less than a nanosecond a step.
                prop_assert!(share <= (worked + rested).as_nanos() * u128::from(percent) + 100 * 200);
            }
        }

        #[test]
        fn never_more_than_the_rate_and_one_burst(per_s in 1_u64..300, steps in proptest::collection::vec(0_u64..20_000, 1..2_000)) {
            let mut rate = Rate::new(per_s, Duration::ZERO);
            let (mut now, mut taken) = (Duration::ZERO, 0_u128);
            for micros in steps {
                now += Duration::from_micros(micros);
                taken += u128::from(rate.take(now));
                prop_assert!(taken * 1_000_000 <= u128::from(per_s) * (now.as_micros() + u128::from(BURST) * 1_000_000));
            }
        }
    }

    #[test]
    fn without_calls_half_of_a_core_may_be_taken() {
        assert_eq!(Duty::new(10).rest(Duration::from_millis(10), false), Duration::from_millis(10));
        assert_eq!(Duty::new(10).rest(Duration::from_millis(10), true), Duration::from_millis(90));
        assert_eq!(Duty::new(80).rest(Duration::from_millis(8), false), Duration::from_millis(2));
    }

    #[test]
    fn a_rate_is_made_use_of_whole() {
        let mut rate = Rate::new(50, Duration::ZERO);
        let ticks = (0..10_000).map(Duration::from_millis);
        assert_eq!(ticks.filter(|now| rate.take(*now)).count(), 150 + 499);
    }
}
