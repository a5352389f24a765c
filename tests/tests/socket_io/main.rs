//! The event stream as the npm package `socket.io-client` sees it, in its generations 2 and 4: real clients in Node
//! (`tests/node/`), and the event stream as a process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod crowd;
mod gauges;
mod resets;
mod resuming;
mod stalled;
mod stream;
mod subscribers;
