//! The closed set of error codes, and the one envelope in which every service answers them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong, as one word. Every code has a page in `docs/errors/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request is malformed or breaks a limit.
    InvalidArgument,
    /// No credential, or not a valid one.
    Unauthenticated,
    /// A budget that this call draws on is spent.
    BudgetExhausted,
    /// The caller may not do this, or comes from a foreign Host or Origin.
    PermissionDenied,
    /// There is no such thing.
    NotFound,
    /// The request contradicts what is stored.
    Conflict,
    /// There is not enough of what was asked for.
    ResourceExhausted,
    /// The request is well formed, but the thing it names is not in a state that allows it.
    FailedPrecondition,
    /// Too many requests.
    RateLimited,
    /// A fault of PAS itself.
    Internal,
    /// The service behind PAS failed.
    UpstreamError,
    /// The target is paused.
    Paused,
    /// PAS can't do this now.
    Unavailable,
    /// No service fits the request; none could come back.
    NoCandidate,
    /// The service behind PAS did not answer in time.
    UpstreamTimeout,
}

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The caller's: the same request will fail again.
    Caller,
    /// A rule's: budget, pause, rate limit.
    Policy,
    /// PAS's own.
    Pas,
    /// The service behind PAS.
    Upstream,
}

impl ErrorCode {
    /// Every code, in the order of the table in `docs/errors/README.md`.
    pub const ALL: [Self; 15] = [
        Self::InvalidArgument,
        Self::Unauthenticated,
        Self::BudgetExhausted,
        Self::PermissionDenied,
        Self::NotFound,
        Self::Conflict,
        Self::ResourceExhausted,
        Self::FailedPrecondition,
        Self::RateLimited,
        Self::Internal,
        Self::UpstreamError,
        Self::Paused,
        Self::Unavailable,
        Self::NoCandidate,
        Self::UpstreamTimeout,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status, where the error names no more specific one.
    pub const fn http_status(self) -> u16 {
        self.row().1
    }

    /// The number of the gRPC status.
    pub const fn grpc_code(self) -> i32 {
        self.row().2
    }

    /// Whose fault it is.
    pub const fn fault(self) -> Fault {
        self.row().3
    }

    /// Whether the same request can succeed later.
    pub const fn retryable(self) -> bool {
        self.row().4
    }

    /// The one table: word, HTTP status, gRPC code, fault, retryable.
    const fn row(self) -> (&'static str, u16, i32, Fault, bool) {
        use Fault::{Caller, Pas, Policy, Upstream};
        match self {
            Self::InvalidArgument => ("invalid_argument", 400, 3, Caller, false),
            Self::Unauthenticated => ("unauthenticated", 401, 16, Caller, false),
            Self::BudgetExhausted => ("budget_exhausted", 402, 8, Policy, false),
            Self::PermissionDenied => ("permission_denied", 403, 7, Caller, false),
            Self::NotFound => ("not_found", 404, 5, Caller, false),
            Self::Conflict => ("conflict", 409, 10, Caller, false),
            Self::ResourceExhausted => ("resource_exhausted", 409, 8, Policy, true),
            Self::FailedPrecondition => ("failed_precondition", 422, 9, Caller, false),
            Self::RateLimited => ("rate_limited", 429, 8, Policy, true),
            Self::Internal => ("internal", 500, 13, Pas, true),
            Self::UpstreamError => ("upstream_error", 502, 14, Upstream, true),
            Self::Paused => ("paused", 503, 14, Policy, true),
            Self::Unavailable => ("unavailable", 503, 14, Pas, true),
            Self::NoCandidate => ("no_candidate", 404, 5, Policy, false),
            Self::UpstreamTimeout => ("upstream_timeout", 504, 4, Upstream, true),
        }
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The field of a request that is too long: all of it.
const CONTEXT: &str = "context";

/// An error on its way to a caller: a code, and a message that says what was wrong with this input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The code.
    pub code: ErrorCode,
    /// What was wrong, and what would be accepted. Never internal text.
    pub message: String,
    /// The field of the request that is at fault.
    pub field: Option<String>,
    /// A more specific HTTP status than the code's own, where HTTP has the word for it (413, 414, 415, 405, 431).
    pub http_status: Option<u16>,
    /// When a retry makes sense, if that is known.
    pub retry_after_s: Option<u64>,
    /// Whether a retry is unsafe although the code allows it: the first request may have been carried out.
    pub may_be_done: bool,
}

impl Error {
    /// An error of this code.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message, field: None, http_status: None, retry_after_s: None, may_be_done: false }
    }

    /// `field` is at fault.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidArgument, message).with_field(field)
    }

    /// What is asked is longer than the context of whoever could answer it.
    pub fn too_long(message: impl Into<String>) -> Self {
        Self::invalid(CONTEXT, message)
    }

    /// Whether it is that: providers have a word of their own for it, by which clients know to shorten what they ask.
    pub fn is_too_long(&self) -> bool {
        self.code == ErrorCode::InvalidArgument && self.field.as_deref() == Some(CONTEXT)
    }

    /// There is no such thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotFound, message)
    }

    /// The request contradicts what is stored.
    pub fn conflict(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Conflict, message).with_field(field)
    }

    /// PAS can't do this now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unavailable, message)
    }

    /// Names the field at fault.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Answers with a more specific HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.http_status = Some(status);
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// What was asked for may have been carried out: the same request must not just be sent again.
    #[must_use]
    pub fn that_may_be_done(mut self) -> Self {
        self.may_be_done = true;
        self
    }

    /// The HTTP status to answer with.
    pub fn status(&self) -> u16 {
        self.http_status.unwrap_or(self.code.http_status())
    }

    /// The number of the gRPC status to answer with. What is only gone for now (503) is unavailable there too.
    pub fn grpc_code(&self) -> i32 {
        let code = if self.status() == 503 { ErrorCode::Unavailable } else { self.code };
        code.grpc_code()
    }

    /// Whether the same request can succeed later.
    pub fn retryable(&self) -> bool {
        !self.may_be_done && (self.code.retryable() || self.status() == 503)
    }
}

/// The body of every error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorEnvelope {
    /// The error.
    pub error: ErrorBody,
}

/// What a caller is told of an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// What went wrong, as one word of a closed set.
    pub code: ErrorCode,
    /// What was wrong with this request, and what would be accepted.
    pub message: String,
    /// Whether the same request can succeed later.
    pub retryable: bool,
    /// Whose fault it is.
    pub fault: Fault,
    /// The field at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The id under which the service logged this request.
    pub request_id: String,
    /// The gateway's id of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
}

impl ErrorEnvelope {
    /// The envelope of `error`, as an answer to the request `request_id`.
    pub fn new(error: &Error, request_id: impl Into<String>) -> Self {
        Self {
            error: ErrorBody {
                code: error.code,
                message: error.message.clone(),
                retryable: error.retryable(),
                fault: error.code.fault(),
                field: error.field.clone(),
                request_id: request_id.into(),
                run_id: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_on_the_wire_is_the_word_in_the_table() {
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), serde_json::json!(code.as_str()));
        }
    }
}
