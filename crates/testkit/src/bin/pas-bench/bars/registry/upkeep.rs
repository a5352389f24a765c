//! What beats cost, and what services take up.

use std::time::Duration;

use anyhow::ensure;
use pas_testkit::Process;
use tokio::time::Instant;

use super::{AREA, CONNECTIONS, INTERVAL_S, SERVICES};
use crate::bar::{Bar, RUNS, Unit, mebibytes, runs};
use crate::load::beats::Beats;
use crate::out;
use crate::report::Report;

const WINDOW: Duration = Duration::from_secs(10);
/// With less of its rate the load isn't the one that is meant.
const LEAST_RATE: f64 = 0.98;

pub(super) fn measure(report: &mut Report, registry: &Process, beats: &Beats) -> anyhow::Result<()> {
    // Every service beats once before anything counts.
    std::thread::sleep(Duration::from_secs(INTERVAL_S.into()));
    let wanted = SERVICES as f64 / f64::from(INTERVAL_S);
    let measured = runs(|run| {
        out::progress(format!("registry: beats, {run} of {RUNS}"));
        let (begun, cpu_s, answered) = (Instant::now(), registry.cpu_s()?, beats.tally.answered());
        std::thread::sleep(WINDOW);
        let (lasted, cpu_s) = (begun.elapsed().as_secs_f64(), registry.cpu_s()? - cpu_s);
        let rate = (beats.tally.answered() - answered) as f64 / lasted;
        ensure!(rate >= wanted * LEAST_RATE, "only {rate:.0} of {wanted} beats a second were answered");
        Ok((100.0 * cpu_s / lasted, mebibytes(registry.resident_bytes()?)))
    })?;
    beats.tally.check()?;
    let (cpu, memory) = measured.into_iter().unzip();
    let load = format!("{SERVICES} services beating every {INTERVAL_S} s over {CONNECTIONS} connections");
    report.add(Bar::new(AREA, format!("processor, {load}"), Unit::PercentOfACore, 8.0, cpu));
    report.add(Bar::new(AREA, format!("resident memory, {load}"), Unit::MiB, 60.0, memory));
    Ok(())
}
