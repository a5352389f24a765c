//! Ids of calls: the time at which a call came in, made unlike any other. Told the time; whoever is told it by several
//! threads at once still gives each id once.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use pas_types::id::CallId;
use pas_types::time::{Now, WireTime};

const PREFIX: &str = "gw-";
const MICROS_PER_S: u64 = 1_000_000;
/// `2025-11-06-10-30-00`.
const SECOND_BYTES: usize = 19;
/// `-123456`.
const MICROS_BYTES: usize = 7;

/// Gives ids that only grow, whatever the time of day does.
#[derive(Debug)]
pub struct CallIds {
    /// What each ends with, its `-` included; empty where one gateway runs.
    suffix: String,
    /// Microseconds since 1970 of the last id.
    last: AtomicU64,
}

impl CallIds {
    /// Ids that end with `-<instance>`, if it is not empty, and come after `last`.
    pub fn new(instance: &str, last: u64) -> Self {
        let suffix = if instance.is_empty() { String::new() } else { format!("-{instance}") };
        Self { suffix, last: AtomicU64::new(last) }
    }

    /// The id of a call that comes in now. Should another have the same microsecond, or should the time of day have gone
    /// back, it is the next microsecond that is free.
    pub fn next(&self, now: Now) -> CallId {
        let now = u64::try_from(now.wall.as_microsecond()).unwrap_or(0);
        let next = |last: u64| now.max(last + 1);
        // The value is never refused, so there is always one.
        let last = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
        self.spell(next(last.unwrap_or_else(|last| last)))
    }

    /// What the next id will come after.
    pub fn last(&self) -> u64 {
        self.last.load(Ordering::Relaxed)
    }

    fn spell(&self, micros: u64) -> CallId {
        let seconds = micros / MICROS_PER_S;
        let millis = i64::try_from(seconds * 1_000).unwrap_or(i64::MAX);
        // The time is spelled with its milliseconds, of which nothing stays.
        let mut id = String::with_capacity(PREFIX.len() + 32 + MICROS_BYTES + self.suffix.len());
        let _always = write!(id, "{PREFIX}{}", WireTime::from_millis(millis));
        id.truncate(PREFIX.len() + SECOND_BYTES);
        for place in [10, 13, 16] {
            let at = PREFIX.len() + place;
            id.replace_range(at..=at, "-");
        }
        id.push('-');
        let mut digits = [b'0'; MICROS_BYTES - 1];
        let mut rest = micros % MICROS_PER_S;
        for digit in digits.iter_mut().rev() {
            *digit += (rest % 10) as u8;
            rest /= 10;
        }
        id.push_str(str::from_utf8(&digits).unwrap_or_default());
        id.push_str(&self.suffix);
        // Digits, hyphens, and an instance that the settings have checked.
        CallId::try_from(id).unwrap_or_else(|_| unreachable!("an id of a call is one"))
    }
}

/// The microseconds since 1970 that an id tells; none, if no gateway gave it.
pub fn micros(id: &str) -> Option<u64> {
    let time = id.strip_prefix(PREFIX)?;
    let (second, rest) = time.split_at_checked(SECOND_BYTES)?;
    let (date, clock) = second.split_at_checked(10)?;
    let clock = clock.strip_prefix('-')?.replace('-', ":");
    let second: WireTime = format!("{date}T{clock}Z").parse().ok()?;
    let digits = rest.strip_prefix('-')?.get(..MICROS_BYTES - 1)?;
    let micros: u64 = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
    Some(u64::try_from(second.as_millis()).ok()? * 1_000 + micros)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    /// 9999-12-30, about where a calendar of four digits ends.
    const END: u64 = 253_402_200_000_000_000;

    fn at(micros: u64) -> Now {
        let wall = "1970-01-01T00:00:00Z".parse::<WireTime>().unwrap().timestamp();
        Now { monotonic: Duration::ZERO, wall: wall + Duration::from_micros(micros) }
    }

    #[test]
    fn an_id_is_the_time_in_words_that_can_become_a_file_name() {
        let now = at(1_762_425_000_123_456);
        assert_eq!(CallIds::new("", 0).next(now).as_str(), "gw-2025-11-06-10-30-00-123456");
        assert_eq!(CallIds::new("b2", 0).next(now).as_str(), "gw-2025-11-06-10-30-00-123456-b2");
    }

    proptest! {
        #[test]
        fn ids_only_grow_whatever_the_clock_does_and_differ_from_the_clock_no_more_than_they_must(
            times in proptest::collection::vec(0..END, 1..100), last in 0..END,
        ) {
            let ids = CallIds::new("", last);
            let mut expected = last;
            let mut before = String::new();
            for time in times {
                expected = time.max(expected + 1);
                let id = ids.next(at(time)).to_string();
                prop_assert_eq!(micros(&id), Some(expected));
                prop_assert!(id > before, "{} comes after {}", id, before);
                before = id;
            }
            prop_assert_eq!(ids.last(), expected);
        }

        #[test]
        fn calls_within_one_microsecond_have_ids_of_their_own(count in 1_usize..200, time in 0..END) {
            let ids = CallIds::new("x", 0);
            let all: BTreeSet<_> = (0..count).map(|_| ids.next(at(time))).collect();
            prop_assert_eq!(all.len(), count);
        }

        #[test]
        fn what_is_no_id_of_a_gateway_tells_no_time(text in "\\PC*") {
            prop_assume!(!text.starts_with(PREFIX));
            prop_assert_eq!(micros(&text), None);
        }
    }

    #[test]
    fn eight_threads_never_get_an_id_twice_and_each_sees_its_own_grow() {
        let ids = CallIds::new("", 0);
        let all: Vec<Vec<CallId>> = std::thread::scope(|scope| {
            // Some clocks run ahead of others, as the cores of a machine may.
            let threads: Vec<_> = (0..8)
                .map(|thread| {
                    scope.spawn({
                        let ids = &ids;
                        move || (0..2_000).map(|time| ids.next(at(time * 3 % 100 + thread * 7))).collect()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(all.iter().all(|own| own.is_sorted_by(|a, b| a < b)));
        let different: BTreeSet<_> = all.iter().flatten().collect();
        assert_eq!(different.len(), 16_000);
    }

    #[test]
    fn a_text_that_only_begins_like_an_id_tells_no_time() {
        for text in [
            "gw-",
            "gw-2025-11-06",
            "gw-2025-11-06-10-30-00",
            "gw-2025-11-06-10-30-00-12345",
            "gw-2025-13-06-10-30-00-123456",
            "gw-2025-11-06-10-30-00-12345x",
        ] {
            assert_eq!(micros(text), None, "{text}");
        }
    }
}
