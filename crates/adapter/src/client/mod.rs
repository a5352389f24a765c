//! Everything that an adapter calls: its provider, and the provider router for its matrix.

mod listing;
mod matrix;
mod provider;
mod server;

pub(crate) use matrix::Router;
pub(crate) use provider::{Provider, Seen, Trouble};
pub(crate) use server::Remembered;
