//! What agents say, on its way to the event stream: in order, in batches, held for a while when it is away.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Method;
use pas_service::client::{CallError, Client};
use pas_service::clock;
use pas_types::event::{Event, Log, LogLevel, StatusUpdate};
use pas_types::id::RunId;
use serde::de::IgnoredAny;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::core::Told;
use crate::out::Link;

/// What is held at the most; then the oldest is lost.
const HELD: usize = 4_000;
const BATCH: usize = 200;
/// From one batch to the next.
const PACE: Duration = Duration::from_millis(200);
const CALL: Duration = Duration::from_secs(3);
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));
/// Time for the last batch.
const LAST_WORD: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub(crate) struct Events {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    events: VecDeque<Event>,
    lost: u64,
}

impl Events {
    /// An agent says something.
    pub(crate) fn tell(&self, agent: &str, run: Option<RunId>, told: Told) {
        self.push(event(agent, run, told));
    }

    fn push(&self, event: Event) {
        // What is sent again after an answer that was lost must not be kept twice.
        let event = Event { idempotency_key: Some(format!("demo-{}", clock::new_id())), ..event };
        let mut held = self.held();
        if held.events.len() >= HELD {
            held.events.pop_front();
            held.lost += 1;
        }
        held.events.push_back(event);
    }

    /// Sends until `shutdown`, and then what is still there, if that is quick.
    pub(crate) async fn run(
        &self,
        events_url: &str,
        client: Client,
        link: Link,
        shutdown: CancellationToken,
    ) {
        let url = format!("{events_url}/events");
        let (mut wait, mut pause) = (PACE, PAUSES.0);
        while shutdown.run_until_cancelled(sleep(wait)).await.is_some() {
            wait = match self.send(&client, &url, CALL).await {
                Ok(()) => {
                    link.works();
                    pause = PAUSES.0;
                    PACE
                }
                Err(error) => {
                    link.fails(error);
                    let wait = clock::jittered(pause, 0.5);
                    pause = (pause * 2).min(PAUSES.1);
                    wait
                }
            };
        }
        // Who can't be told at the end isn't.
        drop(self.send(&client, &url, LAST_WORD).await);
    }

    /// Sends the oldest. Those that are refused for good are dropped, or they would hold up all others.
    async fn send(&self, client: &Client, url: &str, within: Duration) -> Result<(), CallError> {
        let batch: Vec<Event> = self.held().events.iter().take(BATCH).cloned().collect();
        let Some(last) = batch.last().and_then(|event| event.idempotency_key.clone()) else { return Ok(()) };
        let sent = client.call::<_, IgnoredAny>(Method::POST, url, &batch, within).await;
        let is_over = match &sent {
            Ok(_) => true,
            Err(CallError::Refused { status, .. }) => (400..500).contains(status) && *status != 429,
            Err(_) => false,
        };
        if is_over {
            self.let_go(&last);
        }
        sent.map(|_| ())
    }

    /// Up to this one, all are there. What was lost meanwhile is said behind them.
    fn let_go(&self, last: &str) {
        let mut held = self.held();
        let place = held.events.iter().position(|event| event.idempotency_key.as_deref() == Some(last));
        held.events.drain(..place.map_or(0, |place| place + 1));
        let lost = std::mem::take(&mut held.lost);
        drop(held);
        if lost > 0 {
            let message = format!("{lost} events of the demo were lost: too many waited");
            let level = Some(LogLevel::Warn);
            self.push(Event::new(clock::now().wall.into(), Log { message, level }));
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn event(agent: &str, run_id: Option<RunId>, told: Told) -> Event {
    let status = |event: &str, progress: Option<f64>, message: String| {
        let (event, message) = (event.to_owned(), Some(message));
        StatusUpdate { event, task_id: None, progress, message, details: None }.into()
    };
    let body: pas_types::event::Body = match told {
        Told::Started { title } => status("started", Some(0.0), format!("begins: {title}")),
        Told::Progress { progress, message } => status("progress", Some(progress), message),
        Told::Completed { message } => status("completed", Some(1.0), message),
        Told::Failed { progress, message } => status("failed", Some(progress), message),
        Told::Log { warn, message } => {
            let level = if warn { LogLevel::Warn } else { LogLevel::Info };
            Log { message, level: Some(level) }.into()
        }
    };
    Event { agent: Some(agent.to_owned()), run_id, ..Event::new(clock::now().wall.into(), body) }
}
