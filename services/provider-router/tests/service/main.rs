//! The provider router for real: on a free port, with files of its own, a registry and an event stream.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod files;
mod http;
mod router;
mod watch;
