//! The dead man's switch of the registry, and a look at the clock. Both go by ticks; a tick that comes late proves
//! nothing but that the monitor itself stood still.

use std::time::Duration;

use pas_types::time::{Now, WireTime};

use super::{NewId, Raised, alerts};

/// When silence and a jump of the clock are worth an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How often [`Watchdog::tick`] is called.
    pub period: Duration,
    /// How long the registry may say nothing.
    pub silent_after: Duration,
    /// By how much the time of day may differ from the time that passed, between two ticks.
    pub clock_jump: Duration,
}

/// What the monitor knows of the registry's voice and of its own clock.
#[derive(Debug)]
pub struct Watchdog {
    rules: Rules,
    /// When the registry last spoke, moved by the time that the monitor stood still.
    heard: Duration,
    /// The same by the time of day, for people; none before the first word.
    last_seen: Option<WireTime>,
    spoke_since_tick: bool,
    last_tick: Now,
    /// Silence was said, its end was not.
    silent: bool,
}

impl Watchdog {
    /// Begins to listen. `silent`: before the monitor restarted, silence was said and its end was not.
    pub fn new(rules: Rules, now: Now, silent: bool) -> Self {
        let heard = now.monotonic;
        Self { rules, heard, last_seen: None, spoke_since_tick: false, last_tick: now, silent }
    }

    /// The registry spoke.
    pub fn heard(&mut self, now: Now) {
        self.heard = now.monotonic;
        self.last_seen = Some(now.wall.into());
        self.spoke_since_tick = true;
    }

    /// Whether the registry counts as silent.
    pub fn is_silent(&self) -> bool {
        self.silent
    }

    /// Time passed.
    pub fn tick(&mut self, now: Now, ids: NewId<'_>) -> Vec<Raised> {
        let passed = now.monotonic.saturating_sub(self.last_tick.monotonic);
        let jump_ms = clock_jump_ms(self.last_tick, now, passed);
        self.last_tick = now;
        if passed > self.rules.period + self.rules.period / 2 {
            // What the registry said while the monitor stood still may not have been read yet.
            let gap = passed - self.rules.period;
            self.heard = (self.heard + gap).min(now.monotonic);
        }

        let mut found = Vec::new();
        if u128::from(jump_ms.unsigned_abs()) > self.rules.clock_jump.as_millis() {
            found.push(alerts::clock_jump(jump_ms, now, ids()));
        }
        let spoke = std::mem::take(&mut self.spoke_since_tick);
        if self.silent && spoke {
            self.silent = false;
            found.push(alerts::registry_back(self.last_seen, now, ids()));
        } else if !self.silent && now.monotonic.saturating_sub(self.heard) >= self.rules.silent_after {
            self.silent = true;
            found.push(alerts::registry_silent(self.last_seen, self.rules.silent_after, now, ids()));
        }
        found.into_iter().map(|alert| Raised { alert, source_seq: None }).collect()
    }
}

