//! Everything that the gateway calls: whatever is registered, at its url; and the provider router, whom it hears.

mod connect;
mod connection;
mod origin;
mod pool;
mod router;

pub use connect::Connector;
pub use connection::Answer;
pub use origin::{Origin, Root};
pub use pool::{Pool, SendError, Sent};
pub use router::{Documents, Heard, Router};
