#![doc = include_str!("../README.md")]

mod ask;
mod caps;
mod dialect;
mod fault;
mod fleet;
pub mod limiter;
pub mod matrix;
mod plan;
pub mod policies;
mod price;
#[cfg(test)]
mod sample;
mod table;

pub use ask::{Ask, Wanted, resolve};
pub use caps::{KNOWN as KNOWN_CAPS, Needs};
pub use dialect::{Dialects, Speaks, translatable};
pub use fault::Fault;
pub use fleet::{Candidate, Fleet, Service};
pub use limiter::Limiter;
pub use matrix::Matrix;
pub use plan::{Choice, Counts, Exclude, Excluded, Held, LISTED, Plan, Scratch, explain, plan};
pub use policies::Policies;
pub use price::{Listed, Price};
pub use table::{ModelId, PolicyId, ProviderId, RouteId, Rules, Table, Timeouts};
