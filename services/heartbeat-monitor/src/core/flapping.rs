//! A service that changes its status too often is flapping. That is said once, and again only after it was calm.

use std::collections::VecDeque;
use std::time::Duration;

/// How many changes within which time are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// So many changes of status …
    pub changes: usize,
    /// … within this time.
    pub window: Duration,
}

/// The recent changes of one service's status.
///
/// They are counted by the times that the registry gave them, not by when they arrived: what piled up while the
/// monitor was away did not happen all at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flapping {
    /// When the status changed, oldest first, in milliseconds since 1970.
    pub changes: VecDeque<i64>,
    /// Whether it was said already.
    pub said: bool,
}

impl Flapping {
    /// The status changed at `at`. Whether this is the change with which flapping begins.
    pub fn change(&mut self, at: i64, rules: &Rules) -> bool {
        let window = i64::try_from(rules.window.as_millis()).unwrap_or(i64::MAX);
        let last = self.changes.back().copied().unwrap_or(at);
        // A clock that was set back must not make a change look older than the one before it.
        let at = at.max(last);
        if at.saturating_sub(last) >= window {
            *self = Self::default();
        }
        self.changes.push_back(at);
        while self.changes.len() > rules.changes
            || self.changes.front().is_some_and(|first| at.saturating_sub(*first) >= window)
        {
            self.changes.pop_front();
        }
        let begins = !self.said && self.changes.len() >= rules.changes;
        self.said |= begins;
        begins
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: Rules = Rules { changes: 6, window: Duration::from_secs(600) };
    const WINDOW: i64 = 600_000;

    fn said_at(times: &[i64]) -> Vec<i64> {
        let mut flapping = Flapping::default();
        times.iter().copied().filter(|at| flapping.change(*at, &RULES)).collect()
    }

    #[test]
    fn the_sixth_change_within_the_window_is_said_and_the_seventh_is_not() {
        assert_eq!(said_at(&[0, 1, 2, 3, 4, 5, 6, 7]), [5]);
    }

    #[test]
    fn changes_that_are_spread_wider_than_the_window_are_no_flapping() {
        assert_eq!(said_at(&[0, 120_000, 240_000, 360_000, 480_000, 600_000, 720_000]), [] as [i64; 0]);
    }

    #[test]
    fn after_a_calm_window_flapping_is_said_again() {
        let again = 5 + WINDOW;
        let times = [0, 1, 2, 3, 4, 5, again, again + 1, again + 2, again + 3, again + 4, again + 5];
        assert_eq!(said_at(&times), [5, again + 5]);
    }

    #[test]
    fn a_clock_that_goes_back_neither_hides_nor_repeats_flapping() {
        assert_eq!(said_at(&[1_000_000, 0, 1, 2, 3, 4, 5, 6]), [4]);
    }

    proptest! {
        #[test]
        fn flapping_is_said_once_for_each_calm(gaps in prop::collection::vec(0..WINDOW * 3 / 2, 0..80)) {
            let mut at = 0;
            let times: Vec<i64> = gaps.iter().map(|gap| { at += gap; at }).collect();
            // The plain definition: stretches of changes without a calm window between them, and in each the first
            // change that is the last of six within a window.
            let mut expected = Vec::new();
            let mut stretch: Vec<i64> = Vec::new();
            let mut said = false;
            for at in &times {
                if stretch.last().is_some_and(|last| at - last >= WINDOW) {
                    stretch.clear();
                    said = false;
                }
                stretch.push(*at);
                let recent = stretch.iter().filter(|change| at - **change < WINDOW).count();
                if !said && recent >= RULES.changes {
                    said = true;
                    expected.push(*at);
                }
            }
            prop_assert_eq!(said_at(&times), expected);
        }

        #[test]
        fn only_so_many_changes_are_kept_as_are_needed(times in prop::collection::vec(any::<i64>(), 0..50)) {
            let mut flapping = Flapping::default();
            for at in times {
                flapping.change(at, &RULES);
                prop_assert!(flapping.changes.len() <= RULES.changes);
            }
        }
    }
}
