//! One file a command.

pub(crate) mod backup;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod logs;
pub(crate) mod restore;
pub(crate) mod status;
pub(crate) mod up;
