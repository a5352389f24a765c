//! The journal by its public face: what was acknowledged stays, whatever happens to the process, the disk or the file.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod child;
mod compaction;
mod damage;
mod disk;
mod epochs;
mod here;
mod kill;
mod merging;
mod model;
mod queue;
mod readers;
mod support;
mod torn;
mod verify;
