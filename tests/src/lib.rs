//! What spans crates: the contracts, generated and held against the code, and stories over the whole swarm.
//!
//! Whatever is generated is checked in. `PAS_REGENERATE=1 cargo test -p pas-tests` writes it anew.

pub mod checked_in;
pub mod contract;
pub mod map;
pub mod mutation;
pub mod python;
