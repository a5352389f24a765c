//! A bar: what is measured, and what it must stay below.

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
    /// Percent of one core.
    PercentOfACore,
}

impl Unit {
    /// As people read it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Ms => "ms",
            Self::MiB => "MiB",
            Self::PercentOfACore => "% of a core",
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
    /// What the median must stay below.
    pub(crate) below: f64,
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
    /// A bar that was measured.
    pub(crate) fn new(
        area: &'static str,
        what: impl Into<String>,
        unit: Unit,
        below: f64,
        runs: Vec<f64>,
    ) -> Self {
        let median = median(&runs);
        let met = !runs.is_empty() && median < below;
        Self { area, what: what.into(), unit, below, median, runs, met, also: None }
    }

    /// A bar of the 99th percentile of times.
    pub(crate) fn p99(area: &'static str, what: impl Into<String>, below_ms: f64, runs: &[Spread]) -> Self {
        let each = |figure: fn(&Spread) -> f64| runs.iter().map(figure).collect::<Vec<_>>();
        let (p50, max) = (median(&each(|run| run.p50_ms)), median(&each(|run| run.max_ms)));
        let bar = Self::new(area, what, Unit::Ms, below_ms, each(|run| run.p99_ms));
        Self { also: Some(format!("median of p50 {p50:.2} ms, of the longest {max:.2} ms")), ..bar }
    }
}

/// Measures something [`RUNS`] times.
pub(crate) fn runs<T>(mut run: impl FnMut(usize) -> anyhow::Result<T>) -> anyhow::Result<Vec<T>> {
    (1..=RUNS).map(&mut run).collect()
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
}
