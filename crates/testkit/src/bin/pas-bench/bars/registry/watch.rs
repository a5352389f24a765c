//! How long it takes until every watcher has been told of a change.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use pas_types::id::ServiceId;
use pas_types::registry::{Selector, path};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::AREA;
use crate::bar::{Bar, RUNS, runs};
use crate::load::connection::{Connection, request};
use crate::load::crowd::Member;
use crate::load::pace::Pace;
use crate::load::watchers::{Told, Watchers};
use crate::out;
use crate::report::Report;
use crate::stats::Spread;

const WATCHERS: usize = 100;
const PER_SECOND: u32 = 10;
const CHANGES: usize = 100;
/// What a watcher is told later than this it was not told.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn measure(
    report: &mut Report,
    runtime: &Handle,
    port: u16,
    crowd: &[Member],
) -> anyhow::Result<()> {
    let watchers = Watchers::start(runtime, port, WATCHERS)?;
    let subjects: Vec<&Member> = crowd.iter().step_by(crowd.len() / CHANGES).take(CHANGES).collect();
    let spreads = runs(|run| {
        out::progress(format!("registry: {WATCHERS} watchers, {run} of {RUNS}"));
        // In turns, so that each call is a change.
        let paused = run % 2 == 1;
        let (changed, told) = std::thread::scope(|scope| {
            let changed = scope.spawn(|| change(port, &subjects, paused));
            let told = collect(&watchers, paused);
            anyhow::Ok((changed.join().ok().context("the changer panicked")??, told?))
        })?;
        let took = told.iter().map(|(service, at)| Some(at.duration_since(*changed.get(service)?)));
        Ok(Spread::of(took.collect::<Option<_>>().context("a watcher was told what nobody changed")?))
    })?;
    let what = format!("a change reaches {WATCHERS} watchers at {PER_SECOND} changes/s, p99");
    report.add(Bar::p99(AREA, what, 25.0, &spreads));
    Ok(())
}

/// Changes each of them, and tells when: just before it is asked for.
fn change(port: u16, subjects: &[&Member], paused: bool) -> anyhow::Result<HashMap<ServiceId, Instant>> {
    let mut connection = Connection::open(port)?;
    let pace = Pace::per_second(PER_SECOND);
    let mut changed = HashMap::new();
    for (number, member) in (0..).zip(subjects) {
        let selector = Selector { service_id: Some(member.service_id), ..Selector::default() };
        let path = if paused { path::PAUSE } else { path::RESUME };
        let request = request("POST", path, &serde_json::to_string(&selector)?);
        pace.wait(number);
        changed.insert(member.service_id, Instant::now());
        let status = connection.call(&request)?;
        let text = String::from_utf8_lossy(connection.body());
        ensure!(status == 200, "{path} answers {status}: {text}");
    }
    Ok(changed)
}

/// When each watcher was told of each change.
fn collect(watchers: &Watchers, paused: bool) -> anyhow::Result<Vec<(ServiceId, Instant)>> {
    let mut told = Vec::with_capacity(CHANGES * WATCHERS);
    while told.len() < CHANGES * WATCHERS {
        let next = watchers.next(PATIENCE)?;
        let sighting =
            next.with_context(|| format!("{} of {} changes were told", told.len(), CHANGES * WATCHERS))?;
        match sighting.what {
            Told::Changed(service) if service.paused == paused => {
                told.push((service.service_id.parse()?, sighting.at));
            }
            Told::Lost(why) => bail!("watcher {} was lost: {why}", sighting.watcher),
            _ => {}
        }
    }
    Ok(told)
}
