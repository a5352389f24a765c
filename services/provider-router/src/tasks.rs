//! The loops. Each ends on `shutdown`.

use std::sync::Arc;
use std::time::Duration;

use pas_service::fleet::Snapshot;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// Looks at the files every now and then.
pub async fn look(app: Arc<App>, every: Duration, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        app.look().await;
    }
}

/// Keeps what is chosen from up to date: with what is registered, and with what is in force.
pub async fn rebuild(
    app: Arc<App>,
    mut snapshots: watch::Receiver<Arc<Snapshot>>,
    shutdown: CancellationToken,
) {
    let mut documents = app.documents();
    let mut services = None;
    loop {
        let snapshot = Arc::clone(&snapshots.borrow_and_update());
        let is_same = services.as_ref().is_some_and(|known| Arc::ptr_eq(known, &snapshot.services));
        // What the registry says every few seconds changes nothing, mostly.
        if !is_same || documents.has_changed().unwrap_or_default() {
            documents.borrow_and_update();
            app.rebuild(&snapshot);
            services = Some(Arc::clone(&snapshot.services));
        }
        tokio::select! {
            changed = snapshots.changed() => if changed.is_err() { return },
            changed = documents.changed() => {
                if changed.is_err() {
                    return;
                }
                services = None;
            }
            () = shutdown.cancelled() => return,
        }
    }
}
