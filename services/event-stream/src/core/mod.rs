//! What is decided without a runtime, a clock or a file.

pub mod agents;
pub mod gauges;
pub mod keys;
pub mod recent;
pub mod window;
