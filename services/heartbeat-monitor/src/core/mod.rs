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
