//! Measuring two doors in turn.

use super::door::Door;
use crate::bar::RUNS;
use crate::out;

/// A ratio so near its bar is run again: runs of one binary differ by that much.
const NEAR: f64 = 0.2;

/// What was found in each run: of the bare proxy, and of what is compared with it.
#[derive(Debug)]
pub(super) struct Pairs<T>(Vec<(T, T)>);

impl<T> Pairs<T> {
    /// Before the first run.
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    /// Measures both several times, each first in every second run.
    pub(super) fn run(
        what: &str,
        bare: &Door,
        door: &Door,
        measure: impl FnMut(&Door) -> anyhow::Result<T>,
    ) -> anyhow::Result<Self> {
        let mut pairs = Self::none();
        pairs.again(what, bare, door, measure)?;
        Ok(pairs)
    }

    /// Likewise, so many times more.
    pub(super) fn again(
        &mut self,
        what: &str,
        bare: &Door,
        door: &Door,
        mut measure: impl FnMut(&Door) -> anyhow::Result<T>,
    ) -> anyhow::Result<()> {
        self.runs(what, |run| {
            if run % 2 == 0 {
                let found = measure(door)?;
                Ok((measure(bare)?, found))
            } else {
                Ok((measure(bare)?, measure(door)?))
            }
        })
    }

    /// Adds several runs, each of which measures both.
    pub(super) fn runs(
        &mut self,
        what: &str,
        mut both: impl FnMut(usize) -> anyhow::Result<(T, T)>,
    ) -> anyhow::Result<()> {
        for run in 1..=RUNS {
            out::progress(format!("gateway: {what}, {run} of {RUNS}"));
            self.0.push(both(run)?);
        }
        Ok(())
    }

    /// A figure of each run.
    pub(super) fn each(&self, figure: impl Fn(&T, &T) -> f64) -> Vec<f64> {
        self.0.iter().map(|(bare, found)| figure(bare, found)).collect()
    }

    /// How many times the bare proxy's it is, in each run.
    pub(super) fn ratios(&self, figure: impl Fn(&T) -> f64) -> Vec<f64> {
        self.each(|bare, found| figure(found) / figure(bare))
    }

    /// How much more than the bare proxy's it is, in each run.
    pub(super) fn differences(&self, figure: impl Fn(&T) -> f64) -> Vec<f64> {
        self.each(|bare, found| figure(found) - figure(bare))
    }

    /// The medians of both.
    pub(super) fn medians(&self, figure: impl Fn(&T) -> f64) -> (f64, f64) {
        use crate::stats::median;
        (median(&self.each(|bare, _| figure(bare))), median(&self.each(|_, found| figure(found))))
    }
}

/// Whether a ratio is so near its bar that it is run again.
pub(super) fn is_near(ratios: &[f64], bar: f64) -> bool {
    (crate::stats::median(ratios) / bar - 1.0).abs() < NEAR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_told_of_each_run_and_run_again_when_it_is_near() {
        let pairs = Pairs(vec![(10.0, 17.0), (20.0, 33.0), (10.0, 30.0)]);
        assert_eq!(pairs.ratios(|one| *one), [1.7, 1.65, 3.0]);
        assert_eq!(pairs.differences(|one| *one), [7.0, 13.0, 20.0]);
        assert_eq!(pairs.medians(|one| *one), (10.0, 30.0));
        assert!(is_near(&pairs.ratios(|one| *one), 2.0));
        assert!(!is_near(&[1.5], 2.0) && !is_near(&[2.5], 2.0));
    }
}
