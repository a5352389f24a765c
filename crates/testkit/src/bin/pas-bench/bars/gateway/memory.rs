//! Memory: idle, after many calls, under many streams, and a minute later. A new process in each run.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use tokio::time::Instant;

use super::door::Door;
use super::{AREA, Subject};
use crate::bar::{Bar, Unit, megabytes, runs};
use crate::load::crowded::{self, Until};
use crate::load::turn;
use crate::load::upstream::Upstream;
use crate::out;
use crate::report::Report;

/// A start is over and nothing goes on.
const SETTLED: Duration = Duration::from_secs(2);
const CALLS: u64 = 500_000;
const CONNECTIONS: usize = 64;
const STREAMS: usize = 512;
const GAP: Duration = Duration::from_millis(10);
const LATER: Duration = Duration::from_secs(60);

/// One process: what it had so far, and when its streams ended.
struct Run {
    door: Door,
    idle: u64,
    called: u64,
    peak: u64,
    ended: Instant,
}

/// Measures all of them.
pub(super) fn measure(
    report: &mut Report,
    subject: Subject,
    upstream: &Upstream,
    place: &Path,
) -> anyhow::Result<()> {
    let measured = runs(|run| {
        out::progress(format!("gateway: memory over {CALLS} calls and {STREAMS} streams, {run}"));
        load(Door::open(subject, upstream, place)?)
    })?;
    let later = measured.iter().map(|run| {
        // Those that were loaded first have waited meanwhile.
        std::thread::sleep((run.ended + LATER).saturating_duration_since(Instant::now()));
        Ok(run.door.process.resident_bytes()? as f64 / run.idle as f64)
    });
    let later = later.collect::<anyhow::Result<Vec<_>>>()?;
    let each =
        |figure: fn(&Run) -> u64| measured.iter().map(|run| megabytes(figure(run))).collect::<Vec<_>>();
    let mut add = |what: String, limit, goal: &str, runs| {
        report.add(Bar { also: Some(format!("goal {goal}")), ..Bar::new(AREA, what, Unit::Mb, limit, runs) });
    };
    add("resident memory, idle".to_owned(), 20.0, "12", each(|run| run.idle));
    add(format!("resident memory after {CALLS} calls"), 40.0, "25", each(|run| run.called));
    add(format!("peak of resident memory, {STREAMS} streams at once"), 80.0, "50", each(|run| run.peak));
    let what = format!("resident memory {} s after {STREAMS} streams, times idle", LATER.as_secs());
    report.add(Bar::new(AREA, what, Unit::Times, 1.3, later));
    Ok(())
}

/// An adapter's, which has one bar for all: idle, and after as many calls as above.
pub(super) fn adapter(
    report: &mut Report,
    area: &'static str,
    upstream: &Upstream,
    place: &Path,
) -> anyhow::Result<()> {
    const MOST: f64 = 20.0;
    let measured = runs(|run| {
        out::progress(format!("adapter: memory over {CALLS} calls, {run}"));
        let door = Door::open(Subject::Adapter, upstream, place)?;
        std::thread::sleep(SETTLED);
        let idle = door.process.resident_bytes()?;
        crowded::flood(door.port(), &turn::whole(), CONNECTIONS, Until::Calls(CALLS))?;
        Ok((megabytes(idle), megabytes(door.process.resident_bytes()?)))
    })?;
    let (idle, called) = measured.into_iter().unzip();
    report.add(Bar::new(area, "resident memory, idle", Unit::Mb, MOST, idle));
    report.add(Bar::new(area, format!("resident memory after {CALLS} calls"), Unit::Mb, MOST, called));
    Ok(())
}

fn load(door: Door) -> anyhow::Result<Run> {
    std::thread::sleep(SETTLED);
    let idle = door.process.resident_bytes()?;
    crowded::flood(door.port(), &turn::whole(), CONNECTIONS, Until::Calls(CALLS))?;
    let called = door.process.resident_bytes()?;
    let streams = crowded::streams(door.port(), &turn::stream(GAP), STREAMS, 1, Duration::ZERO)?;
    ensure!(streams.len() == STREAMS, "{} of {STREAMS} streams came whole", streams.len());
    let peak = door.process.peak_resident_bytes()?;
    Ok(Run { door, idle, called, peak, ended: Instant::now() })
}
