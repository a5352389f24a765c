//! How long after an event was due to be published its subscribers have it.

use std::time::Duration;

use anyhow::Context;
use pas_types::event::{EventType, Subscribe};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::AREA;
use crate::bar::Bar;
use crate::load::events::{self, Mark};
use crate::load::publisher;
use crate::load::subscription::Subscription;
use crate::report::Report;
use crate::stats::Spread;

/// Subscribers at the same time.
pub(super) const MANY: usize = 100;
const PER_SECOND: u32 = 1_000;
const EVENTS: u32 = 4 * PER_SECOND;
/// What a subscriber doesn't have so long after the last event was published it does not get.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long each of some events takes to each of so many subscribers. Fails when one gets them not all, not in order, or
/// not once.
pub(super) fn lags(runtime: &Handle, port: u16, subscribers: usize) -> anyhow::Result<Spread> {
    let subscriptions = runtime.block_on(Subscription::open_many(port, &wanted(), subscribers))?;
    let begin = Instant::now();
    let mut followers = JoinSet::new();
    for subscription in subscriptions {
        followers.spawn_on(events::follow(subscription, begin, EVENTS), runtime);
    }
    publisher::at_rate(port, PER_SECOND, EVENTS, |number, due| {
        Mark::new(number, due.saturating_duration_since(begin)).event()
    })?;
    Ok(Spread::of(runtime.block_on(complete(followers, PATIENCE))?))
}

/// The subscription to marked events alone.
pub(super) fn wanted() -> Subscribe {
    Subscribe { types: vec![EventType::StatusUpdate], ..Subscribe::default() }
}

/// What all followers have found, once each has all events.
pub(super) async fn complete(
    mut followers: JoinSet<anyhow::Result<Vec<Duration>>>,
    patience: Duration,
) -> anyhow::Result<Vec<Duration>> {
    let found = async {
        let mut all = Vec::new();
        while let Some(one) = followers.join_next().await {
            all.extend(one??);
        }
        Ok(all)
    };
    timeout(patience, found).await.context("a subscriber lacks events")?
}

/// Reports what was measured in several runs.
pub(super) fn report(report: &mut Report, to_many: &[Spread], to_one: &[Spread]) {
    let what = format!("an event reaches {MANY} Socket.IO subscribers at {PER_SECOND} events/s, p99");
    report.add(Bar::p99(AREA, what, 150.0, to_many));
    let what = format!("an event reaches one Socket.IO subscriber at {PER_SECOND} events/s, p95");
    report.add(Bar::p95(AREA, what, 20.0, to_one));
}
