//! The loops. Each ends on shutdown.

use std::time::Duration;

use pas_service::Health;
use pas_types::health::HealthStatus;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::app::App;

/// How often what is old is looked for.
const RETENTION: Duration = Duration::from_secs(1);
/// How long after a failed read it is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How often it is said in `/health` how far subscribers are.
const STANDINGS: Duration = Duration::from_secs(1);

/// Brings the views up to the journal whenever it has grown.
pub async fn follow(app: App, mut grown: watch::Receiver<u64>, health: Health) {
    let shutdown = app.shared.shutdown.clone();
    let (mut reader, mut failed) = (app.reader(app.head()), false);
    loop {
        match app.follow(&mut reader) {
            Ok(()) => health.ok("follower"),
            // Subscribers wait meanwhile; publishing goes on. What was read before the error is read again.
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the journal can't be followed");
                health.set("follower", HealthStatus::Degraded, "the journal can't be read");
                reader = app.reader(app.followed_to(&error));
                failed = true;
            }
        }
        let again = std::mem::take(&mut failed);
        tokio::select! {
            grown = grown.changed() => if grown.is_err() { return },
            () = tokio::time::sleep(AGAIN), if again => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// Reads what agents said before the start, where that was too much to wait for.
pub async fn read_the_past(app: App) {
    let shutdown = app.shared.shutdown.clone();
    loop {
        let app = app.clone();
        match tokio::task::spawn_blocking(move || app.read_the_past()).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => tracing::error!(%error, "the past can't be read"),
            Err(error) => tracing::error!(%error, "the past can't be read"),
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// Removes what is older, or more, than is to be kept.
pub async fn retain(app: App) {
    let mut ticks = ticks(RETENTION);
    while tick(&app, &mut ticks).await {
        let app = app.clone();
        // A round that panicked is in the log; the next begins anew.
        let _ = tokio::task::spawn_blocking(move || app.retain()).await;
    }
}

/// Hands out the gauges, once an interval.
pub async fn gauge(app: App, interval: Duration) {
    let mut ticks = ticks(interval);
    while tick(&app, &mut ticks).await {
        app.gauge(interval);
    }
}

/// Says how far subscribers are.
pub async fn standings(app: App, health: Health) {
    let mut ticks = ticks(STANDINGS);
    while tick(&app, &mut ticks).await {
        let standings = app.shared.subscribers.standings();
        let furthest = standings.iter().map(|standing| app.head().saturating_sub(standing.at)).max();
        match furthest {
            None => health.ok("subscribers"),
            Some(lag) => {
                let reason = format!("{} read; the one furthest behind by {lag} events", standings.len());
                health.set("subscribers", HealthStatus::Ok, reason);
            }
        }
    }
}

fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Waits for the next tick; false on shutdown.
async fn tick(app: &App, ticks: &mut tokio::time::Interval) -> bool {
    tokio::select! {
        _ = ticks.tick() => true,
        () = app.shared.shutdown.cancelled() => false,
    }
}
