//! What is a leak: what goes on growing after the warm-up.

use std::fmt;
use std::time::Duration;

use super::sample::{Sample, Series};
use crate::bar::mebibytes;
use crate::stats::Trend;

/// Less than this share of what was there a minute is no leak, nor less than the other one, however long it took.
const LEAST_RISE_A_MINUTE: f64 = 0.01;
const LEAST_RISE: f64 = 0.10;

/// What can leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Memory,
    Files,
    Threads,
    Connections,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Memory, Self::Files, Self::Threads, Self::Connections];

    /// Its name, with what it is counted in.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Memory => "MiB of memory",
            Self::Files => "files",
            Self::Threads => "threads",
            Self::Connections => "connections",
        }
    }

    fn value(self, sample: &Sample) -> f64 {
        match self {
            Self::Memory => mebibytes(sample.resident_bytes),
            Self::Files => sample.files as f64,
            Self::Threads => sample.threads as f64,
            Self::Connections => sample.connections as f64,
        }
    }

    /// A smaller rise is the coming and going of a busy swarm.
    fn noise(self) -> f64 {
        match self {
            Self::Memory | Self::Threads => 4.0,
            Self::Files | Self::Connections => 8.0,
        }
    }
}

/// How one thing developed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Growth {
    pub(super) kind: Kind,
    /// Over minutes.
    trend: Trend,
}

impl Growth {
    /// Everything that can leak, of a service after its warm-up. Nothing where there was too little to see.
    pub(super) fn of(series: &Series, warm_up: Duration) -> Vec<Self> {
        let warm: Vec<&Sample> = series.samples.iter().filter(|sample| sample.at >= warm_up).collect();
        let growth = |kind: Kind| {
            let point = |sample: &&Sample| (sample.at.as_secs_f64() / 60.0, kind.value(sample));
            let trend = Trend::of(&warm.iter().map(point).collect::<Vec<_>>())?;
            Some(Self { kind, trend })
        };
        Kind::ALL.into_iter().filter_map(growth).collect()
    }

    /// Whether it is more than noise, and more than a small share.
    pub(super) fn is_leak(&self) -> bool {
        let Trend { begin, rise, span } = self.trend;
        rise > self.kind.noise() && rise > begin * (LEAST_RISE_A_MINUTE * span).min(LEAST_RISE)
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Trend { begin, rise, span } = self.trend;
        let per_minute = 100.0 * rise / begin.max(1.0) / span;
        write!(f, "{begin:.1} {} {rise:+.1} in {span:.0} min ({per_minute:+.3} %/min)", self.kind.name())
    }
}

#[cfg(test)]
mod tests {
    use pas_types::catalog::REGISTRY;

    use super::*;

    /// A service whose memory grows by so many MiB in each of 60 minutes, and whose files come and go.
    fn growing(mebibytes_a_minute: u64) -> Series {
        let mut series = Series::new(REGISTRY, 1);
        let sample = |minute: u64| Sample {
            at: Duration::from_secs(60 * minute),
            resident_bytes: (20 + minute * mebibytes_a_minute) << 20,
            files: 30 + minute % 7,
            threads: 5,
            connections: 20,
        };
        series.samples = (0..=60).map(sample).collect();
        series
    }

    fn leaks(series: &Series) -> Vec<Kind> {
        let growth = Growth::of(series, Duration::from_secs(600));
        growth.iter().filter(|growth| growth.is_leak()).map(|growth| growth.kind).collect()
    }

    #[test]
    fn what_grows_steadily_is_a_leak_and_what_comes_and_goes_is_none() {
        assert_eq!(leaks(&growing(1)), [Kind::Memory]);
        assert_eq!(leaks(&growing(0)), []);
    }

    #[test]
    fn growth_before_the_warm_up_is_over_is_no_leak() {
        let mut series = growing(1);
        series.samples.retain(|sample| sample.at <= Duration::from_secs(600));
        let last = *series.samples.last().unwrap();
        let later = (11..=60).map(|minute| Sample { at: Duration::from_secs(60 * minute), ..last });
        series.samples.extend(later);
        assert_eq!(leaks(&series), []);
    }

    #[test]
    fn growth_is_shown_by_the_minute() {
        let growth = Growth::of(&growing(1), Duration::from_secs(600))[0];
        assert_eq!(growth.to_string(), "30.0 MiB of memory +50.0 in 50 min (+3.333 %/min)");
    }
}
