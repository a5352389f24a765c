//! What can go wrong, each with its code.

use pas_types::ErrorCode;

/// Why a call got no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no model.
    #[error("the classifier has learned nothing: its /health says why, and what helps")]
    Untrained,
    /// Every place for a long text is taken.
    #[error("{workers} long texts are worked on and {queue} wait, which is the limit: try again")]
    Busy {
        /// Those that are worked on.
        workers: usize,
        /// Those that may wait.
        queue: usize,
    },
    /// The thread that should have worked on it was lost.
    #[error("the work on this text was cut short: try again")]
    Cut,
    /// What was found to be in order has nothing in it.
    #[error("there is nothing in the text to make a summary of")]
    Empty,
}

impl From<Error> for pas_types::Error {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Untrained => Self::unavailable(message),
            Error::Busy { .. } => Self::unavailable(message).with_retry_after(1),
            Error::Cut => Self::new(ErrorCode::Internal, message),
            Error::Empty => Self::invalid("text", message),
        }
    }
}
