//! The event stream for real: its own sockets, its own disk, real clients; where it matters, its own process.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod disk;
mod kill;
mod publish;
mod read;
mod subscribe;
mod support;
