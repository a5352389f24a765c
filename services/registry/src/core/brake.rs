//! The eviction brake. When many services fall silent at once, the fault is more likely in between than in them, so
//! they leave the list slowly, and somebody is told. It holds back evictions only: what is down is marked down at once.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use pas_types::id::ServiceId;

use super::Tuning;
use super::row::spread;

/// What the brake does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Off,
    /// Holds services back, since then.
    On(Duration),
    /// Somebody opened it: what it holds goes in the next sweep.
    Released,
}

/// Why the brake changed its state by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BrakeEvent {
    /// It holds services back.
    On {
        /// How many.
        held: usize,
    },
    /// It holds nobody back any more.
    Off {
        /// It was on for so long that it let everyone go.
        opened: bool,
    },
}

/// The brake as it was, to undo a release.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark(State);

#[derive(Debug)]
pub(crate) struct Brake {
    state: State,
    /// Services that missed their third beat and are still on the list.
    held: BTreeSet<ServiceId>,
    /// When how many were evicted, within the window.
    evicted: VecDeque<(Duration, usize)>,
}

impl Brake {
    pub(crate) fn new() -> Self {
        Self { state: State::Off, held: BTreeSet::new(), evicted: VecDeque::new() }
    }

    /// This service is to be evicted when the brake lets it.
    pub(crate) fn hold(&mut self, id: ServiceId) {
        self.held.insert(id);
    }

    /// This service is not to be evicted.
    pub(crate) fn let_stay(&mut self, id: ServiceId) {
        self.held.remove(&id);
    }

    pub(crate) fn is_on(&self) -> bool {
        matches!(self.state, State::On(_))
    }

    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark(self.state)
    }

    pub(crate) fn release(&mut self) {
        self.state = State::Released;
    }

    pub(crate) fn undo_release(&mut self, mark: Mark) {
        self.state = mark.0;
    }

    /// Who of the held may be evicted at `now`, out of `rows` services, in an order that `seed` decides; and what the
    /// brake does from now on.
    pub(crate) fn admit(
        &mut self,
        now: Duration,
        rows: usize,
        seed: u64,
        tuning: &Tuning,
    ) -> (Vec<ServiceId>, Option<BrakeEvent>) {
        let opened =
            matches!(self.state, State::On(since) if now.saturating_sub(since) >= tuning.brake_opens_after);
        if opened || self.state == State::Released {
            self.evicted.clear();
            let all = std::mem::take(&mut self.held).into_iter().collect();
            let event = (self.state != State::Released).then_some(BrakeEvent::Off { opened: true });
            self.state = State::Off;
            return (all, event);
        }
        let admitted = self.admit_within_window(now, rows, seed, tuning);
        let event = match (self.state, self.held.len()) {
            (State::Off, held) if held > 0 => {
                self.state = State::On(now);
                Some(BrakeEvent::On { held })
            }
            (State::On(_), 0) => {
                self.state = State::Off;
                Some(BrakeEvent::Off { opened: false })
            }
            _ => None,
        };
        (admitted, event)
    }

    fn admit_within_window(
        &mut self,
        now: Duration,
        rows: usize,
        seed: u64,
        tuning: &Tuning,
    ) -> Vec<ServiceId> {
        if self.held.is_empty() {
            return Vec::new();
        }
        while self.evicted.front().is_some_and(|(at, _)| now.saturating_sub(*at) >= tuning.brake_window) {
            self.evicted.pop_front();
        }
        let evicted: usize = self.evicted.iter().map(|(_, count)| count).sum();
        let allowance = ((rows + evicted) * tuning.brake_percent / 100).max(1).saturating_sub(evicted);
        if allowance == 0 {
            return Vec::new();
        }
        let mut order: Vec<ServiceId> = self.held.iter().copied().collect();
        order.sort_by_cached_key(|id| spread(*id, seed));
        order.truncate(allowance);
        for id in &order {
            self.held.remove(id);
        }
        self.evicted.push_back((now, order.len()));
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::tests::{id, seconds};

    fn held(count: u64) -> Brake {
        let mut brake = Brake::new();
        (0..count).for_each(|n| brake.hold(id(n)));
        brake
    }

    #[test]
    fn a_share_goes_in_each_window_and_the_rest_waits() {
        let mut brake = held(40);
        let tuning = Tuning::default();
        let mut admit = |second: u64, rows: usize| {
            let (ids, event) = brake.admit(seconds(second), rows, second, &tuning);
            (ids.len(), event)
        };
        assert_eq!(admit(0, 100), (15, Some(BrakeEvent::On { held: 25 })));
        assert_eq!(admit(9, 85), (0, None));
        assert_eq!(admit(10, 85), (12, None));
        assert_eq!(admit(20, 73), (10, None));
        assert_eq!(admit(30, 63), (3, Some(BrakeEvent::Off { opened: false })));
    }

    #[test]
    fn one_may_always_go() {
        let (ids, event) = held(1).admit(seconds(0), 1, 0, &Tuning::default());
        assert_eq!((ids, event), (vec![id(0)], None));
    }

    #[test]
    fn the_order_is_the_seeds() {
        let admit = |seed| held(40).admit(seconds(0), 40, seed, &Tuning::default()).0;
        assert_eq!(admit(1), admit(1));
        assert_ne!(admit(1), admit(2));
    }

    #[test]
    fn it_opens_itself_when_it_was_on_for_long() {
        let mut brake = held(5_000);
        let tuning = Tuning { brake_percent: 1, ..Tuning::default() };
        brake.admit(seconds(0), 100, 0, &tuning);
        let (ids, event) = brake.admit(seconds(600), 100, 0, &tuning);
        assert_eq!((ids.len(), event), (4_999, Some(BrakeEvent::Off { opened: true })));
    }

    #[test]
    fn a_release_lets_everyone_go_in_the_next_sweep() {
        let mut brake = held(10);
        brake.admit(seconds(0), 10, 0, &Tuning::default());
        brake.release();
        let (ids, event) = brake.admit(seconds(1), 9, 0, &Tuning::default());
        assert_eq!((ids.len(), event, brake.is_on()), (9, None, false));
    }
}
