//! A window that slides, in slots: what was taken in each of the last few parts of it.

use std::time::Duration;

/// Parts of a window. One slot more than that is counted, so that what is counted never covers less than the window.
const PARTS: u64 = 15;
const SLOTS: usize = PARTS as usize + 1;

/// What was taken, by the time at which it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Slots {
    /// The number of the newest slot, counted from the beginning of time.
    newest: u64,
    taken: [u64; SLOTS],
}

/// The number of the slot in which `at` lies.
fn slot(at: Duration, window: Duration) -> u64 {
    let part = window.as_nanos().max(1);
    u64::try_from(at.as_nanos() * u128::from(PARTS) / part).unwrap_or(u64::MAX)
}

/// When the slot of this number begins, rounded up.
fn begin(slot: u64, window: Duration) -> Duration {
    let nanos = (u128::from(slot) * window.as_nanos()).div_ceil(PARTS.into());
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

impl Slots {
    pub(super) const EMPTY: Self = Self { newest: 0, taken: [0; SLOTS] };

    /// How many of the numbers up to `newest` still count at `current`.
    fn counts(&self, number: u64, current: u64) -> bool {
        number <= self.newest && number + SLOTS as u64 > current.max(self.newest)
    }

    /// The numbers that are kept, oldest first.
    fn kept(&self) -> impl Iterator<Item = u64> + use<> {
        let newest = self.newest;
        newest.saturating_sub(SLOTS as u64 - 1)..=newest
    }

    fn at(number: u64) -> usize {
        (number % SLOTS as u64) as usize
    }

    /// What counts now.
    pub(super) fn taken(&self, now: Duration, window: Duration) -> u64 {
        let current = slot(now, window);
        let counting = self.kept().filter(|number| self.counts(*number, current));
        counting.fold(0, |sum: u64, number| sum.saturating_add(self.taken[Self::at(number)]))
    }

    /// How long until `amount` more would stay within `most`; none if it never would.
    pub(super) fn wait(&self, now: Duration, window: Duration, most: u64, amount: u64) -> Option<Duration> {
        let room = most.checked_sub(amount)?;
        let mut taken = self.taken(now, window);
        if taken <= room {
            return Some(Duration::ZERO);
        }
        let current = slot(now, window);
        for number in self.kept().filter(|number| self.counts(*number, current)) {
            taken = taken.saturating_sub(self.taken[Self::at(number)]);
            if taken <= room {
                let over = begin(number + SLOTS as u64, window);
                return Some(over.saturating_sub(now).max(Duration::from_nanos(1)));
            }
        }
        Some(window)
    }

    /// Takes so much, whether or not there is room.
    pub(super) fn add(&mut self, now: Duration, window: Duration, amount: u64) {
        let current = slot(now, window);
        if current > self.newest {
            let passed = current - self.newest;
            for number in (current - passed.min(SLOTS as u64) + 1)..=current {
                self.taken[Self::at(number)] = 0;
            }
            self.newest = current;
        }
        // A clock that seems to go back has not: two workers read it at the same time.
        let place = &mut self.taken[Self::at(self.newest)];
        *place = place.saturating_add(amount);
    }

    /// What was taken at `at` was not used. What counts no more needs no giving back.
    pub(super) fn give_back(&mut self, now: Duration, window: Duration, at: Duration, amount: u64) {
        let (number, current) = (slot(at, window), slot(now, window));
        if self.counts(number, current) {
            let place = &mut self.taken[Self::at(number)];
            *place = place.saturating_sub(amount);
        }
    }
}
