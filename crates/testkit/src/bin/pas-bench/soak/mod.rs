//! A swarm that is kept busy for hours: it must not grow, restart, or lose a connection.

mod load;
mod sample;
mod subscribers;
mod verdict;

use std::time::Duration;

use anyhow::ensure;
use pas_types::catalog::SERVICES;
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::load::swarm::Swarm;
use crate::machine::Machine;
use crate::out;
use load::Load;
use sample::Series;
use verdict::Growth;

/// The time between two looks at the processes.
const PERIOD: Duration = Duration::from_secs(10);
/// So many looks between two lines about how it goes.
const LOOKS_A_LINE: u32 = 6;
/// Caches fill and tables grow to their size in the first part of a soak; that counts for nothing.
const WARM_UP_SHARE: u32 = 4;
const LONGEST_WARM_UP: Duration = Duration::from_secs(600);

/// Keeps a swarm busy for so many hours, and tells whether all is well.
pub(crate) fn run(runtime: &Handle, hours: f64) -> anyhow::Result<bool> {
    ensure!((0.01..=10_000.0).contains(&hours), "--hours is {hours}: use a number from 0.01 to 10000");
    let lasting = Duration::from_secs_f64(hours * 3_600.0);
    let machine = Machine::here();
    let (swarm, _) = Swarm::up()?;
    let load = Load::start(runtime, &swarm)?;
    let mut series = SERVICES.map(|entry| Series::new(entry, swarm.port(&entry)));
    let begun = Instant::now();
    for look in 1.. {
        let due = begun + PERIOD * look;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        sample::look(&swarm, &mut series, begun.elapsed());
        if look % LOOKS_A_LINE == 0 {
            out::progress(format!("{:>5} s  {}", begun.elapsed().as_secs(), sample::line(&series)));
        }
        if begun.elapsed() >= lasting {
            break;
        }
    }
    let tallies = load.stop();
    let warm_up = (lasting / WARM_UP_SHARE).min(LONGEST_WARM_UP);

    out::line(format!("soak of {hours} h, measured after a warm-up of {} s", warm_up.as_secs()));
    out::line(machine.line());
    for (name, tally) in &tallies {
        let (answered, refused, lost) = (tally.answered(), tally.refused(), tally.lost());
        out::line(format!("  {name:<20} {answered} answered, {refused} refused, {lost} lost"));
        if let Some(problem) = tally.first_problem() {
            out::line(format!("  {:<20} first: {problem}", ""));
        }
    }
    let mut faults: Vec<String> = tallies
        .iter()
        .filter(|(_, tally)| tally.first_problem().is_some())
        .map(|(name, _)| format!("{name} failed"))
        .collect();
    for one in &series {
        faults.extend(judge(one, warm_up));
    }
    match faults.as_slice() {
        [] => out::line("passed: nothing leaked, restarted or was lost"),
        faults => out::line(format!("FAILED: {}", faults.join("; "))),
    }
    Ok(faults.is_empty())
}

/// Prints what became of a service, and tells what is wrong with that.
fn judge(series: &Series, warm_up: Duration) -> Vec<String> {
    let name = series.entry.name;
    out::line(format!(
        "  {name:<20} up {:.3} % of the looks, {} restarts",
        series.up_percent(),
        series.restarts
    ));
    let mut faults = Vec::new();
    if series.restarts > 0 {
        faults.push(format!("{name} restarted"));
    }
    if series.missed > 0 {
        faults.push(format!("{name} could not be looked at"));
    }
    for growth in Growth::of(series, warm_up) {
        out::line(format!("  {name:<20} {growth}"));
        if growth.is_leak() {
            faults.push(format!("{name} leaks {}", growth.kind.name()));
        }
    }
    faults
}