/// By how much the time of day went further than time did; negative when it fell behind.
fn clock_jump_ms(before: Now, now: Now, passed: Duration) -> i64 {
    let by_the_wall = now.wall.as_millisecond() - before.wall.as_millisecond();
    by_the_wall.saturating_sub(i64::try_from(passed.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use pas_types::alert::AlertType;
    use pas_types::id::AlertId;
    use proptest::prelude::*;

    use super::*;

    const PERIOD: Duration = Duration::from_secs(1);
    const RULES: Rules =
        Rules { period: PERIOD, silent_after: Duration::from_secs(15), clock_jump: Duration::from_secs(5) };

    fn at(monotonic_ms: u64, wall_ms: i64) -> Now {
        Now {
            monotonic: Duration::from_millis(monotonic_ms),
            wall: WireTime::from_millis(wall_ms).timestamp(),
        }
    }

    fn steady(ms: u64) -> Now {
        at(ms, 1_000_000 + ms as i64)
    }

    fn tick(watchdog: &mut Watchdog, now: Now) -> Vec<AlertType> {
        let mut ids = || AlertId(uuid_of(7));
        watchdog.tick(now, &mut ids).into_iter().map(|raised| raised.alert.alert_type).collect()
    }

    fn uuid_of(n: u128) -> uuid::Uuid {
        uuid::Uuid::from_u128(n)
    }

    #[test]
    fn silence_is_said_once_and_its_end_once() {
        let mut watchdog = Watchdog::new(RULES, steady(0), false);
        let mut said = Vec::new();
        for second in 1..=60 {
            if second == 40 {
                watchdog.heard(steady(second * 1000));
            }
            said.extend(tick(&mut watchdog, steady(second * 1000)).into_iter().map(|what| (second, what)));
        }
        let expected =
            [(15, AlertType::RegistrySilent), (40, AlertType::RegistryBack), (55, AlertType::RegistrySilent)];
        assert_eq!(said, expected);
    }

    #[test]
    fn a_silence_that_was_said_before_a_restart_is_not_said_again() {
        let mut watchdog = Watchdog::new(RULES, steady(0), true);
        for second in 1..=60 {
            assert_eq!(tick(&mut watchdog, steady(second * 1000)), []);
        }
        watchdog.heard(steady(60_500));
        assert_eq!(tick(&mut watchdog, steady(61_000)), [AlertType::RegistryBack]);
    }

    #[test]
    fn a_clock_that_is_set_is_said_with_the_size_of_the_jump() {
        let mut watchdog = Watchdog::new(RULES, at(0, 100_000), false);
        let mut ids = || AlertId(uuid_of(7));
        let raised = watchdog.tick(at(1000, 91_000), &mut ids);
        assert_eq!(
            raised,
            [Raised { alert: alerts::clock_jump(-10_000, at(1000, 91_000), ids()), source_seq: None }]
        );
        assert_eq!(tick(&mut watchdog, at(2000, 92_000)), []);
    }

    proptest! {
        #[test]
        fn a_registry_that_speaks_in_time_is_never_called_silent_however_the_ticks_fall(
            ticks in prop::collection::vec((1u64..120_000, any::<bool>()), 0..100),
        ) {
            // Whatever is between two ticks: the registry spoke every 5 s, but what it said before a late tick is
            // read after it.
            let mut watchdog = Watchdog::new(RULES, steady(0), false);
            let mut now = 0;
            for (gap, read_first) in ticks {
                now += gap;
                let latest_word = steady(now - now % 5000);
                if read_first {
                    watchdog.heard(latest_word);
                }
                prop_assert_eq!(tick(&mut watchdog, steady(now)), []);
                watchdog.heard(latest_word);
            }
        }

        #[test]
        fn each_silence_is_said_once_and_ends_once(
            steps in prop::collection::vec((1u64..30_000, prop::bool::weighted(0.1)), 1..200),
        ) {
            let mut watchdog = Watchdog::new(RULES, steady(0), false);
            let mut now = 0;
            let mut said = Vec::new();
            // How long the registry was silent while the monitor was awake: a late tick counts for one period.
            let mut awake_silence = Duration::ZERO;
            let mut expected = Vec::new();
            for (gap, speaks) in steps {
                now += gap;
                if speaks {
                    watchdog.heard(steady(now));
                    awake_silence = Duration::ZERO;
                    if expected.last() == Some(&AlertType::RegistrySilent) {
                        expected.push(AlertType::RegistryBack);
                    }
                } else {
                    let gap = Duration::from_millis(gap);
                    awake_silence += if gap > PERIOD + PERIOD / 2 { PERIOD } else { gap };
                    if awake_silence >= RULES.silent_after && expected.last() != Some(&AlertType::RegistrySilent) {
                        expected.push(AlertType::RegistrySilent);
                    }
                }
                said.extend(tick(&mut watchdog, steady(now)));
            }
            prop_assert_eq!(said, expected);
        }
    }
}
