#![doc = include_str!("../README.md")]

mod connect;
mod connection;
pub mod headers;
mod origin;
mod pool;

pub use connect::Connector;
pub use connection::{Answer, Unread};
pub use origin::{Origin, Root};
pub use pool::{Pool, SendError, Sent};
