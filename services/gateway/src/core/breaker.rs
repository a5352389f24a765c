//! Whether a candidate may be called: its breaker, its cool-down, its credential. One of these per (service, model).
//!
//! The breaker opens at so many failures in a row, or when half of what was called lately failed. Open, it lets nothing
//! through for a while that doubles each time; then one call at a time may try. What closes soon opens longer the next
//! time. Who fails while it is open says nothing new, and who left says nothing at all.

use std::time::Duration;

use super::window::Window;

/// When it opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Failures in a row that open it.
    pub in_a_row: u32,
    /// Calls within the window before their share counts.
    pub enough: u32,
    /// How long it is open at first, and at the most.
    pub open: (Duration, Duration),
    /// Closed for less than this, it has not recovered: it opens for twice as long as before.
    pub hold_down: Duration,
    /// How long a candidate rests whose credential is out before one call looks again.
    pub credential: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            in_a_row: 5,
            enough: 20,
            open: (seconds(1), seconds(30)),
            hold_down: seconds(30),
            credential: seconds(60),
        }
    }
}

/// Why a candidate may not be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Its breaker is open until then.
    Open(Duration),
    /// Its breaker is half open, and somebody is trying.
    Probing,
    /// It said that it has had too much until then.
    CoolDown(Duration),
    /// Its credential is out; looked at again then.
    Credential(Out, Duration),
}

/// Why a credential is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Out {
    /// It is not taken.
    Refused,
    /// Nothing is left to be spent by it.
    Spent,
}

/// What a call has found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// Nothing about the candidate.
    Nobody,
    /// It works.
    Success,
    /// It failed.
    Failure,
    /// It has had too much, for as long as that if it is known.
    Busy(Option<Duration>),
    /// Its credential is out.
    Credential(Out),
}

/// What a call that begins must hand back when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a probe that is never ended keeps everybody else out"]
pub struct Pass {
    probe: bool,
}

impl Pass {
    /// Whether all others wait for what it finds out.
    pub fn is_probe(self) -> bool {
        self.probe
    }
}

/// What came of a call for the breaker, where somebody should hear of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// It opened, for so long.
    Opened(Duration),
    /// It closed.
    Closed,
    /// The credential is out.
    CredentialOut(Out),
}

/// One candidate.
#[derive(Debug, Clone)]
pub struct Breaker {
    in_a_row: u32,
    window: Window,
    state: State,
    /// How long it was open the last time, and when it closed.
    last_open: Option<(Duration, Duration)>,
    cool_until: Duration,
    credential_out: Option<(Out, Duration)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: Duration, lasting: Duration },
    Probing { lasting: Duration },
}

/// How long a candidate rests that says only that it has had too much.
const BUSY: Duration = Duration::from_secs(5);
/// The longest rest that is believed.
const LONGEST_BUSY: Duration = Duration::from_secs(3600);

impl Default for Breaker {
    fn default() -> Self {
        Self {
            in_a_row: 0,
            window: Window::default(),
            state: State::Closed,
            last_open: None,
            cool_until: Duration::ZERO,
            credential_out: None,
        }
    }
}

impl Breaker {
    /// Why it may not be called at `now`; none if it may.
    pub fn held(&self, now: Duration) -> Option<Held> {
        if let Some((out, until)) = self.credential_out.filter(|(_, until)| now < *until) {
            return Some(Held::Credential(out, until));
        }
        match self.state {
            _ if now < self.cool_until => Some(Held::CoolDown(self.cool_until)),
            State::Open { until, .. } if now < until => Some(Held::Open(until)),
            State::Probing { .. } => Some(Held::Probing),
            State::Open { .. } | State::Closed => None,
        }
    }

    /// A call begins, unless somebody else has begun to try meanwhile, or it has opened; `anyway`, also while it is open.
    pub fn begin(&mut self, now: Duration, anyway: bool) -> Option<Pass> {
        match self.state {
            State::Closed => Some(Pass { probe: false }),
            State::Open { until, lasting } if anyway || now >= until => {
                self.state = State::Probing { lasting };
                Some(Pass { probe: true })
            }
            State::Open { .. } | State::Probing { .. } => None,
        }
    }

