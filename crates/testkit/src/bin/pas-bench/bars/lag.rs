//! How late it is said that beats were missed.

use std::collections::HashSet;

use pas_types::id::ServiceId;
use tokio::time::Instant;

use crate::bar::{Bar, Unit};
use crate::load::mortals::{MISSES, Mortals};
use crate::report::Report;
use crate::stats::milliseconds;

/// Services that fall silent in one run.
pub(super) const MORTALS: u32 = 20;
/// What each missed beat makes of a service.
const BECOMES: [&str; MISSES as usize] = ["degraded", "down", "deregistered"];

/// What was said so far of some services that fell silent.
#[derive(Debug)]
pub(super) struct Lags {
    mortals: Mortals,
    told: HashSet<(ServiceId, u32)>,
    worst_ms: [f64; MISSES as usize],
}

impl Lags {
    /// Of services that have just registered and will say nothing more.
    pub(super) fn of_new_mortals(port: u16, name: &str) -> anyhow::Result<Self> {
        let mortals = Mortals::register(port, name, MORTALS)?;
        Ok(Self { mortals, told: HashSet::new(), worst_ms: [0.0; MISSES as usize] })
    }

    /// At this time it was said that a service has missed so many beats. What is said of others, or again, doesn't
    /// count.
    pub(super) fn note(&mut self, service_id: ServiceId, misses: u32, at: Instant) {
        let Some(due) = self.mortals.due(service_id, misses) else { return };
        if self.told.insert((service_id, misses)) {
            let worst = &mut self.worst_ms[misses as usize - 1];
            *worst = worst.max(milliseconds(at.saturating_duration_since(due)));
        }
    }

    /// Whether everything was said.
    pub(super) fn are_complete(&self) -> bool {
        self.told.len() == self.mortals.count() * MISSES as usize
    }

    /// The longest lag of each missed beat.
    pub(super) fn worst_ms(&self) -> [f64; MISSES as usize] {
        self.worst_ms
    }
}

/// Reports what was measured in several runs.
pub(super) fn report(report: &mut Report, area: &'static str, what: &str, worst: &[[f64; MISSES as usize]]) {
    for (miss, becomes) in BECOMES.iter().enumerate() {
        let what = format!("detection lag, until {what} {becomes}, the worst of {MORTALS}");
        report.add(Bar::new(area, what, Unit::Ms, 1_000.0, worst.iter().map(|run| run[miss]).collect()));
    }
}
