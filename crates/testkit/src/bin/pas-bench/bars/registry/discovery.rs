//! How long `/discover` takes while the services beat.

use std::time::Duration;

use super::AREA;
use crate::bar::{Bar, RUNS, runs};
use crate::load::calls;
use crate::load::discovery::{self, PAGE};
use crate::out;
use crate::report::Report;
use crate::stats::Spread;

const PER_SECOND: u32 = 2_000;
const CONNECTIONS: u32 = 8;
const WINDOW: Duration = Duration::from_secs(10);

pub(super) fn measure(report: &mut Report, port: u16) -> anyhow::Result<()> {
    let queries = discovery::queries();
    queries.iter().try_for_each(|query| query.verify(port, PAGE))?;
    let spreads = runs(|run| {
        out::progress(format!("registry: /discover, {run} of {RUNS}"));
        Ok(Spread::of(calls::at_rate(port, &queries, PER_SECOND, WINDOW, CONNECTIONS)?))
    })?;
    let what = format!("/discover by capability at {PER_SECOND}/s, pages of {PAGE} rows, p99");
    report.add(Bar::p99(AREA, what, 1.0, &spreads));
    Ok(())
}
