//! Figures from many figures.

use std::time::Duration;

/// The middle one; of an even number the upper of the two in the middle. Zero of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// How long things took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) p50_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

impl Spread {
    /// Of these times, in whatever order.
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        // Nearest rank: that share of all took no longer.
        let rank = |percent: usize| {
            let index = (times.len() * percent).div_ceil(100).saturating_sub(1);
            times.get(index).copied().map(milliseconds).unwrap_or_default()
        };
        Self { p50_ms: rank(50), p95_ms: rank(95), p99_ms: rank(99), max_ms: rank(100) }
    }
}

/// As a number.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The straight line nearest to some points (least squares).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Trend {
    /// Where it is at the first point.
    pub(crate) begin: f64,
    /// How much it rises from the first point to the last.
    pub(crate) rise: f64,
    /// How far apart those are.
    pub(crate) span: f64,
}

impl Trend {
    /// Through these points, which are in order; none of fewer than two.
    pub(crate) fn of(points: &[(f64, f64)]) -> Option<Self> {
        let (first, last) = (points.first()?.0, points.last()?.0);
        let count = points.len() as f64;
        let mean = |value: fn(&(f64, f64)) -> f64| points.iter().map(value).sum::<f64>() / count;
        let (mean_x, mean_y) = (mean(|point| point.0), mean(|point| point.1));
        let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
        let common: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
        let slope = (spread > 0.0).then_some(common / spread)?;
        let span = last - first;
        Some(Self { begin: mean_y + slope * (first - mean_x), rise: slope * span, span })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_five_is_the_third() {
        assert_eq!([median(&[5.0, 1.0, 4.0, 2.0, 3.0]), median(&[])], [3.0, 0.0]);
    }

    #[test]
    fn of_a_hundred_so_many_took_no_longer_than_each_percentile() {
        let times = (1..=100).rev().map(Duration::from_millis).collect();
        let spread = Spread { p50_ms: 50.0, p95_ms: 95.0, p99_ms: 99.0, max_ms: 100.0 };
        assert_eq!(Spread::of(times), spread);
    }

    #[test]
    fn a_trend_goes_through_points_that_are_on_a_line() {
        let trend = Trend::of(&[(10.0, 3.0), (20.0, 5.0), (30.0, 7.0)]);
        assert_eq!(trend, Some(Trend { begin: 3.0, rise: 4.0, span: 20.0 }));
        assert_eq!(Trend::of(&[(1.0, 1.0)]), None);
    }
}
