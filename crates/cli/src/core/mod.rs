//! What the launcher decides, apart from processes, clocks and files.

pub(crate) mod back_off;
pub(crate) mod condition;
pub(crate) mod state;
