//! What the monitor decides, without clock, network or database: which transitions raise alerts, when silence and
//! jumps of the clock do, what is muted, and who is probed when.

pub mod alerts;
pub mod flapping;
pub mod mute;
pub mod probes;
pub mod targets;
pub mod transitions;
pub mod watchdog;

use pas_types::alert::HeartbeatAlert;
use pas_types::event::{Cursor, Event};
use pas_types::id::AlertId;

/// Where the ids of new alerts come from.
pub type NewId<'a> = &'a mut dyn FnMut() -> AlertId;

/// An alert that is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// The alert.
    pub alert: HeartbeatAlert,
    /// The transition of the registry that it is about. What the monitor found by itself has none.
    pub source_seq: Option<u64>,
}

/// What the event stream said of other services' alerts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// Alerts, oldest first; also the monitor's own, which come back.
    pub alerts: Vec<HeartbeatAlert>,
    /// Alerts that can't be kept.
    pub passed_over: u64,
    /// Up to where the stream has been read with that.
    pub to: Option<Cursor>,
    /// It goes on with the oldest that it keeps: alerts may have been missed.
    pub reset: bool,
}

/// The monitor's own alerts, on their way to the event stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Unpublished {
    /// As events. What is muted is none.
    pub events: Vec<Event>,
    /// The place in the history up to which the stream has them then.
    pub to: i64,
}
