//! Calls that are answered in one piece.

use std::time::Duration;

use super::door::Door;
use super::pairs::{Pairs, is_near};
use super::{AREA, Cost};
use crate::bar::{Bar, Unit};
use crate::load::crowded::{self, Flood, Until};
use crate::load::steady::{self, Callers};
use crate::load::turn;
use crate::report::Report;
use crate::stats::Spread;

const CONNECTIONS: usize = 64;
const FLOOD: Duration = Duration::from_secs(5);
const WARM_UP: Until = Until::Calls(5_000);
const PER_SECOND: u32 = 1_000;
/// Each run of calls at a rate goes from one to the other and back so often, so that what else the machine does meets both
/// alike. Processor time is told in hundredths of a second: all turns together must hold many of them.
const TURNS: usize = 5;
const TURN: Duration = Duration::from_secs(2);
const ALONE: usize = 10_000;

/// As fast as they are answered.
pub(super) fn flood(
    report: &mut Report,
    bare: &Door,
    door: &Door,
    cost: Cost,
    how: &str,
) -> anyhow::Result<()> {
    const RATE: f64 = 0.55;
    let request = turn::whole();
    let once = |door: &Door| {
        crowded::flood(door.port(), &request, CONNECTIONS, WARM_UP)?;
        let (cpu_s, Flood { calls, lasted }) =
            door.cost(|| crowded::flood(door.port(), &request, CONNECTIONS, Until::Time(FLOOD)))?;
        Ok((cpu_s * 1e6 / calls as f64, calls as f64 / lasted.as_secs_f64()))
    };
    let what = format!("{CONNECTIONS} connections{how}");
    let mut pairs = Pairs::run(&what, bare, door, once)?;
    if is_near(&pairs.ratios(|one| one.0), cost.call) || is_near(&pairs.ratios(|one| one.1), RATE) {
        pairs.again(&what, bare, door, once)?;
    }
    let (of_bare, found) = pairs.medians(|one| one.0);
    let also = Some(format!("{found:.1} µs against {of_bare:.1} µs; goal {}", cost.goal));
    let cpu = pairs.ratios(|one| one.0);
    let bar = Bar::new(cost.area, format!("processor time a call, {what}"), Unit::Times, cost.call, cpu);
    report.add(Bar { also, ..bar });
    let (of_bare, found) = pairs.medians(|one| one.1);
    let also = Some(format!("{found:.0}/s against {of_bare:.0}/s; goal 0.65"));
    let bar = Bar::share(cost.area, format!("calls a second, {what}"), RATE, pairs.ratios(|one| one.1));
    report.add(Bar { also, ..bar });
    Ok(())
}

/// At a rate.
pub(super) fn steady(
    report: &mut Report,
    bare: &Door,
    door: &Door,
    cost: Cost,
    how: &str,
) -> anyhow::Result<()> {
    let request = turn::whole();
    let both = |run: usize| {
        let mut both = [Steady::open(bare, &request)?, Steady::open(door, &request)?];
        for one in &mut both {
            one.begin()?;
        }
        for turn in run..run + TURNS {
            both[turn % 2].turn(&request)?;
            both[1 - turn % 2].turn(&request)?;
        }
        let [bare, found] = both;
        Ok((bare.end()?, found.end()?))
    };
    let what = format!("{PER_SECOND} calls/s{how}");
    let mut pairs = Pairs::none();
    pairs.runs(&what, both)?;
    if is_near(&pairs.ratios(|one: &(f64, Spread)| one.0), cost.call) {
        pairs.runs(&what, both)?;
    }
    let (of_bare, found) = pairs.medians(|one| one.0);
    let also = Some(format!("{found:.1} µs against {of_bare:.1} µs; goal 1.5"));
    let cpu = pairs.ratios(|one| one.0);
    let bar = Bar::new(cost.area, format!("processor time a call, {what}"), Unit::Times, cost.call, cpu);
    report.add(Bar { also, ..bar });
    latency(report, cost.area, &what, &pairs, |one| one.1, [(0.06, 0.04), (0.2, 0.08)]);
    Ok(())
}

/// One of the two that are called in turns. What it does while the other is called, and behind its own calls, counts too.
struct Steady<'a> {
    door: &'a Door,
    callers: Callers,
    cpu_s: f64,
    took: Vec<Duration>,
}

impl<'a> Steady<'a> {
    fn open(door: &'a Door, request: &[u8]) -> anyhow::Result<Self> {
        let mut callers = Callers::open(door.port(), CONNECTIONS as u32)?;
        callers.at_rate(request, PER_SECOND, Duration::from_secs(1))?;
        Ok(Self { door, callers, cpu_s: 0.0, took: Vec::new() })
    }

    fn begin(&mut self) -> anyhow::Result<()> {
        self.cpu_s = self.door.process.cpu_s()?;
        Ok(())
    }

    fn turn(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.took.extend(self.callers.at_rate(request, PER_SECOND, TURN)?);
        Ok(())
    }

    /// Microseconds of processor time a call, and how long calls took.
    fn end(self) -> anyhow::Result<(f64, Spread)> {
        let cpu_s = self.door.process.cpu_s()? - self.cpu_s;
        Ok((cpu_s * 1e6 / self.took.len() as f64, Spread::of(self.took)))
    }
}

/// One after the other.
pub(super) fn alone(report: &mut Report, bare: &Door, door: &Door) -> anyhow::Result<()> {
    let request = turn::whole();
    let what = "one connection, one call after the other";
    let once = |door: &Door| Ok(Spread::of(steady::alone(door.port(), &request, ALONE)?));
    let pairs = Pairs::run(what, bare, door, once)?;
    latency(report, AREA, what, &pairs, |one| *one, [(0.055, 0.04), (0.1, 0.06)]);
    Ok(())
}

/// Reports how much longer calls take; `bars` are those of p50 and p99, each with its goal.
fn latency<T>(
    report: &mut Report,
    area: &'static str,
    what: &str,
    pairs: &Pairs<T>,
    spread: impl Fn(&T) -> Spread,
    bars: [(f64, f64); 2],
) {
    let figure = |one: &T, place: usize| {
        let Spread { p50_ms, p99_ms, .. } = spread(one);
        [p50_ms, p99_ms][place]
    };
    for (place, (limit, goal)) in bars.into_iter().enumerate() {
        let name = ["p50", "p99"][place];
        let (of_bare, found) = pairs.medians(|one| figure(one, place));
        let runs = pairs.differences(|one| figure(one, place));
        let also = Some(format!("{found:.3} ms against {of_bare:.3} ms; goal + {goal}"));
        let bar = Bar::new(area, format!("latency more than bare, {what}, {name}"), Unit::Ms, limit, runs);
        report.add(Bar { also, ..bar });
    }
}
