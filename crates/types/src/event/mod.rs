//! Events: what happened, as it is published, kept and read back. One Rust type for each type of event, flat on the
//! wire: the fields of the type stand beside `event_type` and the fields that every event may carry.

mod agent;
mod alert;
mod answer;
mod batch;
mod body;
mod cursor;
mod flat;
mod governor;
mod query;
mod receipt;
mod registry;
mod resource;
mod schema;
#[cfg(test)]
mod tests;
mod work;

pub use agent::{AgentStatus, Heartbeat, Log, LogLevel, StatusUpdate};
pub use alert::Alert;
pub use answer::{
    AgentGauges, AgentSnapshot, Frame, Gauges, HistoryPage, Published, PublishedBatch, RawEvent, Snapshot,
    SubscribeMode, Subscribed,
};
pub use batch::{Posted, RefusedBatch, read_batch};
pub use body::{Body, Class, EventType};
pub use cursor::Cursor;
pub use governor::{
    Budget, BudgetStatus, Checkpoint, CheckpointMethod, CheckpointState, CheckpointTrigger, Context,
    ContextStatus, LimitType, TokenAmounts, UsdAmounts, Window,
};
pub use query::{EventFilter, Header, HistoryQuery, StreamQuery, Subscribe};
pub use receipt::{CallCost, CallStatus, CallTimings, CallUsage, CostState, Receipt, UsageSource};
pub use registry::{Deregistered, Paused, Promoted, Registered, Resumed};
pub use resource::{Containment, Job, JobStatus, Reservation, ReservationStatus};
pub use work::{Step, Task, TaskStatus};

use serde::{Serialize, Serializer};

use crate::check::check_name_if_given;
use crate::error::Error;
use crate::id::{RunId, ServiceId};
use crate::time::WireTime;
use crate::{json, limits};
use body::Need;
use flat::{Common, Flat};

/// The paths under which the event stream is asked for what happened.
pub mod path {
    /// `GET`: a page of it.
    pub const EVENTS: &str = "/events";
    /// `GET`: all of it, as lines of JSON.
    pub const EXPORT: &str = "/events/export";
    /// `GET`: how things stand by it.
    pub const SNAPSHOT: &str = "/snapshot";
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When.
    pub ts: WireTime,
    /// Whose doing it was.
    pub agent: Option<String>,
    /// The agent's run.
    pub run_id: Option<RunId>,
    /// The service that it is about.
    pub service_id: Option<ServiceId>,
    /// What came under the same key already is not kept twice.
    pub idempotency_key: Option<String>,
    /// What happened.
    pub body: Body,
}

impl Event {
    /// An event that says nothing but what happened, and when.
    pub fn new(ts: WireTime, body: impl Into<Body>) -> Self {
        Self { ts, agent: None, run_id: None, service_id: None, idempotency_key: None, body: body.into() }
    }

    /// Its type.
    pub fn event_type(&self) -> EventType {
        self.body.event_type()
    }

    /// Reads and checks what a publisher sends. An event without a `ts` happened `now`.
    pub fn read(json: &[u8], now: WireTime) -> Result<Self, Error> {
        if json.len() > limits::EVENT_BYTES {
            let message = format!("the event has {} bytes: use at most {}", json.len(), limits::EVENT_BYTES);
            return Err(Error::invalid("body", message).with_status(413));
        }
        let (common, body) = json::parse_seed(json, Flat { event_type: event_type(json)?, strict: true })?;
        let event = Self::of(common, body, now);
        event.validate(now)?;
        Ok(event)
    }

    /// Refuses what breaks a limit, what lacks a field that its type needs, and what is yet to happen.
    pub fn validate(&self, now: WireTime) -> Result<(), Error> {
        let ahead_ms = self.ts.as_millis().saturating_sub(now.as_millis());
        if ahead_ms > limits::EVENT_AHEAD_S * 1000 {
            let message = format!(
                "ts is {}, which is {} s ahead of the clock here: use at most {} s, or leave it out",
                self.ts,
                ahead_ms / 1000,
                limits::EVENT_AHEAD_S
            );
            return Err(Error::invalid("ts", message));
        }
        let lacks = |need: &Need| match need {
            Need::Agent => self.agent.is_none(),
            Need::ServiceId => self.service_id.is_none(),
        };
        if let Some(need) = self.body.needs().iter().find(|need| lacks(need)) {
            let (field, event_type) = (need.as_str(), self.event_type());
            let message = format!("{field} is missing: an event of type {event_type} is always about one");
            return Err(Error::invalid(field, message));
        }
        check_name_if_given("agent", self.agent.as_deref())?;
        check_name_if_given("idempotency_key", self.idempotency_key.as_deref())?;
        self.body.validate()
    }

    fn of(common: Common, body: Body, now: WireTime) -> Self {
        let Common { seq: _, ts, agent, run_id, service_id, idempotency_key } = common;
        Self { ts: ts.unwrap_or(now), agent, run_id, service_id, idempotency_key, body }
    }
}

/// An event as the event stream keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Its place in the stream.
    pub seq: u64,
    /// The event.
    pub event: Event,
}

impl Recorded {
    /// Reads what the event stream sends. Fields that a newer version has added to the event are passed over.
    pub fn read(json: &[u8]) -> Result<Self, Error> {
        let (common, body) = json::parse_seed(json, Flat { event_type: event_type(json)?, strict: false })?;
        let missing = |field: &str| {
            Error::invalid(field, format!("{field} is missing: every event of the stream has one"))
        };
        let seq = common.seq.ok_or_else(|| missing("seq"))?;
        let ts = common.ts.ok_or_else(|| missing("ts"))?;
        Ok(Self { seq, event: Event::of(common, body, ts) })
    }
}

fn event_type(json: &[u8]) -> Result<EventType, Error> {
    let word = json::parse_seed(json, flat::TypeWord)?;
    if word.is_empty() {
        let message =
            format!("event_type is missing: use one of {}", EventType::ALL.map(EventType::as_str).join(", "));
        return Err(Error::invalid("event_type", message));
    }
    EventType::read(&word).map_err(|error| error.with_field("event_type"))
}

impl Serialize for Event {
    /// The type and the time come first, so that whoever looks at a line sees them.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Line<'a> {
            event_type: EventType,
            ts: WireTime,
            #[serde(skip_serializing_if = "Option::is_none")]
            agent: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            run_id: Option<&'a RunId>,
            #[serde(skip_serializing_if = "Option::is_none")]
            service_id: Option<ServiceId>,
            #[serde(skip_serializing_if = "Option::is_none")]
            idempotency_key: Option<&'a str>,
            #[serde(flatten)]
            body: &'a Body,
        }
        let line = Line {
            event_type: self.event_type(),
            ts: self.ts,
            agent: self.agent.as_deref(),
            run_id: self.run_id.as_ref(),
            service_id: self.service_id,
            idempotency_key: self.idempotency_key.as_deref(),
            body: &self.body,
        };
        line.serialize(serializer)
    }
}
