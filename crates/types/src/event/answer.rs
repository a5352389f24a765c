//! What the event stream answers and sends.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::cursor::Cursor;
use crate::time::WireTime;
use crate::word::words;

/// An event as the journal has it: its text, with its `seq`. [`super::Recorded::read`] makes an event of it.
pub type RawEvent = Box<RawValue>;

/// The answer to one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Published {
    /// The life of the journal that `seq` belongs to.
    pub epoch: u64,
    /// Its place.
    pub seq: u64,
    /// The same as a cursor: what comes later comes after it.
    pub cursor: Cursor,
}

/// The answer to a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublishedBatch {
    /// The life of the journal that the places belong to.
    pub epoch: u64,
    /// The place of its first event.
    pub first_seq: u64,
    /// The place of its last event. Where some had come before, what lies between need not be of this batch.
    pub last_seq: u64,
    /// The last place as a cursor: what comes later comes after it.
    pub cursor: Cursor,
}

/// The answer of `GET /events`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HistoryPage {
    /// The events, oldest first.
    #[schema(value_type = Vec<Object>)]
    pub events: Vec<RawEvent>,
    /// Where the next page begins; null when there is nothing more yet.
    pub next_cursor: Option<Cursor>,
    /// Where this page ends, also when there is nothing more yet: what comes later comes after it.
    pub cursor: Cursor,
    /// The life of the journal that all places belong to.
    pub epoch: u64,
    /// The place of the newest event.
    pub head: u64,
    /// The place of the oldest event that is kept.
    pub oldest: u64,
}

words! {
    /// How a subscription goes on.
    SubscribeMode, "mode of a subscription" {
        /// With what happened since the place that the subscriber named.
        Delta = "delta",
        /// From now on: what the subscriber knows may have gaps, since its place is of another epoch or not kept.
        Reset = "reset",
    }
}

/// The answer to `subscribe`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Subscribed {
    /// The life of the journal that all places belong to.
    pub epoch: u64,
    /// The place of the newest event.
    pub head: u64,
    /// The place of the oldest event that is kept.
    pub oldest: u64,
    /// How the subscription goes on.
    pub mode: SubscribeMode,
}

/// Events on their way to a subscriber: all that it wants of those after `from`, up to `to`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Frame {
    /// The `to` of the frame before.
    pub from: Cursor,
    /// Where to resume.
    pub to: Cursor,
    /// The events, oldest first.
    #[schema(value_type = Vec<Object>)]
    pub events: Vec<RawEvent>,
}

/// The answer of `GET /snapshot`: the latest of each agent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Snapshot {
    /// The life of the journal that all places belong to.
    pub epoch: u64,
    /// The place up to which this is true; what follows can be had from there.
    pub head: u64,
    /// The agents, by name.
    pub agents: Vec<AgentSnapshot>,
}

/// The latest that an agent told of itself.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AgentSnapshot {
    /// Its name.
    pub agent: String,
    /// Its latest `heartbeat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub heartbeat: Option<RawEvent>,
    /// Its latest `status_update`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub status_update: Option<RawEvent>,
}

/// What changes all the time, once an interval. One that is lost is not missed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Gauges {
    /// The end of the interval.
    pub ts: WireTime,
    /// Its length.
    pub interval_ms: u64,
    /// Cores that all agents together use, by their latest beats.
    pub cpu: f64,
    /// Mebibytes of memory that all agents together use, by their latest beats.
    pub mem_mb: f64,
    /// Tokens that went through the gateway, by the receipts of the interval.
    pub tokens_per_s: f64,
    /// Each agent that said something in the interval.
    pub agents: Vec<AgentGauges>,
}

/// The gauges of one agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentGauges {
    /// Its name.
    pub agent: String,
    /// Cores that it uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// Mebibytes of memory that it uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mem_mb: Option<f64>,
    /// Tokens of its calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_s: Option<f64>,
}
