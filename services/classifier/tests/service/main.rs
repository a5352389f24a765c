//! The classifier for real: its own sockets, its own examples, a real client; where it matters, its own process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod invoke;
mod process;
mod reload;
mod support;
