//! The event stream's bars: in each run a new one that is loaded in each way in turn, and killed at the end.

mod following;
mod publishing;
mod reconnection;

use pas_testkit::{Process, binary};
use pas_types::catalog::EVENT_STREAM;
use tokio::runtime::Handle;

use crate::bar::{Bar, RUNS, Unit, mebibytes, runs};
use crate::out;
use crate::report::Report;
use crate::stats::{Spread, milliseconds};

const AREA: &str = "events";

/// One run.
struct Run {
    batched_per_s: f64,
    singly_per_s: f64,
    singly: Spread,
    to_many: Spread,
    to_one: Spread,
    peak_mib: f64,
    back_ms: f64,
}

/// Measures all of them.
pub(crate) fn measure(report: &mut Report, runtime: &Handle) -> anyhow::Result<()> {
    let measured = runs(|run| {
        out::progress(format!("events: publish, follow, reconnect, {run} of {RUNS}"));
        run_once(runtime)
    })?;
    let each = |figure: fn(&Run) -> f64| measured.iter().map(figure).collect::<Vec<_>>();
    let spreads = |spread: fn(&Run) -> Spread| measured.iter().map(spread).collect::<Vec<_>>();
    publishing::report(
        report,
        each(|run| run.batched_per_s),
        each(|run| run.singly_per_s),
        &spreads(|run| run.singly),
    );
    following::report(report, &spreads(|run| run.to_many), &spreads(|run| run.to_one));
    let memory = "peak of resident memory under these loads";
    report.add(Bar::new(AREA, memory, Unit::MiB, 40.0, each(|run| run.peak_mib)));
    reconnection::report(report, each(|run| run.back_ms));
    Ok(())
}

fn run_once(runtime: &Handle) -> anyhow::Result<Run> {
    let data = tempfile::tempdir()?;
    let mut stream = Process::start(&EVENT_STREAM, &binary(EVENT_STREAM.binary)?, data.path(), &[])?;
    let port = stream.port();
    let batched_per_s = publishing::in_batches(port)?;
    let (singly_per_s, singly) = publishing::singly(port)?;
    let to_many = following::lags(runtime, port, following::MANY)?;
    let to_one = following::lags(runtime, port, 1)?;
    let peak_mib = mebibytes(stream.peak_resident_bytes()?);
    let back_ms = milliseconds(reconnection::all_back(runtime, &mut stream)?);
    Ok(Run { batched_per_s, singly_per_s, singly, to_many, to_one, peak_mib, back_ms })
}
