//! What is decided about a call: pure, told the time.

pub mod breaker;
pub mod fault;
mod window;
