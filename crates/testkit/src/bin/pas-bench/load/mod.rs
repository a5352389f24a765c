//! What keeps services busy: the same load for the bars and for the soak.

pub(crate) mod beats;
pub(crate) mod calls;
pub(crate) mod connection;
pub(crate) mod crowd;
pub(crate) mod discovery;
pub(crate) mod events;
pub(crate) mod line;
pub(crate) mod mortals;
pub(crate) mod pace;
pub(crate) mod publisher;
pub(crate) mod subscription;
pub(crate) mod swarm;
pub(crate) mod watchers;
pub(crate) mod worker;
