use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Deregistered, Labels, Reachability, Role, ServiceType, Work};
use crate::id::ServiceId;
use crate::time::WireTime;
use crate::word::words;

words! {
    /// How a service is. Ordered from good to bad.
    #[derive(Default)]
    Status, "status" {
        /// Works.
        #[default]
        Ok = "ok",
        /// Works, but not as it should.
        Degraded = "degraded",
        /// Is not offered.
        Down = "down",
    }
}

// It shares what is large with the registry's own copy, since pages of them are made.
/// A service as the registry knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServiceView {
    /// Its id.
    pub service_id: ServiceId,
    /// Its name.
    #[schema(value_type = String)]
    pub name: Arc<str>,
    /// What kind of thing it is.
    #[serde(rename = "type")]
    pub service_type: ServiceType,
    /// What it is trusted with.
    pub role: Role,
    /// The root under which it is called; null for an agent without a server.
    #[schema(value_type = Option<String>)]
    pub url: Option<Arc<str>>,
    /// What it can do.
    #[schema(value_type = Vec<String>)]
    pub caps: Vec<Arc<str>>,
    /// What else it said of itself.
    #[schema(value_type = Labels)]
    pub labels: Arc<Labels>,
    /// Tokens that fit its context.
    pub ctx_limit: Option<u64>,
    /// What it roughly costs per 1,000 tokens.
    pub cost_hint_usd_per_1k: Option<f64>,
    /// Seconds between its beats.
    pub heartbeat_interval_s: u32,
    /// Seconds without a beat after which the first one counts as missed.
    pub ttl_s: u32,
    /// The effective status: the worst of what it says of itself, its beats and its probe.
    pub status: Status,
    /// Why the effective status is not `ok`, each voice by name.
    pub status_reasons: Vec<String>,
    /// What it says of itself.
    pub reported_status: Status,
    /// Beats that it missed in a row.
    pub missed_beats: u32,
    /// What its probe says.
    pub probe: Probe,
    /// False from a restart of the registry until it has beaten again.
    pub verified: bool,
    /// An operator took it out of service.
    pub paused: bool,
    /// When it was first registered.
    pub registered_at: WireTime,
    /// When it last beat.
    pub last_heartbeat_ts: WireTime,
    /// How long ago that was.
    pub last_heartbeat_age_ms: u64,
    /// The latency that it measured, 95th percentile.
    pub p95_ms: Option<f64>,
    /// Calls that wait.
    pub queue_depth: Option<u64>,
    /// How busy it is; 1 is all that it can do.
    pub load: Option<f64>,
    /// What it last said of its work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Work>)]
    pub work: Option<Arc<Work>>,
}

/// What the monitor's probe says of a service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Probe {
    /// Whether it can be reached.
    pub reachability: Reachability,
    /// How long the last answered probe took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// What the probe found, where there is something to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub reason: Option<Arc<str>>,
}

/// The answer of `GET /services/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServiceDetail {
    /// The service; as it was at its end, if it is gone.
    pub service: ServiceView,
    /// Since when and why it is gone.
    pub deregistered: Option<Deregistered>,
    /// What happened to it, newest first, at most 100.
    pub history: Vec<Transition>,
}

/// Something that happened to a service, or to the registry itself (then without a service).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Transition {
    /// Its place among all transitions; never used twice.
    pub seq: u64,
    /// When.
    pub ts: WireTime,
    /// What.
    pub kind: TransitionKind,
    /// To whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_id: Option<ServiceId>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_name: Option<String>,
    /// Its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_type: Option<ServiceType>,
    /// The effective status before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_status: Option<Status>,
    /// The effective status after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_status: Option<Status>,
    /// What it was trusted with before, where that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_role: Option<Role>,
    /// What it is trusted with since then; as it was at its end, if it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_role: Option<Role>,
    /// Beats missed in a row.
    pub missed_beats: u32,
    /// When the service last beat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<WireTime>,
    /// Why, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

words! {
    /// What can happen.
    TransitionKind, "kind of transition" {
        /// A service registered for the first time, or again after it was gone.
        Registered = "registered",
        /// A known service came with another boot id, url or description.
        Reregistered = "reregistered",
        /// A beat was missed.
        BeatMissed = "beat_missed",
        /// A service that had missed beats beat again.
        Recovered = "recovered",
        /// A service says something else of itself than before.
        Reported = "reported",
        /// A probe was answered again.
        Reachable = "reachable",
        /// A probe that should have been answered was not.
        Unreachable = "unreachable",
        /// A service has another role.
        Promoted = "promoted",
        /// An operator took a service out of service.
        Paused = "paused",
        /// An operator gave it back.
        Resumed = "resumed",
        /// A service left, or was taken off the list by somebody.
        Deregistered = "deregistered",
        /// A service was taken off the list because it stayed silent.
        Evicted = "evicted",
        /// Too many services are to be evicted at once; the registry slows down.
        BrakeOn = "brake_on",
        /// The eviction brake is off again.
        BrakeOff = "brake_off",
        /// The registry stood still; every deadline moved by the gap.
        Stalled = "stalled",
    }
}
