#![doc = include_str!("../README.md")]
// Generated code keeps its own style.
#![expect(
    missing_docs,
    clippy::allow_attributes,
    reason = "generated from contracts/proto, where the documentation is"
)]

/// What the event stream serves to the rest of PAS.
pub mod events {
    /// Version 1 of `pas.events`.
    pub mod v1 {
        tonic::include_proto!("pas.events.v1");
    }
}

/// What the registry serves to the rest of PAS.
pub mod registry {
    /// Version 1 of `pas.registry`.
    pub mod v1 {
        tonic::include_proto!("pas.registry.v1");
    }
}

/// What the provider router serves to the rest of PAS.
pub mod routing {
    /// Version 1 of `pas.routing`.
    pub mod v1 {
        tonic::include_proto!("pas.routing.v1");
    }
}
