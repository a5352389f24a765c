//! The scripted provider at the level of the socket: every fault is what it says.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod client;
mod cuts;
mod dialects;
mod errors;
mod keys;
mod limits;
mod listings;
mod oddities;
mod ollama;
mod process;
mod records;
mod timing;
mod wordings;
