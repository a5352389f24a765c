//! What is decided: which credential a call takes, and what is offered. Told the time; no runtime, no clock.

pub(crate) mod offer;
pub(crate) mod ring;
pub(crate) mod standing;
