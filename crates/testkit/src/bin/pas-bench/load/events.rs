//! Events for the event stream, and what is known of those that it has.

use std::ops::Range;
use std::time::Duration;

use anyhow::ensure;
use pas_types::event::{Cursor, HistoryPage};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;

use super::connection::{Connection, request};
use super::subscription::Subscription;

/// The beats of so many agents, as JSON.
pub(crate) fn beats(agents: usize) -> Vec<String> {
    let beat = |agent| {
        let beat = json!({
            "event_type": "heartbeat", "agent": format!("agent-{agent:03}"), "run_id": "R-001",
            "status": "running", "progress": 0.42,
            "token_usage": {"ctx_used": 8_200, "ctx_limit": 16_000},
            "resources": {"cpu": 0.7, "mem_mb": 512},
        });
        beat.to_string()
    };
    (0..agents).map(beat).collect()
}

/// The request that publishes this event, or all of these at once.
pub(crate) fn publishing(events: &[String]) -> Vec<u8> {
    match events {
        [event] => request("POST", "/events", event),
        events => request("POST", "/events", &format!("[{}]", events.join(","))),
    }
}

/// An event that can be told from others, and knows when it was due to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    number: u32,
    /// Since a time that publisher and subscriber agree on.
    due_us: u64,
}

/// What is read of a marked event.
#[derive(Debug, Deserialize)]
struct Marked {
    details: Mark,
}

impl Mark {
    /// The event with this number.
    pub(crate) fn new(number: u32, due: Duration) -> Self {
        Self { number, due_us: u64::try_from(due.as_micros()).unwrap_or(u64::MAX) }
    }

    /// Its JSON.
    pub(crate) fn event(self) -> String {
        let event = json!({
            "event_type": "status_update", "agent": "bench", "run_id": "R-001",
            "event": "progress", "message": "an event like many others", "details": self,
        });
        event.to_string()
    }

    /// How late it came, if it is the next of those that are expected.
    fn lag(self, expected: &mut Range<u32>, came: Duration) -> anyhow::Result<Duration> {
        let (Self { number, due_us }, next) = (self, expected.next());
        ensure!(next == Some(number), "the event {number} comes where {next:?} is expected");
        Ok(came.saturating_sub(Duration::from_micros(due_us)))
    }
}

/// Follows a subscription to marked events until all of `0..count` have come, and tells how long after it was due each
/// one came; `begin` is what publishers count from. Fails when one is missing, or comes again.
pub(crate) async fn follow(
    mut subscription: Subscription,
    begin: Instant,
    count: u32,
) -> anyhow::Result<Vec<Duration>> {
    let mut lags = Vec::with_capacity(count as usize);
    let mut expected = 0..count;
    while !expected.is_empty() {
        let events = subscription.next::<Marked>().await?;
        let came = begin.elapsed();
        for Marked { details } in events {
            lags.push(details.lag(&mut expected, came)?);
        }
    }
    Ok(lags)
}

/// The newest event of the stream.
pub(crate) fn head(port: u16) -> anyhow::Result<Cursor> {
    let mut connection = Connection::open(port)?;
    let status = connection.call(&request("GET", "/events?limit=1", ""))?;
    ensure!(status == 200, "/events answers {status}: {}", String::from_utf8_lossy(connection.body()));
    let HistoryPage { epoch, head, .. } = serde_json::from_slice(connection.body())?;
    Ok(Cursor { epoch, seq: head })
}

#[cfg(test)]
mod tests {
    use pas_types::event::Event;
    use pas_types::time::WireTime;

    use super::*;

    #[test]
    fn what_is_published_are_events() {
        let now = WireTime::from_millis(1_763_000_000_000);
        let events = [beats(2), vec![Mark::new(7, Duration::ZERO).event()]].concat();
        let types = events.iter().map(|event| Event::read(event.as_bytes(), now).unwrap().event_type());
        assert_eq!(
            types.map(|word| word.as_str()).collect::<Vec<_>>(),
            ["heartbeat", "heartbeat", "status_update"]
        );
    }

    #[test]
    fn a_mark_comes_back_and_is_as_late_as_it_is_after_its_time() {
        let event = Mark::new(7, Duration::from_millis(20)).event();
        let Marked { details } = serde_json::from_str(&event).unwrap();
        assert_eq!(details.lag(&mut (7..9), Duration::from_millis(25)).unwrap(), Duration::from_millis(5));
    }

    #[test]
    fn an_event_that_is_missing_and_one_that_comes_again_are_noticed() {
        let lag = |number, expected: &mut Range<u32>| {
            Mark::new(number, Duration::ZERO).lag(expected, Duration::ZERO)
        };
        assert!(lag(8, &mut (7..9)).is_err());
        let mut expected = 7..9;
        assert!(lag(7, &mut expected).is_ok());
        assert!(lag(7, &mut expected).is_err());
    }
}
