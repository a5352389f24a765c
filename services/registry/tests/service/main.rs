//! The registry for real: its own sockets, its own disk, real clients; where it matters, its own process.

mod admin;
mod bad_input;
mod crowd;
mod disk;
mod events;
mod processes;
mod registration;
mod streams;
mod support;
