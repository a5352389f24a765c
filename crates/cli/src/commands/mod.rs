//! One file a command.

pub(crate) mod backup;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod explain;
pub(crate) mod logs;
pub(crate) mod receipts;
pub(crate) mod restore;
pub(crate) mod status;
pub(crate) mod up;
