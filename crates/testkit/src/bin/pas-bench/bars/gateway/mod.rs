//! The gateway's bars: what stands between a client and a provider, against a reverse proxy that does nothing else. Both are
//! measured in one run, in turn, before the same scripted provider; a ratio is told of each run, and the median counts.

mod calls;
mod door;
mod floors;
mod memory;
mod pairs;
mod start;
mod streams;

use clap::ValueEnum;

use crate::load::upstream::Upstream;
use crate::out;
use crate::report::Report;
use door::Door;

const AREA: &str = "gateway";

/// What processor time may be: the gateway's, and an adapter's, of which design asks for calls alone.
const GATEWAY: Cost = Cost { area: AREA, call: 2.0, goal: 1.6 };
const ADAPTER: Cost = Cost { area: "adapter", call: 1.8, goal: 1.5 };

/// What processor time may be, as a multiple of the bare proxy's.
#[derive(Debug, Clone, Copy)]
struct Cost {
    area: &'static str,
    call: f64,
    goal: f64,
}

/// Measures an adapter's bars.
pub(crate) fn adapter(report: &mut Report) -> anyhow::Result<()> {
    let upstream = Upstream::start()?;
    let place = tempfile::tempdir()?;
    let (bare, door) = (Door::bare(&upstream)?, Door::open(Subject::Adapter, &upstream, place.path())?);
    calls::flood(report, &bare, &door, ADAPTER, "")?;
    calls::steady(report, &bare, &door, ADAPTER, "")?;
    streams::busy(report, &bare, &door, ADAPTER.area)?;
    drop(door);
    memory::adapter(report, ADAPTER.area, &upstream, place.path())
}

/// What is measured in the gateway's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The gateway.
    Gateway,
    /// The bare proxy itself: what is found then is the noise.
    Bare,
    /// An adapter.
    Adapter,
}

/// Bars that are measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Calls as fast as they are answered.
    Flood,
    /// Calls at a rate.
    Steady,
    /// Calls one after the other.
    Alone,
    /// Streams.
    Streams,
    /// Calls of which some go wrong.
    Floors,
    /// Memory.
    Memory,
    /// The start.
    Start,
}

/// Measures all of them, or only a part.
pub(crate) fn measure(report: &mut Report, subject: Subject, only: Option<Part>) -> anyhow::Result<()> {
    let wanted = |part| only.is_none_or(|only| only == part);
    let upstream = Upstream::start()?;
    let place = tempfile::tempdir()?;
    let place = place.path();
    if [Part::Flood, Part::Steady, Part::Alone, Part::Streams].into_iter().any(wanted) {
        out::progress("gateway: both doors open");
        let bare = Door::bare(&upstream)?;
        let door = Door::open(subject, &upstream, place)?;
        if wanted(Part::Flood) {
            calls::flood(report, &bare, &door, GATEWAY, "")?;
        }
        if wanted(Part::Steady) {
            calls::steady(report, &bare, &door, GATEWAY, "")?;
        }
        if wanted(Part::Alone) {
            calls::alone(report, &bare, &door)?;
        }
        if wanted(Part::Streams) {
            streams::measure(report, &bare, &door)?;
        }
        drop(door);
        if subject == Subject::Gateway && (wanted(Part::Flood) || wanted(Part::Steady)) {
            let door = Door::without_files(&upstream, place)?;
            if wanted(Part::Flood) {
                calls::flood(report, &bare, &door, GATEWAY, ", no files of receipts")?;
            }
            if wanted(Part::Steady) {
                calls::steady(report, &bare, &door, GATEWAY, ", no files of receipts")?;
            }
        }
    }
    if subject == Subject::Gateway && wanted(Part::Floors) {
        floors::measure(report, place)?;
    }
    if wanted(Part::Memory) {
        memory::measure(report, subject, &upstream, place)?;
    }
    if wanted(Part::Start) {
        start::measure(report, subject, &upstream, place)?;
    }
    Ok(())
}
