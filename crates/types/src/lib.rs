#![doc = include_str!("../README.md")]

pub mod agent;
pub mod alert;
pub mod catalog;
mod check;
pub mod classifier;
pub mod error;
pub mod event;
pub mod flight;
pub mod health;
pub mod id;
pub mod invoke;
pub mod job;
pub mod json;
pub mod limits;
pub mod money;
mod object;
pub mod provider_router;
mod query;
pub mod receipt;
pub mod registry;
pub mod resource;
pub mod routing;
mod schema;
pub mod time;
mod word;

pub use error::{Error, ErrorCode, Fault};
