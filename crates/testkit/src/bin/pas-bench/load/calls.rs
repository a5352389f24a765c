//! Calls at a steady rate.

use std::time::Duration;

use anyhow::Context;
use tokio::time::Instant;

use super::line::{Line, Tally};
use super::pace::Pace;

/// Calls `rate` times a second for as long as `lasting`, over so many connections, and tells what each call took, from
/// the time at which it was due: a call that had to wait for the one before it took longer by that. Fails when one was
/// not answered as it should be.
pub(crate) fn at_rate<Request: AsRef<[u8]> + Sync>(
    port: u16,
    requests: &[Request],
    rate: u32,
    lasting: Duration,
    connections: u32,
) -> anyhow::Result<Vec<Duration>> {
    let tally = Tally::default();
    let pace = Pace::per_second(rate);
    let calls = (lasting.as_secs_f64() * f64::from(rate)) as u32;
    let caller = |first: u32| {
        let mut line = Line::new(port, &tally);
        move || {
            let turns = (first..calls).step_by(connections as usize);
            let mut took = Vec::with_capacity(turns.len());
            for turn in turns {
                let due = pace.wait(turn);
                line.call(requests[turn as usize % requests.len()].as_ref());
                took.push(Instant::now().saturating_duration_since(due));
            }
            took
        }
    };
    let took = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..connections).map(|first| scope.spawn(caller(first))).collect();
        callers.into_iter().map(|caller| caller.join().ok()).collect::<Option<Vec<_>>>()
    });
    tally.check()?;
    Ok(took.context("a caller panicked")?.concat())
}
