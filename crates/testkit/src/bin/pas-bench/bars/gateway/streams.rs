//! Calls that are answered piece by piece.

use std::time::Duration;

use super::AREA;
use super::door::Door;
use super::pairs::{Pairs, is_near};
use crate::bar::{Bar, Unit};
use crate::load::turn::CHUNKS;
use crate::load::{crowded, turn};
use crate::report::Report;
use crate::stats::Spread;

/// Streams at once, where processor time is the matter, and how often.
const BUSY: usize = 16;
const BUSY_ROUNDS: usize = 20;
/// So far apart that each piece is passed on by itself.
const BUSY_GAP: Duration = Duration::from_millis(2);
/// Streams at once, where time is, and how often.
const PACED: usize = 64;
const PACED_ROUNDS: usize = 2;
const PACED_GAP: Duration = Duration::from_millis(20);

/// Measures all of them.
pub(super) fn measure(report: &mut Report, bare: &Door, door: &Door) -> anyhow::Result<()> {
    busy(report, bare, door, AREA)?;
    paced(report, bare, door)
}

/// What they cost.
pub(super) fn busy(report: &mut Report, bare: &Door, door: &Door, area: &'static str) -> anyhow::Result<()> {
    const CPU: f64 = 1.4;
    let request = turn::stream(BUSY_GAP);
    let once = |door: &Door| {
        let (cpu_s, streams) =
            door.cost(|| crowded::streams(door.port(), &request, BUSY, BUSY_ROUNDS, BUSY_GAP))?;
        Ok(cpu_s * 1e6 / streams.len() as f64)
    };
    let what = format!("{BUSY} streams at once, of {CHUNKS} pieces");
    let mut pairs = Pairs::run(&what, bare, door, once)?;
    if is_near(&pairs.ratios(|one| *one), CPU) {
        pairs.again(&what, bare, door, once)?;
    }
    let (of_bare, found) = pairs.medians(|one| *one);
    let also = Some(format!("{found:.0} µs against {of_bare:.0} µs; goal 1.2"));
    let bar = Bar::new(
        area,
        format!("processor time a stream, {what}"),
        Unit::Times,
        CPU,
        pairs.ratios(|one| *one),
    );
    report.add(Bar { also, ..bar });
    Ok(())
}

fn paced(report: &mut Report, bare: &Door, door: &Door) -> anyhow::Result<()> {
    let request = turn::stream(PACED_GAP);
    let once = |door: &Door| {
        let streams = crowded::streams(door.port(), &request, PACED, PACED_ROUNDS, PACED_GAP)?;
        let first = Spread::of(streams.iter().map(|stream| stream.first).collect());
        let late = Spread::of(streams.into_iter().flat_map(|stream| stream.late).collect());
        Ok((first, late))
    };
    let what = format!("{PACED} paced streams");
    let pairs = Pairs::run(&what, bare, door, once)?;
    let (of_bare, found) = pairs.medians(|one| one.0.p50_ms);
    let also = Some(format!("{found:.3} ms against {of_bare:.3} ms; goal + 0.15"));
    let runs = pairs.differences(|one| one.0.p50_ms);
    let bar = Bar::new(AREA, format!("first content later than bare, {what}, p50"), Unit::Ms, 0.3, runs);
    report.add(Bar { also, ..bar });
    let (of_bare, found) = pairs.medians(|one| one.1.p50_ms);
    let bare_p99 = pairs.medians(|one| one.1.p99_ms).0;
    let also = Some(format!("bare {bare_p99:.3} ms; p50 {found:.3} ms against {of_bare:.3} ms"));
    let runs = pairs.each(|_, found| found.1.p99_ms);
    let bar = Bar::new(AREA, format!("a piece comes after it was sent, {what}, p99"), Unit::Ms, 5.0, runs);
    report.add(Bar { also, ..bar });
    Ok(())
}
