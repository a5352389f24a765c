//! The loops. Each ends on `shutdown`.

use std::time::Duration;

use pas_service::{Health, clock, presence};
use pas_types::health::HealthStatus;
use pas_types::registry::{Heartbeat, Registered, Registration};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::error::Refusal;

/// The pause before the history is read again that could not be read.
const AGAIN: Duration = Duration::from_secs(1);

/// Looks who is silent, and says how the start goes on.
pub async fn sweep(app: App, health: Health, period: Duration, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = shutdown.cancelled() => return,
        }
        app.sweep();
        match app.awaited() {
            0 => health.ok("boot"),
            awaited => health.set(
                "boot",
                HealthStatus::Recovering,
                format!("{awaited} services of before the start have not beaten yet"),
            ),
        }
    }
}

/// Tells the event stream what happened, from where that was left.
pub async fn publish(app: App, shutdown: CancellationToken) {
    let mut heads = app.heads();
    loop {
        heads.borrow_and_update();
        let wait = match app.publish_more().await {
            Ok(true) => continue,
            Ok(false) => Duration::MAX,
            Err(Refusal::Stopping) => return,
            // What failed is logged where it failed.
            Err(_) => AGAIN,
        };
        tokio::select! {
            _ = heads.changed() => {}
            () = tokio::time::sleep(wait) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// Keeps the registry on its own list.
pub async fn own_beat(
    app: App,
    health: Health,
    registration: Registration,
    mut registered: Registered,
    shutdown: CancellationToken,
) {
    let mut wait = Duration::from_millis(registered.next_beat_ms);
    loop {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = shutdown.cancelled() => return,
        }
        let (status, reason) = presence::word(health.report(clock::now()));
        let plain = Heartbeat::plain(registered.service_id, Some(registered.lease_id));
        let beat = Heartbeat { status: Some(status), reason, ..plain };
        match app.beat(&beat) {
            Ok(answer) => wait = Duration::from_millis(answer.next_beat_ms),
            Err(Refusal::UnknownService(_) | Refusal::StaleLease(_)) => {
                match app.register(registration.clone()).await {
                    Ok((again, _)) => registered = again,
                    Err(error) => tracing::warn!(%error, "the registry can't list itself; it tries again"),
                }
            }
            Err(error) => tracing::error!(%error, "the registry refused its own beat"),
        }
    }
}
