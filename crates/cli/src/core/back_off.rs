//! How long to wait before what died is started again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);
/// Who has lived this long has recovered: its next death counts as a first one.
const RECOVERED: Duration = Duration::from_secs(60);

/// The deaths of one service since it last recovered.
#[derive(Debug, Default)]
pub(crate) struct BackOff {
    deaths: u32,
}

impl BackOff {
    /// The wait after a death of what has `lived` so long: doubled at each death, at most thirty seconds, of
    /// which `jitter` (0 to 1) takes away up to a half, so that what died together does not start together.
    pub(crate) fn after_death(&mut self, lived: Duration, jitter: f64) -> Duration {
        if lived >= RECOVERED {
            self.deaths = 0;
        }
        let longest = FIRST.saturating_mul(2_u32.saturating_pow(self.deaths)).min(LONGEST);
        self.deaths = self.deaths.saturating_add(1);
        longest.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0)
    }

    /// How often it died since it last recovered.
    pub(crate) fn deaths(&self) -> u32 {
        self.deaths
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_wait_doubles_from_a_tenth_of_a_second_to_thirty_seconds() {
        let mut back_off = BackOff::default();
        let waits: Vec<u128> =
            (0..11).map(|_| back_off.after_death(Duration::ZERO, 0.0).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
    }

    #[test]
    fn a_minute_of_life_makes_the_next_death_a_first_one() {
        let mut back_off = BackOff::default();
        for _ in 0..5 {
            back_off.after_death(Duration::from_secs(59), 0.0);
        }
        assert_eq!(back_off.after_death(Duration::from_secs(60), 0.0), FIRST);
        assert_eq!(back_off.deaths(), 1);
    }

    proptest! {
        #[test]
        fn a_wait_is_never_longer_than_thirty_seconds_nor_shorter_than_half_of_the_first(
            lives in prop::collection::vec((0_u64..120, 0.0_f64..=1.0), 1..200),
        ) {
            let mut back_off = BackOff::default();
            for (lived, jitter) in lives {
                let wait = back_off.after_death(Duration::from_secs(lived), jitter);
                prop_assert!((FIRST / 2..=LONGEST).contains(&wait), "{wait:?}");
            }
        }
    }
}
