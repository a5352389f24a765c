//! How many events a second are taken, each acknowledged once the journal has it.

use std::time::Duration;

use anyhow::ensure;
use pas_types::event::Cursor;
use tokio::time::Instant;

use super::AREA;
use crate::bar::Bar;
use crate::load::publisher::{self, Flood, IN_FLIGHT};
use crate::load::{calls, events};
use crate::report::Report;
use crate::stats::{Spread, median};

const BATCH: usize = 100;
const WINDOW: Duration = Duration::from_secs(3);
/// Somewhat more than the bar asks for, which the time that the last answer takes would spoil otherwise.
const SINGLY_PER_SECOND: u32 = 2_100;
const CONNECTIONS: u32 = 16;

/// Events a second that are acknowledged when batches of them are published as fast as they are taken.
pub(super) fn in_batches(port: u16) -> anyhow::Result<f64> {
    let begin = events::head(port)?;
    let Flood { events, lasted } = publisher::flood(port, events::beats(BATCH), WINDOW)?;
    kept(port, begin, events)?;
    Ok(events as f64 / lasted.as_secs_f64())
}

/// Events a second that are acknowledged when each comes alone at a steady rate, and how long each one takes.
pub(super) fn singly(port: u16) -> anyhow::Result<(f64, Spread)> {
    let begin = events::head(port)?;
    let beats = events::beats(BATCH);
    let requests: Vec<_> = beats.chunks(1).map(events::publishing).collect();
    let begun = Instant::now();
    let took = calls::at_rate(port, &requests, SINGLY_PER_SECOND, WINDOW, CONNECTIONS)?;
    let lasted = begun.elapsed();
    kept(port, begin, took.len() as u64)?;
    Ok((took.len() as f64 / lasted.as_secs_f64(), Spread::of(took)))
}

/// Reports what was measured in several runs.
pub(super) fn report(report: &mut Report, batched: Vec<f64>, singly: Vec<f64>, took: &[Spread]) {
    let what = format!("published over gRPC in batches of {BATCH}, {IN_FLIGHT} under way, acknowledged");
    report.add(Bar::rate(AREA, what, 20_000.0, batched));
    let what = format!("published singly over HTTP at {SINGLY_PER_SECOND}/s, acknowledged");
    let each = |figure: fn(&Spread) -> f64| median(&took.iter().map(figure).collect::<Vec<_>>());
    let (p50, p99) = (each(|run| run.p50_ms), each(|run| run.p99_ms));
    let also = Some(format!("median of p50 {p50:.2} ms, of p99 {p99:.2} ms"));
    report.add(Bar { also, ..Bar::rate(AREA, what, 2_000.0, singly) });
}

/// Fails unless the stream has just those events more than at `begin`.
fn kept(port: u16, begin: Cursor, events: u64) -> anyhow::Result<()> {
    let (head, expected) = (events::head(port)?, Cursor { seq: begin.seq + events, ..begin });
    ensure!(head == expected, "the stream is at {head}, not {expected}");
    Ok(())
}
