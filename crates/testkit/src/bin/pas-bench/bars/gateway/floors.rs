//! What the first users ask for, with one call in a hundred going wrong at each of two providers.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::json;
use tokio::runtime::Builder;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::Instant;

use super::AREA;
use super::door::Door;
use crate::bar::{Bar, Unit, runs};
use crate::load::connection::{Connection, request};
use crate::load::turn::{self, Caller};
use crate::load::upstream::Upstream;
use crate::out;
use crate::report::Report;

const CALLERS: usize = 16;
const EACH: usize = 500;
/// One call of so many goes wrong, each time in another way.
const OF: u32 = 100;
/// Receipts that are looked at, and how long they are waited for.
const LOOKED_AT: usize = 1_000;
const PATIENCE: Duration = Duration::from_secs(60);

/// Measures both.
pub(super) fn measure(report: &mut Report, place: &Path) -> anyhow::Result<()> {
    let upstreams = [Upstream::start()?, Upstream::start()?];
    let door = Door::before(&upstreams, place)?;
    let mut routing = Vec::new();
    let succeeded = runs(|run| {
        out::progress(format!("gateway: one call in {OF} goes wrong, {run}"));
        upstreams.iter().try_for_each(go_wrong)?;
        let statuses = call(door.port())?;
        routing.push(slowest_routing(door.port())?);
        let good = statuses.iter().filter(|status| **status == 200).count();
        Ok(100.0 * good as f64 / statuses.len() as f64)
    })?;
    let what = format!("calls that succeed while 1 in {OF} goes wrong upstream");
    report.add(Bar { unit: Unit::Percent, ..Bar::share(AREA, what, 99.0, succeeded) });
    let what = format!("the gateway's own part of a call while 1 in {OF} goes wrong upstream, p95");
    report.add(Bar::new(AREA, what, Unit::Ms, 10.0, routing));
    Ok(())
}

fn go_wrong(upstream: &Upstream) -> anyhow::Result<()> {
    let faults = [
        json!({"status": 500}),
        json!({"fault": "reset"}),
        json!({"fault": "close"}),
        json!({"fault": "garbage"}),
        json!({"fault": "empty"}),
        json!({"fault": "close", "after": 1}),
    ];
    let rounds = CALLERS * EACH / OF as usize + 1;
    let scripts =
        faults.iter().cycle().take(rounds).flat_map(|fault| [json!({"times": OF - 1}), fault.clone()]);
    let scripts = serde_json::Value::from_iter(scripts).to_string();
    let mut connection = Connection::open(upstream.port())?;
    connection.call(&request("DELETE", "/__script", ""))?;
    let status = connection.call(&request("POST", "/__script", &scripts))?;
    ensure!(status == 200, "the provider takes no scripts: {}", String::from_utf8_lossy(connection.body()));
    Ok(())
}

/// The status of each call.
fn call(port: u16) -> anyhow::Result<Vec<u16>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let mut callers = JoinSet::new();
        for mut caller in Caller::many(port, CALLERS).await? {
            callers.spawn_local(async move {
                let mut statuses = Vec::with_capacity(EACH);
                for _ in 0..EACH {
                    statuses.push(caller.answer(&turn::whole()).await?.0);
                }
                std::io::Result::Ok(statuses)
            });
        }
        let mut statuses = Vec::new();
        while let Some(caller) = callers.join_next().await {
            statuses.extend(caller.context("a caller panicked")??);
        }
        Ok(statuses)
    })
}

/// The time that 95 of 100 calls don't exceed, of the newest, as their receipts tell it: all of a call that is not upstream's.
fn slowest_routing(port: u16) -> anyhow::Result<f64> {
    #[derive(Deserialize)]
    struct Page {
        receipts: Vec<Receipt>,
    }
    #[derive(Deserialize)]
    struct Receipt {
        timings_ms: Timings,
    }
    #[derive(Deserialize)]
    struct Timings {
        overhead: f64,
    }
    let mut connection = Connection::open(port)?;
    let begun = Instant::now();
    // The index follows within its share of a core.
    let page = loop {
        connection.call(&request("GET", &format!("/receipts?limit={LOOKED_AT}"), ""))?;
        let page: Page = serde_json::from_slice(connection.body()).context("no page of receipts")?;
        if page.receipts.len() == LOOKED_AT {
            break page;
        }
        ensure!(begun.elapsed() < PATIENCE, "{} receipts are there", page.receipts.len());
        std::thread::sleep(Duration::from_millis(100));
    };
    let mut took: Vec<f64> = page.receipts.into_iter().map(|receipt| receipt.timings_ms.overhead).collect();
    took.sort_unstable_by(f64::total_cmp);
    Ok(took[took.len() * 95 / 100])
}
