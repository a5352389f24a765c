//! The bars of each part, measured against real release processes.

pub(crate) mod events;
pub(crate) mod gateway;
pub(crate) mod monitor;
pub(crate) mod registry;
pub(crate) mod swarm;

mod lag;
