//! What a service measures of its calls, for its beats: how long they take, how many wait, how busy it is.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock;

/// How far back latencies are looked at.
const WINDOW: Duration = Duration::from_secs(60);
/// Latencies that are kept, the newest.
const KEPT: usize = 1024;

/// What a beat says of a service's calls. What isn't known is left out.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measured {
    /// The latency of its calls of the last minute, 95th percentile.
    pub p95_ms: Option<f64>,
    /// Calls that wait.
    pub queue_depth: Option<u64>,
    /// How busy it was since it was last asked; 1 is all that it can do.
    pub load: Option<f64>,
}

/// The measures of one service. Clones share them.
///
/// A call waits from [`Measures::wait`], is worked on from [`Waiting::begin`], and ends when what that returned is dropped.
#[derive(Debug, Clone)]
pub struct Measures(Arc<Mutex<State>>);

impl Measures {
    /// Of a service that can work on so many calls at once.
    pub fn new(places: usize) -> Self {
        Self(Arc::new(Mutex::new(State::new(places, clock::monotonic()))))
    }

    /// A call has come.
    pub fn wait(&self) -> Waiting {
        self.state().waiting += 1;
        Waiting { measures: Some(self.clone()), since: clock::monotonic() }
    }

    /// What they are now.
    pub fn read(&self) -> Measured {
        self.state().read(clock::monotonic())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that waits. One that is dropped has gone, and counts for nothing.
#[derive(Debug)]
pub struct Waiting {
    measures: Option<Measures>,
    since: Duration,
}

impl Waiting {
    /// It is worked on from now.
    pub fn begin(mut self) -> Call {
        let measures = self.measures.take();
        if let Some(measures) = &measures {
            let mut state = measures.state();
            state.waiting -= 1;
            state.work(clock::monotonic(), 1);
        }
        Call { measures, since: Some(self.since) }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(measures) = &self.measures {
            measures.state().waiting -= 1;
        }
    }
}

/// A call that is worked on. It ends when this is dropped.
#[derive(Debug)]
pub struct Call {
    measures: Option<Measures>,
    /// Until its latency is known.
    since: Option<Duration>,
}

impl Call {
    /// Its answer begins, which is what counts as its latency where more comes by and by.
    pub fn answers(&mut self) {
        if let (Some(measures), Some(since)) = (&self.measures, self.since.take()) {
            let now = clock::monotonic();
            measures.state().took(now, now.saturating_sub(since));
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.answers();
        if let Some(measures) = &self.measures {
            measures.state().work(clock::monotonic(), -1);
        }
    }
}

#[derive(Debug)]
struct State {
    places: f64,
    waiting: u64,
    working: i64,
    /// Since when so many are worked on.
    changed: Duration,
    /// Seconds of work since the last reading, all places together.
    worked_s: f64,
    last_read: Duration,
    /// When calls ended, and how long they took; the oldest first.
    latencies: VecDeque<(Duration, Duration)>,
}

impl State {
    fn new(places: usize, now: Duration) -> Self {
        Self {
            places: places.max(1) as f64,
            waiting: 0,
            working: 0,
            changed: now,
            worked_s: 0.0,
            last_read: now,
            latencies: VecDeque::new(),
        }
    }

    fn work(&mut self, now: Duration, change: i64) {
        self.worked_s += self.working as f64 * now.saturating_sub(self.changed).as_secs_f64();
        self.changed = now;
        self.working += change;
    }

    fn took(&mut self, now: Duration, latency: Duration) {
        if self.latencies.len() == KEPT {
            self.latencies.pop_front();
        }
        self.latencies.push_back((now, latency));
    }

    fn read(&mut self, now: Duration) -> Measured {
        self.work(now, 0);
        let span_s = now.saturating_sub(self.last_read).as_secs_f64();
        let load = (span_s > 0.0).then(|| rounded(self.worked_s / span_s / self.places));
        (self.worked_s, self.last_read) = (0.0, now);
        let is_old = |(ended, _): &(Duration, Duration)| now.saturating_sub(*ended) > WINDOW;
        while self.latencies.front().is_some_and(is_old) {
            self.latencies.pop_front();
        }
        let mut latencies: Vec<Duration> = self.latencies.iter().map(|(_, latency)| *latency).collect();
        latencies.sort_unstable();
        let p95 = (latencies.len() * 95).div_ceil(100).checked_sub(1).and_then(|place| latencies.get(place));
        Measured {
            p95_ms: p95.map(|latency| rounded(latency.as_secs_f64() * 1_000.0)),
            queue_depth: Some(self.waiting),
            load,
        }
    }
}

/// To a thousandth; nobody needs more of it.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn load_is_the_work_of_the_time_since_it_was_last_read() {
        let mut state = State::new(2, ms(0));
        state.work(ms(0), 1);
        state.work(ms(500), 1);
        assert_eq!(state.read(ms(1_000)).load, Some(0.75));
        state.work(ms(1_500), -1);
        state.work(ms(1_500), -1);
        assert_eq!(state.read(ms(2_000)).load, Some(0.5));
        assert_eq!(state.read(ms(3_000)).load, Some(0.0));
        assert_eq!(state.read(ms(3_000)).load, None);
    }

    #[test]
    fn the_95th_percentile_is_that_of_the_last_minute() {
        let mut state = State::new(1, ms(0));
        assert_eq!(state.read(ms(1)).p95_ms, None);
        state.took(ms(10), ms(9_000));
        (1..=100).for_each(|latency| state.took(ms(60_000), ms(latency)));
        assert_eq!(state.read(ms(60_001)).p95_ms, Some(96.0));
        assert_eq!(state.read(ms(60_011)).p95_ms, Some(95.0));
        assert_eq!(state.read(ms(120_001)).p95_ms, None);
    }

    #[test]
    fn only_the_newest_latencies_are_kept() {
        let mut state = State::new(1, ms(0));
        (0..KEPT as u64).for_each(|_| state.took(ms(1), ms(50)));
        (0..KEPT as u64).for_each(|_| state.took(ms(1), ms(7)));
        assert_eq!((state.latencies.len(), state.read(ms(2)).p95_ms), (KEPT, Some(7.0)));
    }

    #[test]
    fn a_call_that_goes_while_it_waits_counts_for_nothing() {
        let measures = Measures::new(1);
        let (one, other) = (measures.wait(), measures.wait());
        assert_eq!(measures.read().queue_depth, Some(2));
        drop(one);
        let call = other.begin();
        let Measured { p95_ms, queue_depth, .. } = measures.read();
        assert_eq!((p95_ms, queue_depth), (None, Some(0)));
        drop(call);
        assert!(measures.read().p95_ms.is_some());
        assert_eq!(measures.state().working, 0);
    }

    #[test]
    fn a_call_whose_answer_has_begun_has_its_latency_and_is_still_worked_on() {
        let measures = Measures::new(1);
        let mut call = measures.wait().begin();
        call.answers();
        let seen = || {
            let state = measures.state();
            (state.latencies.len(), state.working)
        };
        assert_eq!(seen(), (1, 1));
        drop(call);
        assert_eq!(seen(), (1, 0));
    }
}