    /// A call has ended.
    pub fn end(&mut self, pass: Pass, blame: Blame, rules: &Rules, now: Duration) -> Option<News> {
        match blame {
            Blame::Nobody => {
                if let (true, State::Probing { lasting }) = (pass.probe, self.state) {
                    // It has not been found out; the next one may try at once.
                    self.state = State::Open { until: now, lasting };
                }
                None
            }
            Blame::Success => self.succeeded(pass, now),
            Blame::Failure => self.failed(pass, rules, now),
            Blame::Busy(lasting) => {
                // It answers, which is all that the breaker asks.
                let news = self.succeeded(pass, now);
                let lasting = lasting.unwrap_or(BUSY).min(LONGEST_BUSY);
                self.cool_until = self.cool_until.max(now + lasting);
                news
            }
            Blame::Credential(out) => {
                let was_out = self.credential_out.is_some_and(|(_, until)| now < until);
                let news = self.succeeded(pass, now);
                self.credential_out = Some((out, now + rules.credential));
                if was_out { news } else { Some(News::CredentialOut(out)) }
            }
        }
    }

    fn succeeded(&mut self, pass: Pass, now: Duration) -> Option<News> {
        self.in_a_row = 0;
        match self.state {
            State::Probing { lasting } if pass.probe => {
                self.state = State::Closed;
                self.window = Window::default();
                self.last_open = Some((lasting, now));
                Some(News::Closed)
            }
            State::Closed => {
                self.window.count(now, false);
                None
            }
            // It began before the breaker opened.
            State::Open { .. } | State::Probing { .. } => None,
        }
    }

    fn failed(&mut self, pass: Pass, rules: &Rules, now: Duration) -> Option<News> {
        let (first, longest) = rules.open;
        let lasting = match self.state {
            State::Probing { lasting } if pass.probe => (lasting * 2).min(longest),
            State::Open { .. } | State::Probing { .. } => return None,
            State::Closed => {
                self.in_a_row += 1;
                self.window.count(now, true);
                let (failed, all) = self.window.counts(now);
                let too_many = self.in_a_row >= rules.in_a_row || (all >= rules.enough && failed * 2 >= all);
                if !too_many {
                    return None;
                }
                match self.last_open {
                    Some((lasting, closed)) if now.saturating_sub(closed) < rules.hold_down => {
                        (lasting * 2).min(longest)
                    }
                    _ => first,
                }
            }
        };
        self.in_a_row = 0;
        self.state = State::Open { until: now + lasting, lasting };
        Some(News::Opened(lasting))
    }

