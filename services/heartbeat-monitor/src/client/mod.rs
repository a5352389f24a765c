//! Everything that the monitor calls: the registry, and the services that it probes.

mod prober;
mod registry;
mod wire;

pub use prober::Prober;
pub use registry::{CallError, Registry};
