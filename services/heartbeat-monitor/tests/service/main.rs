//! The monitor for real: on a free port, with its own directory, against a registry that says what the test wants, and
//! against the real one.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alerts;
mod http;
mod monitor;
mod probes;
mod process;
mod script;
mod stream;
mod swarm;
mod target;
