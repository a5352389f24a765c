//! How the provider router is called. What it says is in [`crate::routing`].

/// The paths under which it is called.
pub mod path {
    /// `GET`: the providers and models that are known.
    pub const MATRIX: &str = "/matrix";
}
