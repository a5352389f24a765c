//! What is pure: the change log of services, the tree of agents, and what is said of a deed.

pub mod changes;
pub mod deed;
pub mod tree;
