//! A bar: what is measured, and what it must stay below or reach.

use serde::Serialize;

use crate::stats::{Spread, median};

/// Each bar is measured so often; the median counts.
pub(crate) const RUNS: usize = 5;

/// What a bar is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    /// Milliseconds.
    Ms,
    /// Mebibytes of 1,048,576 bytes.
    MiB,
    /// Percent.
    Percent,
    /// Percent of one core.
    PercentOfACore,
    /// So many a second.
    PerSecond,
    /// Megabytes of 1,000,000 bytes.
    Mb,
    /// So many times what something else is.
    Times,
}

impl Unit {
    /// As people read it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Ms => "ms",
            Self::MiB => "MiB",
            Self::Percent => "%",
            Self::PercentOfACore => "% of a core",
            Self::PerSecond => "/s",
            Self::Mb => "MB",
            Self::Times => "times",
        }
    }
}

/// What the median must be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Limit {
    /// Less than this.
    Below(f64),
    /// This or more.
    AtLeast(f64),
}

impl Limit {
    fn admits(self, median: f64) -> bool {
        match self {
            Self::Below(limit) => median < limit,
            Self::AtLeast(limit) => median >= limit,
        }
    }
}

/// A bar and how it was met.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Bar {
    /// Whose bar it is.
    pub(crate) area: &'static str,
    /// What is measured, under which load.
    pub(crate) what: String,
    /// In what.
    pub(crate) unit: Unit,
    /// What the median must be.
    #[serde(flatten)]
    pub(crate) limit: Limit,
    /// The median of the runs.
    pub(crate) median: f64,
    /// Each run.
    pub(crate) runs: Vec<f64>,
    /// Whether the bar is met.
    pub(crate) met: bool,
    /// What else was seen, for whoever wants to know more.
    pub(crate) also: Option<String>,
}

impl Bar {
    /// A bar that was measured, and must stay below a limit.
    pub(crate) fn new(
        area: &'static str,
        what: impl Into<String>,
        unit: Unit,
        below: f64,
        runs: Vec<f64>,
    ) -> Self {
        Self::limited(area, what.into(), unit, Limit::Below(below), runs)
    }

    /// A bar of a rate, which must reach so many a second.
    pub(crate) fn rate(area: &'static str, what: impl Into<String>, at_least: f64, runs: Vec<f64>) -> Self {
        Self::limited(area, what.into(), Unit::PerSecond, Limit::AtLeast(at_least), runs)
    }

    /// A bar of a ratio, which must reach so many times what it is compared with.
    pub(crate) fn share(area: &'static str, what: impl Into<String>, at_least: f64, runs: Vec<f64>) -> Self {
        Self::limited(area, what.into(), Unit::Times, Limit::AtLeast(at_least), runs)
    }

    /// A bar of the 95th percentile of times.
    pub(crate) fn p95(area: &'static str, what: impl Into<String>, below_ms: f64, runs: &[Spread]) -> Self {
        let bar = Self::new(area, what, Unit::Ms, below_ms, runs.iter().map(|run| run.p95_ms).collect());
        Self { also: Some(others(runs)), ..bar }
    }

    /// A bar of the 99th percentile of times.
    pub(crate) fn p99(area: &'static str, what: impl Into<String>, below_ms: f64, runs: &[Spread]) -> Self {
        let bar = Self::new(area, what, Unit::Ms, below_ms, runs.iter().map(|run| run.p99_ms).collect());
        Self { also: Some(others(runs)), ..bar }
    }

    fn limited(area: &'static str, what: String, unit: Unit, limit: Limit, runs: Vec<f64>) -> Self {
        let median = median(&runs);
        let met = !runs.is_empty() && limit.admits(median);
        Self { area, what, unit, limit, median, runs, met, also: None }
    }
}

/// What else is to be said of times of which a percentile is asked for.
fn others(runs: &[Spread]) -> String {
    let each = |figure: fn(&Spread) -> f64| median(&runs.iter().map(figure).collect::<Vec<_>>());
    format!("median of p50 {:.2} ms, of the longest {:.2} ms", each(|run| run.p50_ms), each(|run| run.max_ms))
}

/// Measures something [`RUNS`] times.
pub(crate) fn runs<T>(mut run: impl FnMut(usize) -> anyhow::Result<T>) -> anyhow::Result<Vec<T>> {
    (1..=RUNS).map(&mut run).collect()
}

/// Bytes as a number of megabytes.
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}

/// Bytes as a number of mebibytes.
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_met_by_its_median_and_missed_by_what_only_touches_it() {
        let met = |runs: &[f64]| Bar::new("registry", "lag", Unit::Ms, 8.0, runs.to_vec()).met;
        assert!(met(&[1.0, 7.9, 100.0]));
        assert!(!met(&[1.0, 8.0, 8.0]));
        assert!(!met(&[]));
    }

    #[test]
    fn a_rate_is_met_by_what_reaches_it_and_missed_by_less() {
        let met = |runs: &[f64]| Bar::rate("events", "published", 2_000.0, runs.to_vec()).met;
        assert!(met(&[1.0, 2_000.0, 2_000.0]));
        assert!(!met(&[1_999.9, 1_999.9, 9_000.0]));
        assert!(!met(&[]));
    }

    #[test]
    fn a_report_for_programs_names_the_limit() {
        let json = |bar: Bar| serde_json::to_value(bar).unwrap();
        assert_eq!(json(Bar::new("registry", "lag", Unit::Ms, 8.0, vec![]))["below"], 8.0);
        assert_eq!(json(Bar::rate("events", "published", 9.0, vec![]))["at_least"], 9.0);
    }
}
