//! The adapters, in front of a provider that stands in for each real one.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod credentials;
mod gateway;
mod local;
mod models;
mod passing;
mod process;
mod reload;
mod support;
mod trouble;
