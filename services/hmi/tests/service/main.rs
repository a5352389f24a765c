//! The HMI for real: over HTTP, in front of a registry, an event stream, a monitor, a provider router and a gateway.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod doing;
mod pages;
mod passing;
mod support;
mod views;
