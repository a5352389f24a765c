//! Calls of `/discover` at a steady rate.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use pas_types::registry::{DiscoveryPage, path};
use tokio::time::Instant;

use super::connection::{Connection, request};
use super::crowd::{SKILLS, skill};
use super::line::{Line, Tally};
use super::pace::Pace;

/// Rows of a page.
pub(crate) const PAGE: usize = 50;

/// A question, and what each row of its answer has.
#[derive(Debug)]
pub(crate) struct Query {
    request: Vec<u8>,
    caps: Vec<Arc<str>>,
}

impl Query {
    fn of(caps: &[&str]) -> Self {
        let query: String = caps.iter().map(|cap| format!("cap={cap}&")).collect();
        let request = request("GET", &format!("{}?{query}limit={PAGE}", path::DISCOVER), "");
        Self { request, caps: caps.iter().map(|cap| Arc::from(*cap)).collect() }
    }

    /// Asks once and reads all of the answer: so many rows, each with what was asked for, in order.
    pub(crate) fn verify(&self, port: u16, rows: usize) -> anyhow::Result<()> {
        let mut connection = Connection::open(port)?;
        let status = connection.call(&self.request)?;
        let text = || String::from_utf8_lossy(connection.body());
        ensure!(status == 200, "/discover answers {status}: {}", text());
        let page: DiscoveryPage = serde_json::from_slice(connection.body())?;
        let fits = |caps: &[Arc<str>]| self.caps.iter().all(|cap| caps.contains(cap));
        ensure!(page.services.iter().all(|row| fits(&row.caps)), "/discover answers what wasn't asked for");
        let key = |row: &pas_types::registry::ServiceView| (row.name.clone(), row.service_id);
        ensure!(page.services.is_sorted_by_key(key), "/discover's answer is not in order");
        ensure!(page.services.len() == rows, "/discover answers {} rows, not {rows}", page.services.len());
        Ok(())
    }
}

/// Questions by capability: three of four name a rare one, alone or with a common one; one names a common one alone.
pub(crate) fn queries() -> Vec<Query> {
    let mix = |number: usize| match number % 4 {
        0 => Query::of(&["infer"]),
        1 => Query::of(&["chat", &skill(number)]),
        _ => Query::of(&[&skill(number)]),
    };
    (0..SKILLS).map(mix).collect()
}

/// Asks `rate` times a second for as long as `lasting`, over so many connections, and tells what each call took, from
/// the time at which it was due: a call that had to wait for the one before it took longer by that.
pub(crate) fn ask(
    port: u16,
    queries: &[Query],
    rate: u32,
    lasting: Duration,
    connections: u32,
) -> anyhow::Result<Vec<Duration>> {
    let tally = Tally::default();
    let pace = Pace::per_second(rate);
    let calls = (lasting.as_secs_f64() * f64::from(rate)) as u32;
    let asker = |first: u32| {
        let mut line = Line::new(port, &tally);
        move || {
            let turns = (first..calls).step_by(connections as usize);
            let mut took = Vec::with_capacity(turns.len());
            for turn in turns {
                let due = pace.wait(turn);
                line.call(&queries[turn as usize % queries.len()].request);
                took.push(Instant::now().saturating_duration_since(due));
            }
            took
        }
    };
    let took = std::thread::scope(|scope| {
        let askers: Vec<_> = (0..connections).map(|first| scope.spawn(asker(first))).collect();
        askers.into_iter().map(|asker| asker.join().ok()).collect::<Option<Vec<_>>>()
    });
    tally.check()?;
    Ok(took.context("an asker panicked")?.concat())
}
