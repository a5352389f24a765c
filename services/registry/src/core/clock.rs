//! The liveness clock: monotonic time, less the time that the registry itself stood still. Deadlines are told by it,
//! so that a stall ages nobody, whatever the number of services.

use std::time::Duration;

/// Tells the time that deadlines are made of.
#[derive(Debug)]
pub(crate) struct Clock {
    period: Duration,
    due: Option<Duration>,
    stalled: Duration,
}

impl Clock {
    /// The clock of a registry that means to sweep once a `period`.
    pub(crate) fn new(period: Duration) -> Self {
        Self { period, due: None, stalled: Duration::ZERO }
    }

    /// The time on this clock.
    pub(crate) fn read(&self, monotonic: Duration) -> Duration {
        monotonic.saturating_sub(self.stalled + self.gap(monotonic).unwrap_or_default())
    }

    /// When the sweep is overdue by more than half its period, the registry stood still for as long.
    fn gap(&self, monotonic: Duration) -> Option<Duration> {
        let gap = monotonic.saturating_sub(self.due?);
        (gap > self.period / 2).then_some(gap)
    }

    /// Whether the registry stood still until now, and for how long. Answered once for each time.
    pub(crate) fn notice_stall(&mut self, monotonic: Duration) -> Option<Duration> {
        let gap = self.gap(monotonic)?;
        self.stalled += gap;
        self.due = Some(monotonic);
        Some(gap)
    }

    /// A sweep is made now; the next one is due a period later.
    pub(crate) fn swept(&mut self, monotonic: Duration) {
        self.due = Some(monotonic + self.period);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_sweep_late_by_half_its_period_is_no_stall() {
        let mut clock = Clock::new(ms(500));
        clock.swept(ms(1_000));
        assert_eq!((clock.notice_stall(ms(1_750)), clock.read(ms(1_750))), (None, ms(1_750)));
    }

    #[test]
    fn a_stall_is_taken_off_the_clock_once() {
        let mut clock = Clock::new(ms(500));
        clock.swept(ms(1_000));
        assert_eq!(clock.read(ms(9_500)), ms(1_500));
        assert_eq!((clock.notice_stall(ms(9_500)), clock.read(ms(9_500))), (Some(ms(8_000)), ms(1_500)));
        assert_eq!((clock.notice_stall(ms(9_600)), clock.read(ms(9_600))), (None, ms(1_600)));
    }

    #[test]
    fn before_the_first_sweep_nothing_is_late() {
        assert_eq!(Clock::new(ms(500)).notice_stall(ms(60_000)), None);
    }
}
