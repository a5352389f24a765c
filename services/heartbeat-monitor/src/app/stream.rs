//! Alerts from and to the event stream.

use pas_types::alert::HeartbeatAlert;
use pas_types::event::{Cursor, Event};
use pas_types::health::HealthStatus;
use pas_types::time::Now;

use super::{App, Result};
use crate::core::{Heard, Raised, Unpublished, mute};

/// The health check of the stream that brings other services' alerts.
const HEARD: &str = "event_alerts";
/// Alerts that are published at once.
const PUBLISHED_AT_ONCE: u32 = 500;

impl App {
    /// Up to where the event stream was read.
    pub async fn heard_up_to(&self) -> Result<Cursor> {
        self.read(|store| Ok(store.heard()?)).await
    }

    /// Takes what the event stream says of alerts: those that are new and the new place are stored together.
    pub async fn hear(&self, heard: Heard, now: Now) -> Result<()> {
        self.health.ok(HEARD);
        self.counts.passed_over.inc_by(heard.passed_over);
        if heard.reset {
            tracing::info!(
                "the event stream goes on with the oldest that it keeps; alerts are known by their ids"
            );
        }
        let Some(to) = heard.to else { return Ok(()) };
        let mutes = self.mutes.lock().await.clone();
        let new = self
            .write(move |store| {
                let marked = heard.alerts.into_iter().map(|mut alert| {
                    mutes.mark(&mut alert, now.wall.into());
                    Raised { alert, source_seq: None }
                });
                let marked: Vec<Raised> = marked.collect();
                let new: Vec<HeartbeatAlert> = store.hear(&marked, to)?.into_iter().cloned().collect();
                Ok(new)
            })
            .await?;
        self.make_known(&new);
        Ok(())
    }

    /// Other services' alerts don't come any more. Those of the monitor don't need them, so it is no less well.
    pub fn hears_nothing(&self, error: &anyhow::Error) {
        let reason = format!("alerts of other services don't come: {error:#}");
        self.health.set(HEARD, HealthStatus::Ok, reason);
    }

    /// The next of the monitor's own alerts that the event stream doesn't have.
    pub async fn unpublished(&self) -> Result<Option<Unpublished>> {
        let next = self.read(|store| Ok(store.unpublished(PUBLISHED_AT_ONCE)?)).await?;
        let Some(to) = next.last().map(|(_, place)| *place) else { return Ok(None) };
        let alerts = next.into_iter().map(|(alert, _)| alert);
        let events = alerts.filter(|alert| !mute::is_muted(alert)).map(Event::from).collect();
        Ok(Some(Unpublished { events, to }))
    }

    /// The event stream has them up to the place `to`.
    pub async fn published(&self, to: i64) -> Result<()> {
        self.write(move |store| Ok(store.set_published(to)?)).await
    }
}
