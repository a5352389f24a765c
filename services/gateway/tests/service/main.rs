//! The gateway for real: over HTTP, with a registry, in front of providers that do what a test wants.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alone;
mod candidates;
mod faults;
mod kill;
mod limits;
mod many;
mod passing;
mod slow;
mod support;
mod tls;
