//! The wire types of the registry: what is said to it, and what it answers.

mod admin;
mod discovery;
mod heartbeat;
mod listed;
mod registration;
mod view;

pub use admin::{
    AdminOutcome, BrakeRelease, BrakeState, Deregister, Deregistered, Promote, Reachability,
    ReachabilityReport, Selector, Subject,
};
pub use discovery::{DiscoveryPage, DiscoveryQuery, StatusFilter};
pub use heartbeat::{Activity, Heartbeat, HeartbeatAnswer, ResourceUse, TokenUsage, Work};
pub use listed::ListedService;
pub use registration::{Labels, Registered, Registration, Role, ServiceType};
pub use view::{Probe, ServiceDetail, ServiceView, Status, Transition, TransitionKind};

use crate::check::{check_name, check_not_negative, check_reason};

/// The paths under which the registry is called.
pub mod path {
    /// `POST`: a service says that it exists.
    pub const REGISTER: &str = "/register";
    /// `PUT`: a service says that it lives.
    pub const HEARTBEAT: &str = "/heartbeat";
    /// `GET`: who is there.
    pub const DISCOVER: &str = "/discover";
    /// `GET`: one service with its history.
    pub const SERVICE: &str = "/services/{service_id}";
    /// `POST`: another rung for a service.
    pub const PROMOTE: &str = "/promote";
    /// `POST`: take services out of service.
    pub const PAUSE: &str = "/pause";
    /// `POST`: the reverse of a pause.
    pub const RESUME: &str = "/resume";
    /// `POST`: a service is gone.
    pub const DEREGISTER: &str = "/deregister";
    /// `POST`: what the monitor's probe found.
    pub const REACHABILITY: &str = "/reachability";
    /// `POST`: an operator ends the eviction brake.
    pub const BRAKE_RELEASE: &str = "/brake/release";
}
