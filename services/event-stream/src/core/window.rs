//! The frames that a subscriber owes an acknowledgement for.

use std::collections::BTreeSet;
use std::time::Duration;

/// How long, and how much, may be owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Frames at the most.
    pub frames: usize,
    /// Time without any acknowledgement.
    pub patience: Duration,
}

/// What one subscriber owes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    rules: Rules,
    owed: BTreeSet<u64>,
    next: u64,
    /// When it last acknowledged, or began to owe.
    heard: Duration,
}

impl Window {
    /// Of a subscriber that owes nothing yet.
    pub fn new(rules: Rules) -> Self {
        Self { rules, owed: BTreeSet::new(), next: 1, heard: Duration::ZERO }
    }

    /// Whether another frame may be sent.
    pub fn is_open(&self) -> bool {
        self.owed.len() < self.rules.frames
    }

    /// A frame is sent at `now`; answers its number.
    pub fn send(&mut self, now: Duration) -> u64 {
        if self.owed.is_empty() {
            self.heard = now;
        }
        let number = self.next;
        self.next += 1;
        self.owed.insert(number);
        number
    }

    /// A frame was acknowledged at `now`. One that isn't owed is nothing that was heard.
    pub fn acknowledge(&mut self, number: u64, now: Duration) {
        if self.owed.remove(&number) {
            self.heard = now;
        }
    }

    /// When it is to be cut off, unless something is heard of it before.
    pub fn deadline(&self) -> Option<Duration> {
        (!self.owed.is_empty()).then(|| self.heard + self.rules.patience)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: Rules = Rules { frames: 3, patience: Duration::from_secs(10) };

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Send,
        Acknowledge(u64),
        Wait(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            Just(Step::Send),
            (0..20_u64).prop_map(Step::Acknowledge),
            (0..12_u64).prop_map(Step::Wait)
        ]
    }

    proptest! {
        #[test]
        fn who_owes_is_cut_off_ten_seconds_after_it_was_last_heard_of(
            steps in prop::collection::vec(step(), 0..60),
        ) {
            let mut window = Window::new(RULES);
            let (mut now, mut owed, mut heard) = (Duration::ZERO, Vec::new(), Duration::ZERO);
            for step in steps {
                match step {
                    Step::Send if window.is_open() => {
                        heard = if owed.is_empty() { now } else { heard };
                        owed.push(window.send(now));
                    }
                    Step::Acknowledge(number) => {
                        if let Some(place) = owed.iter().position(|it| *it == number) {
                            owed.remove(place);
                            heard = now;
                        }
                        window.acknowledge(number, now);
                    }
                    Step::Wait(seconds) => now += Duration::from_secs(seconds),
                    Step::Send => {}
                }
                prop_assert_eq!(window.is_open(), owed.len() < 3);
                let deadline = (!owed.is_empty()).then(|| heard + Duration::from_secs(10));
                prop_assert_eq!(window.deadline(), deadline);
            }
        }
    }
}
