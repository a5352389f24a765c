//! Alerts from and to the event stream.

use std::sync::Arc;
use std::time::Duration;

use pas_service::clock;
use pas_service::publisher::Publisher;
use tokio_util::sync::CancellationToken;

use super::Pause;
use crate::app::App;
use crate::client::Events;

/// The pause before the database is asked again that failed.
const AGAIN: Duration = Duration::from_secs(1);

/// Takes other services' alerts from the event stream, from where it was left.
pub(super) async fn hear(app: Arc<App>, events: Events, shutdown: CancellationToken) {
    let mut pause = Pause::new("alerts");
    loop {
        let Err(error) = tokio::select! {
            broken = hear_until_it_breaks(&app, &events, &mut pause) => broken,
            () = shutdown.cancelled() => return,
        };
        app.hears_nothing(&error);
        tokio::select! {
            () = pause.after(&error) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

async fn hear_until_it_breaks(
    app: &App,
    events: &Events,
    pause: &mut Pause,
) -> anyhow::Result<std::convert::Infallible> {
    let mut alerts = events.alerts(app.heard_up_to().await?).await?;
    loop {
        app.hear(alerts.next().await?, clock::now()).await?;
        pause.reset();
    }
}

/// Tells the event stream of the monitor's own alerts, from where that was left.
pub(super) async fn publish(app: Arc<App>, publisher: Publisher, shutdown: CancellationToken) {
    loop {
        let wait = match app.unpublished().await {
            Ok(Some(next)) => {
                if publisher.deliver(next.events).await.is_err() {
                    return;
                }
                match app.published(next.to).await {
                    Ok(()) => continue,
                    Err(_) => AGAIN,
                }
            }
            Ok(None) => Duration::MAX,
            Err(_) => AGAIN,
        };
        tokio::select! {
            () = app.raised.notified() => {}
            () = tokio::time::sleep(wait) => {}
            () = shutdown.cancelled() => return,
        }
    }
}
