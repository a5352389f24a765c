//! What was measured, for people and for programs.

use std::path::Path;

use anyhow::Context;
use serde::Serialize;

use crate::bar::{Bar, Limit, Unit};
use crate::machine::Machine;
use crate::out;

/// Everything that was measured in one go.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    machine: Machine,
    /// The share of the machine that other programs took meanwhile.
    others_percent: f64,
    bars: Vec<Bar>,
}

impl Report {
    /// Begins with the machine. What follows is printed as it comes, so that a measurement that fails takes nothing
    /// with it.
    pub(crate) fn begin(machine: Machine) -> Self {
        out::line(machine.line());
        Self { machine, others_percent: 0.0, bars: Vec::new() }
    }

    /// Adds a bar.
    pub(crate) fn add(&mut self, bar: Bar) {
        out::line(row(&bar));
        if let Some(also) = &bar.also {
            out::line(format!("{:21}{also}", ""));
        }
        self.bars.push(bar);
    }

    /// Whether every bar is met.
    pub(crate) fn is_met(&self) -> bool {
        self.bars.iter().all(|bar| bar.met)
    }

    /// Ends with what else went on, and how many bars are met.
    pub(crate) fn conclude(&mut self, others_percent: f64) {
        self.others_percent = others_percent;
        out::line(format!("other programs took {others_percent:.0} % of the machine meanwhile"));
        let missed = self.bars.iter().filter(|bar| !bar.met).count();
        out::line(match missed {
            0 => format!("all {} bars are met", self.bars.len()),
            _ => format!("{missed} of {} bars are missed", self.bars.len()),
        });
    }

    /// Writes it as JSON.
    pub(crate) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))
    }
}

fn row(bar: &Bar) -> String {
    let mark = if bar.met { "met   " } else { "MISSED" };
    // What is not quite all must not look like all.
    let figure = match bar.unit {
        Unit::Percent => |value| format!("{value:.3}"),
        _ => figure,
    };
    let runs: Vec<String> = bar.runs.iter().map(|run| figure(*run)).collect();
    let (median, unit) = (figure(bar.median), bar.unit.words());
    let limit = match bar.limit {
        Limit::Below(limit) => format!("< {}", figure(limit)),
        Limit::AtLeast(limit) => format!(">= {}", figure(limit)),
    };
    format!("  {mark}  {:<9}  {}: {median} {unit} ({limit}; runs {})", bar.area, bar.what, runs.join(", "))
}

/// Three digits that count.
fn figure(value: f64) -> String {
    match value.abs() {
        0.0..1.0 => format!("{value:.3}"),
        1.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_was_measured_and_what_was_asked() {
        let bar = Bar::new("registry", "restart", Unit::Ms, 300.0, vec![99.96, 101.4, 7.0]);
        assert_eq!(row(&bar), "  met     registry   restart: 100.0 ms (< 300; runs 100.0, 101, 7.00)");
        let bar = Bar::new("gateway", "later", Unit::Ms, 0.055, vec![-0.0421]);
        assert_eq!(row(&bar), "  met     gateway    later: -0.042 ms (< 0.055; runs -0.042)");
        let bar = Bar { unit: Unit::Percent, ..Bar::share("gateway", "good", 99.0, vec![99.975]) };
        assert_eq!(row(&bar), "  met     gateway    good: 99.975 % (>= 99.000; runs 99.975)");
        let bar = Bar::rate("events", "published", 2_000.0, vec![1_999.0]);
        assert_eq!(row(&bar), "  MISSED  events     published: 1999 /s (>= 2000; runs 1999)");
    }
}
