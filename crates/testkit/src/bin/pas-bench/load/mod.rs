//! What keeps services busy: the same load for the bars and for the soak.

pub(crate) mod answer;
pub(crate) mod beats;
pub(crate) mod calls;
pub(crate) mod connection;
pub(crate) mod crowd;
pub(crate) mod crowded;
pub(crate) mod discovery;
pub(crate) mod events;
pub(crate) mod line;
pub(crate) mod mortals;
pub(crate) mod pace;
pub(crate) mod publisher;
pub(crate) mod steady;
pub(crate) mod subscription;
pub(crate) mod swarm;
pub(crate) mod turn;
pub(crate) mod upstream;
pub(crate) mod watchers;
pub(crate) mod worker;
