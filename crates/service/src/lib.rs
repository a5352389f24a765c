#![doc = include_str!("../README.md")]

mod body;
pub mod client;
pub mod clock;
pub mod config;
mod cors;
pub mod door;
pub mod fleet;
pub mod health;
#[cfg(target_os = "linux")]
mod linux;
pub mod measures;
pub mod metrics;
pub mod openapi;
mod patience;
pub mod presence;
pub mod publisher;
pub mod request;
pub mod rpc;
pub mod running;
pub mod server;
pub mod slots;
pub mod sockets;
pub mod sqlite;
pub mod telemetry;
mod trace;
pub mod web;

pub use config::{Settings, Swarm};
pub use health::Health;
pub use measures::Measures;
pub use metrics::Metrics;
pub use pas_types::json;
pub use running::Running;
pub use sockets::Sockets;
