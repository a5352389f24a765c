//! What the gateway refuses, each with its code.

use pas_types::ErrorCode;
use pas_types::id::CallId;

/// Why a request gets no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no receipt of such a call, or no longer.
    #[error("there is no receipt of {0}: GET /receipts lists those that are kept")]
    UnknownCall(CallId),
    /// No such call is under way.
    #[error("no call {0} is under way: GET /inflight lists those that are")]
    NotInFlight(CallId),
    /// The cursor names no place in the list.
    #[error("the cursor names no place in the list: use the next_cursor of an answer, or begin without one")]
    UnknownCursor,
    /// The index is too far behind to know.
    #[error("the index is {0} records behind the journal, and can't tell yet: try again")]
    IndexBehind(u64),
    /// The index can't be read now.
    #[error("the index of receipts can't be read now: try again")]
    IndexUnreadable,
    /// There is none.
    #[error(
        "this gateway keeps no index of its receipts: set gateway.receipts.index, or ask for one by its run_id"
    )]
    NoIndex,
    /// The thread that should have looked was lost.
    #[error("the search was cut short: try again")]
    Cut,
}

impl From<Error> for pas_types::Error {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::UnknownCall(_) | Error::NotInFlight(_) => Self::not_found(message).with_field("run_id"),
            Error::UnknownCursor => Self::invalid("cursor", message),
            Error::NoIndex => Self::new(ErrorCode::FailedPrecondition, message),
            Error::IndexBehind(_) | Error::IndexUnreadable | Error::Cut => {
                Self::unavailable(message).with_retry_after(1)
            }
        }
    }
}
