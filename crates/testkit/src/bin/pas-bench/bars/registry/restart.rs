//! How soon a registry with many services serves again.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use pas_testkit::Process;
use rustix::process::Signal;
use tokio::time::Instant;

use super::{AREA, SERVICES, beat};
use crate::bar::{Bar, RUNS, Unit, runs};
use crate::load::crowd::Member;
use crate::load::discovery::{self, PAGE, Query};
use crate::out;
use crate::report::Report;
use crate::stats::milliseconds;

/// Beats before each end, so that there is always something that was just written.
const BEATING: Duration = Duration::from_secs(2);
/// What does not serve by then does not come back.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn measure(
    report: &mut Report,
    registry: &mut Process,
    crowd: &Arc<Vec<Member>>,
) -> anyhow::Result<()> {
    for (name, signal) in [("SIGTERM", Signal::TERM), ("SIGKILL", Signal::KILL)] {
        let took = runs(|run| {
            out::progress(format!("registry: restart after {name}, {run} of {RUNS}"));
            Ok(milliseconds(again(registry, crowd, signal)?))
        })?;
        let what = format!("restart with {SERVICES} rows after {name}, until /discover answers");
        report.add(Bar::new(AREA, what, Unit::Ms, 300.0, took));
    }
    Ok(())
}

/// Ends the registry in the midst of beats and starts it again; tells how long it took until it served.
fn again(registry: &mut Process, crowd: &Arc<Vec<Member>>, signal: Signal) -> anyhow::Result<Duration> {
    let beats = beat(registry.port(), crowd);
    std::thread::sleep(BEATING);
    beats.tally.check()?;
    registry.signal(signal)?;
    registry.wait()?;
    // What was under way then is lost, as it must be.
    drop(beats);
    let query = discovery::queries().swap_remove(0);
    let begun = Instant::now();
    registry.restart()?;
    serving(&query, registry.port(), begun)?;
    Ok(begun.elapsed())
}

fn serving(query: &Query, port: u16, begun: Instant) -> anyhow::Result<()> {
    while let Err(error) = query.verify(port, PAGE) {
        if begun.elapsed() > PATIENCE {
            bail!("the registry does not serve again: {error:#}");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
