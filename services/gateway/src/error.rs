//! What the gateway refuses, each with its code.

use pas_types::id::CallId;

/// Why a request gets no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no receipt of such a call, or no longer.
    #[error("there is no receipt of {0}: GET /receipts lists those that are kept")]
    UnknownCall(CallId),
}

impl From<Error> for pas_types::Error {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::UnknownCall(_) => Self::not_found(message).with_field("run_id"),
        }
    }
}