    /// Its registration has changed: what was wrong with its credential may be mended.
    pub fn registered_anew(&mut self) {
        self.credential_out = None;
        self.cool_until = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Begin,
        End(usize, Blame),
        Wait(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let blame = prop_oneof![
            2 => Just(Blame::Nobody),
            2 => Just(Blame::Success),
            5 => Just(Blame::Failure),
            1 => Just(Blame::Busy(Some(MS(700)))),
            1 => prop_oneof![Just(Out::Refused), Just(Out::Spent)].prop_map(Blame::Credential),
        ];
        prop_oneof![
            3 => Just(Step::Begin),
            3 => (0..4_usize, blame).prop_map(|(which, blame)| Step::End(which, blame)),
            1 => (0..3_000_u64).prop_map(Step::Wait),
        ]
    }

    proptest! {
        #[test]
        fn one_probe_at_a_time_and_never_shut_for_longer_than_it_may(steps in prop::collection::vec(step(), 0..200)) {
            let rules = Rules::default();
            let (mut breaker, mut now, mut open) = (Breaker::default(), Duration::ZERO, Vec::new());
            for step in steps {
                match step {
                    Step::Begin if breaker.held(now).is_none() => open.extend(breaker.begin(now, false)),
                    Step::End(which, blame) if which < open.len() => {
                        let pass = open.swap_remove(which);
                        breaker.end(pass, blame, &rules, now);
                    }
                    Step::Wait(ms) => now += MS(ms),
                    Step::Begin | Step::End(..) => {}
                }
                prop_assert!(open.iter().filter(|pass| pass.probe).count() <= 1);
                match breaker.held(now) {
                    Some(Held::Open(until)) => prop_assert!(until <= now + rules.open.1),
                    Some(Held::Probing) => prop_assert!(open.iter().any(|pass| pass.probe)),
                    Some(Held::Credential(_, until)) => prop_assert!(until <= now + rules.credential),
                    Some(Held::CoolDown(until)) => prop_assert!(until <= now + LONGEST_BUSY),
                    None => {}
                }
            }
        }

        #[test]
        fn whoever_leaves_never_opens_it(blames in prop::collection::vec(prop::bool::ANY, 0..300)) {
            let (mut breaker, rules) = (Breaker::default(), Rules::default());
            for (ms, succeeds) in (0..).zip(blames) {
                let pass = breaker.begin(MS(ms), false).unwrap();
                let blame = if succeeds { Blame::Success } else { Blame::Nobody };
                prop_assert_eq!(breaker.end(pass, blame, &rules, MS(ms)), None);
                prop_assert_eq!(breaker.held(MS(ms)), None);
            }
        }
    }

    fn fail(breaker: &mut Breaker, times: usize, now: Duration) -> Option<News> {
        (0..times)
            .filter_map(|_| {
                let pass = breaker.begin(now, false).unwrap();
                breaker.end(pass, Blame::Failure, &Rules::default(), now)
            })
            .last()
    }

    #[test]
    fn five_failures_in_a_row_open_it_and_each_failed_probe_doubles_the_time() {
        let mut breaker = Breaker::default();
        assert_eq!(fail(&mut breaker, 4, MS(0)), None);
        assert_eq!(fail(&mut breaker, 1, MS(0)), Some(News::Opened(MS(1_000))));
        assert_eq!(breaker.held(MS(999)), Some(Held::Open(MS(1_000))));
        let mut now = MS(1_000);
        for lasting in [2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
            assert_eq!(breaker.held(now), None);
            assert_eq!(fail(&mut breaker, 1, now), Some(News::Opened(MS(lasting))));
            now += MS(lasting);
        }
    }

    #[test]
    fn half_of_twenty_within_ten_seconds_open_it() {
        let (mut breaker, rules) = (Breaker::default(), Rules::default());
        let mut news = None;
        for call in 0..20_u64 {
            let pass = breaker.begin(MS(call * 400), false).unwrap();
            let blame = if call % 2 == 0 { Blame::Success } else { Blame::Failure };
            news = breaker.end(pass, blame, &rules, MS(call * 400));
            assert_eq!(news.is_some(), call == 19, "{call}");
        }
        assert_eq!(news, Some(News::Opened(MS(1_000))));
    }

    #[test]
    fn a_probe_that_succeeds_closes_it_and_soon_after_it_opens_for_longer() {
        let (mut breaker, rules) = (Breaker::default(), Rules::default());
        fail(&mut breaker, 5, MS(0));
        let probe = breaker.begin(MS(1_500), false).unwrap();
        assert_eq!(breaker.held(MS(1_500)), Some(Held::Probing));
        // Whoever planned before that comes too late.
        assert_eq!(breaker.begin(MS(1_500), false), None);
        assert_eq!(breaker.end(probe, Blame::Success, &rules, MS(1_500)), Some(News::Closed));
        assert_eq!(fail(&mut breaker, 5, MS(2_000)), Some(News::Opened(MS(2_000))));
        let mut calm = Breaker::default();
        fail(&mut calm, 5, MS(0));
        assert_eq!(calm.begin(MS(999), false), None);
        let probe = calm.begin(MS(999), true).unwrap();
        calm.end(probe, Blame::Success, &rules, MS(1_500));
        assert_eq!(fail(&mut calm, 5, MS(40_000)), Some(News::Opened(MS(1_000))));
    }

    #[test]
    fn a_credential_that_is_out_is_told_once_and_looked_at_again_when_registered_anew() {
        let (mut breaker, rules) = (Breaker::default(), Rules::default());
        for (ms, out, news) in
            [(0, Out::Refused, Some(News::CredentialOut(Out::Refused))), (10, Out::Spent, None)]
        {
            let pass = breaker.begin(MS(ms), false).unwrap();
            assert_eq!(breaker.end(pass, Blame::Credential(out), &rules, MS(ms)), news);
        }
        assert_eq!(breaker.held(MS(20)), Some(Held::Credential(Out::Spent, MS(60_010))));
        breaker.registered_anew();
        assert_eq!(breaker.held(MS(20)), None);
    }

    #[test]
    fn who_is_busy_rests_as_long_as_it_says_and_its_breaker_stays_shut() {
        let (mut breaker, rules) = (Breaker::default(), Rules::default());
        for _ in 0..10 {
            let pass = breaker.begin(MS(0), false).unwrap();
            breaker.end(pass, Blame::Busy(Some(MS(3_000))), &rules, MS(0));
        }
        assert_eq!(breaker.held(MS(2_999)), Some(Held::CoolDown(MS(3_000))));
        assert_eq!(breaker.held(MS(3_000)), None);
    }
}
