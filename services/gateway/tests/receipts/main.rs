//! The receipts of a gateway for real: their files, their threads, their routes, and processes that are killed.

mod bad_input;
mod child;
mod damage;
mod disk;
mod events;
mod follow;
mod kill;
mod process;
mod queries;
mod retention;
mod support;
