//! The receipts of a gateway for real: their files, their threads, their routes, and processes that are killed.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bad_input;
mod child;
mod damage;
mod disk;
mod events;
mod follow;
mod kill;
mod order;
mod process;
mod queries;
mod retention;
mod support;
