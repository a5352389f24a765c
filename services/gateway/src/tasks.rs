//! The loops. Each ends on shutdown.

use std::sync::Arc;
use std::time::Duration;

use pas_service::fleet::Snapshot;
use pas_service::{Health, clock};
use pas_types::alert::{AlertType, Severity};
use pas_types::health::HealthStatus;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::client::{Heard, Router};
use crate::knowledge::Knowledge;

/// How often what is known is looked after: kept on disk, and told when it grows old.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is looked whether all calls have ended, once that is all that is waited for.
const END: Duration = Duration::from_millis(20);
/// The registry speaks every 5 s: what is older than this is stale.
const STALE: Duration = Duration::from_secs(15);

/// Learns what is registered.
pub async fn follow_registry(
    app: App,
    knowledge: Arc<Knowledge>,
    mut heard: watch::Receiver<Arc<Snapshot>>,
    shutdown: CancellationToken,
) {
    while let Some(Ok(())) = shutdown.run_until_cancelled(heard.changed()).await {
        let services = Arc::clone(&heard.borrow_and_update());
        let (fleet, heard) = knowledge.learn_services(&services);
        app.learn(fleet, heard);
    }
}

/// Learns by which documents is chosen.
pub async fn follow_router(
    app: App,
    knowledge: Arc<Knowledge>,
    router: Router,
    health: Health,
    shutdown: CancellationToken,
) {
    let hear = |heard: Heard| match heard {
        Heard::Progress => health.ok("router"),
        Heard::Broke(error) => {
            let reason =
                format!("the provider router is not heard, what was in force goes on to hold: {error}");
            health.set("router", HealthStatus::Degraded, reason);
        }
        Heard::Documents(documents) => match knowledge.learn_documents(documents) {
            Ok((fleet, heard)) => {
                app.learn(fleet, heard);
                health.ok("router");
            }
            Err(error) => {
                tracing::error!("the provider router sent documents that can't be used: {error:#}");
                let reason = format!("the provider router sent documents that can't be used: {error:#}");
                health.set("router", HealthStatus::Degraded, reason);
            }
        },
    };
    router.follow(hear, shutdown).await;
}

/// Once the gateway is to stop: calls may end by themselves for four fifths of the grace. What is left of it is for the others to be
/// told, and for their receipts.
pub async fn end_calls(app: App, grace: Duration, shutdown: CancellationToken) {
    shutdown.cancelled().await;
    let until = Instant::now() + grace * 4 / 5;
    while app.in_flight().count() > 0 {
        if Instant::now() >= until {
            return app.in_flight().stop();
        }
        tokio::time::sleep(END).await;
    }
}

/// Keeps what is known on disk, says when it grows old, and closes connections that nobody uses any more.
pub async fn look_after(app: App, knowledge: Arc<Knowledge>, health: Health, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_stale = false;
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        app.snapshots().shed_idle();
        let kept = Arc::clone(&knowledge);
        let kept = tokio::task::spawn_blocking(move || kept.keep()).await;
        match kept {
            Ok(Ok(())) => health.ok("snapshot"),
            Ok(Err(error)) => {
                health.set("snapshot", HealthStatus::Degraded, format!("it is not kept: {error:#}"))
            }
            Err(_) => return,
        }
        let age = clock::monotonic().saturating_sub(app.snapshots().take().heard.at);
        if (age > STALE) != is_stale {
            is_stale = age > STALE;
            let (severity, message) = match is_stale {
                true => (Severity::Warning, "the registry is not heard: calls go where it last said"),
                false => (Severity::Info, "the registry is heard again"),
            };
            tracing::warn!("{message}");
            app.alert(AlertType::SnapshotStale, severity, None, message.to_owned());
        }
    }
    // What was learned in the last second.
    drop(tokio::task::spawn_blocking(move || knowledge.keep()).await);
}
