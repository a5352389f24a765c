//! What the registry refuses, each with its code, the field at fault, and what would be accepted.

use pas_types::id::ServiceId;
use pas_types::registry::ServiceType;
use pas_types::{Error, ErrorCode};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request itself is at fault.
    #[error(transparent)]
    Invalid(#[from] Error),
    /// There is no such service.
    #[error("service {0} is not registered: register it (again) with POST /register")]
    UnknownService(ServiceId),
    /// There is no service of this name.
    #[error("no service is named `{name}`: GET /discover?status=any lists those that are")]
    UnknownName {
        /// The field that named it.
        field: &'static str,
        /// The name.
        name: String,
    },
    /// The lease isn't the current one.
    #[error(
        "the lease is not the current one of service {0}: another process holds it; register to get your own"
    )]
    StaleLease(ServiceId),
    /// The id is known under another name.
    #[error("service {id} is `{known}`, not `{given}`: use its name, or leave service_id out")]
    OtherName {
        /// The id.
        id: ServiceId,
        /// The name that it has.
        known: String,
        /// The name that was given.
        given: String,
    },
    /// The name and url are another service's.
    #[error("`{name}` at {url} is service {holder}: use that id, or leave service_id out", url = url.as_deref().unwrap_or("no url"))]
    OtherId {
        /// The name.
        name: String,
        /// The url.
        url: Option<String>,
        /// Whose they are.
        holder: ServiceId,
    },
    /// A service can't become something else.
    #[error(
        "service {id} is a {known}, not a {given}: register under another name or url, or deregister it first"
    )]
    OtherType {
        /// The id.
        id: ServiceId,
        /// What it is.
        known: ServiceType,
        /// What was given.
        given: ServiceType,
    },
    /// The list is full.
    #[error(
        "the registry holds {0} services, which is its limit: deregister some, or raise registry.max_services"
    )]
    Full(usize),
    /// This type has no rungs to climb.
    #[error("service {id} is of type {service_type}, which can't be promoted: only models and tools can")]
    NotPromotable {
        /// The id.
        id: ServiceId,
        /// Its type.
        service_type: ServiceType,
    },
    /// The cursor isn't one that this query was answered with.
    #[error(
        "the cursor belongs to no page of this query: use the next_cursor of an answer to the same filters"
    )]
    UnknownCursor,
    /// What must be durable can't be written now.
    #[error("the registry can't write now: nothing was changed; try again")]
    StoreUnavailable,
    /// What is on disk can't be read now.
    #[error("the registry's history can't be read now: try again")]
    HistoryUnavailable,
    /// More waits to be written than can be held.
    #[error("too many changes wait to be written: nothing was changed; try again")]
    Overloaded,
    /// The service ends.
    #[error("the registry is stopping: nothing was changed; try again")]
    Stopping,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let (code, field) = match &refusal {
            Refusal::Invalid(error) => return error.clone(),
            Refusal::UnknownService(_) => (ErrorCode::NotFound, Some("service_id")),
            Refusal::UnknownName { field, .. } => (ErrorCode::NotFound, Some(*field)),
            Refusal::StaleLease(_) => (ErrorCode::Conflict, Some("lease_id")),
            Refusal::OtherName { .. } | Refusal::OtherId { .. } => (ErrorCode::Conflict, Some("service_id")),
            Refusal::OtherType { .. } => (ErrorCode::Conflict, Some("type")),
            Refusal::Full(_) => (ErrorCode::ResourceExhausted, None),
            Refusal::NotPromotable { .. } => (ErrorCode::FailedPrecondition, Some("service_id")),
            Refusal::UnknownCursor => (ErrorCode::InvalidArgument, Some("cursor")),
            Refusal::StoreUnavailable
            | Refusal::HistoryUnavailable
            | Refusal::Overloaded
            | Refusal::Stopping => (ErrorCode::Unavailable, None),
        };
        let error = Error::new(code, refusal.to_string());
        match (field, code) {
            (Some(field), _) => error.with_field(field),
            (None, ErrorCode::Unavailable) => error.with_retry_after(1),
            (None, _) => error,
        }
    }
}
