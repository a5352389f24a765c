//! How the provider router is called. What it says is in [`crate::routing`].

/// The paths under which it is called.
pub mod path {
    /// `GET`: the providers and models that are known.
    pub const MATRIX: &str = "/matrix";
    /// `GET`: the rules by which one is chosen.
    pub const POLICIES: &str = "/policies";
    /// `GET`: what each model costs.
    pub const PRICES: &str = "/prices";
    /// `POST`: who would be asked.
    pub const ROUTE: &str = "/route";
}
