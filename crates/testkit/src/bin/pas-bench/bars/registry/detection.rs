//! How long after a beat was due a watcher is told that it was missed.

use std::time::Duration;

use anyhow::{Context, bail};
use tokio::runtime::Handle;

use super::AREA;
use crate::bar::{RUNS, runs};
use crate::bars::lag::{self, Lags};
use crate::load::mortals::MISSES;
use crate::load::watchers::{Told, Watchers};
use crate::out;
use crate::report::Report;

/// What a watcher is told later than this it was not told.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn measure(report: &mut Report, runtime: &Handle, port: u16) -> anyhow::Result<()> {
    let watchers = Watchers::start(runtime, port, 1)?;
    let worst = runs(|run| {
        out::progress(format!("registry: detection lag, {run} of {RUNS}"));
        let mut lags = Lags::of_new_mortals(port, &format!("silent-{run}"))?;
        while !lags.are_complete() {
            let sighting = watchers.next(PATIENCE)?.context("a missed beat was not told")?;
            match sighting.what {
                // A service that is gone is no row any more; until then it has missed fewer beats.
                Told::Changed(service) if service.missed_beats < MISSES => {
                    lags.note(service.service_id.parse()?, service.missed_beats, sighting.at);
                }
                Told::Removed(service_id) => lags.note(service_id.parse()?, MISSES, sighting.at),
                Told::Lost(why) => bail!("the watcher was lost: {why}"),
                Told::Changed(_) | Told::Snapshot => {}
            }
        }
        Ok(lags.worst_ms())
    })?;
    lag::report(report, AREA, "a watcher is told that a service is", &worst);
    Ok(())
}
