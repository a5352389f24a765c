//! Into the journal: what is new of what is published, all of it or nothing.

use pas_journal::{AppendError, Appended, Payload, Refused};
use pas_service::clock;
use pas_types::Error;
use pas_types::event::{Event, RefusedBatch};
use pas_types::health::HealthStatus;
use tokio::sync::oneshot;

use super::App;
use crate::core::keys::Known;
use crate::error::Refusal;

/// What became of events that were published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The epoch of the places.
    pub epoch: u64,
    /// The places of the first and the last of them, wherever they came from.
    pub span: (u64, u64),
    /// The places of those that are new.
    pub fresh: Option<(u64, u64)>,
    /// How many are not new.
    pub duplicates: usize,
}

/// Events on their way into the journal.
#[derive(Debug, Default)]
struct Batch {
    payloads: Vec<Payload>,
    /// Of each new event, in order.
    fresh_keys: Vec<Option<String>>,
    /// Of each event, the place that it has already.
    known: Vec<Option<u64>>,
}

impl App {
    /// Appends events, all or none; what came before under the same key is not kept twice. Answers when the journal has
    /// them.
    pub async fn publish(&self, events: Vec<Event>) -> Result<Placed, Refusal> {
        let Batch { payloads, fresh_keys, known } = self.admit(&events)?;
        let epoch = self.epoch();
        let appended =
            if payloads.is_empty() { None } else { Some(self.append(payloads, fresh_keys).await?) };
        let mut next = appended.map_or(0, |appended| appended.first_seq);
        let places = known.iter().map(|known| {
            known.unwrap_or_else(|| {
                next += 1;
                next - 1
            })
        });
        let places: Vec<u64> = places.collect();
        let duplicates = known.iter().flatten().count();
        self.shared.counts.duplicates.inc_by(duplicates as u64);
        Ok(Placed {
            epoch,
            span: (places.first().copied().unwrap_or(0), places.last().copied().unwrap_or(0)),
            fresh: appended.map(|appended| (appended.first_seq, appended.last_seq)),
            duplicates,
        })
    }

    /// Tells the events that came before from the new ones, whose keys are then underway.
    fn admit(&self, events: &[Event]) -> Result<Batch, Refusal> {
        let mut batch = Batch::default();
        for event in events {
            let text = serde_json::to_vec(event).map_err(|error| Refusal::Unwritable(error.to_string()))?;
            batch.payloads.push(Payload::new(text).map_err(|error| Refusal::Unwritable(error.to_string()))?);
        }
        let mut keys = self.keys();
        for (index, event) in events.iter().enumerate() {
            match event.idempotency_key.as_deref().map(|key| (key, keys.get(key))) {
                Some((_, Some(Known::At(seq)))) => batch.known.push(Some(seq)),
                Some((key, Some(Known::Underway))) => {
                    let twice = batch.fresh_keys.iter().flatten().any(|fresh| fresh == key);
                    batch.fresh_keys.iter().flatten().for_each(|key| keys.give_up(key));
                    return Err(if twice {
                        twice_in_a_batch(index, key)
                    } else {
                        Refusal::Underway(key.to_owned())
                    });
                }
                Some((key, None)) => {
                    keys.begin(key);
                    batch.fresh_keys.push(Some(key.to_owned()));
                    batch.known.push(None);
                }
                None => {
                    batch.fresh_keys.push(None);
                    batch.known.push(None);
                }
            }
        }
        let mut known = batch.known.iter();
        batch.payloads.retain(|_| known.next().is_some_and(Option::is_none));
        Ok(batch)
    }

    async fn append(&self, payloads: Vec<Payload>, keys: Vec<Option<String>>) -> Result<Appended, Refusal> {
        let (tell, told) = oneshot::channel();
        let app = self.clone();
        let lost = keys.clone();
        // The keys are settled here, for whoever waits may be gone by then.
        let done = move |appended: Result<Appended, _>| {
            app.settle(&keys, appended.as_ref().ok());
            app.shared.counts.published.inc_by(if appended.is_ok() { keys.len() as u64 } else { 0 });
            app.note_write(appended.as_ref().err());
            let _ = tell.send(appended.map_err(|_| Refusal::CannotWrite));
        };
        self.shared.journal.append(payloads, clock::now(), done).map_err(|refused| {
            self.settle(&lost, None);
            match refused {
                Refused::Full | Refused::TooLarge { .. } | Refused::Empty => Refusal::Overloaded,
                Refused::Closed => Refusal::Stopping,
            }
        })?;
        told.await.unwrap_or(Err(Refusal::Stopping))
    }

    fn settle(&self, fresh: &[Option<String>], appended: Option<&Appended>) {
        let mut keys = self.keys();
        for (number, key) in (0..).zip(fresh) {
            match (key, appended) {
                (Some(key), Some(appended)) => keys.place(key, appended.first_seq + number),
                (Some(key), None) => keys.give_up(key),
                (None, _) => {}
            }
        }
    }

    fn note_write(&self, error: Option<&AppendError>) {
        if !self.shared.counts.write_failing(error.is_some()) {
            return;
        }
        let Some(error) = error else { return self.shared.health.ok("journal") };
        tracing::error!(error = error as &dyn std::error::Error, "the journal can't be written");
        self.shared.health.set("journal", HealthStatus::Degraded, "it can't be written: is the disk full?");
    }
}

fn twice_in_a_batch(index: usize, key: &str) -> Refusal {
    let message = format!("the key `{key}` is in the batch twice: give each event its own");
    let error = Error::invalid("idempotency_key", message);
    Refusal::Batch(RefusedBatch { index: Some(index), error })
}
