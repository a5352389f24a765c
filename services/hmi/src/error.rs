//! What can go wrong between the HMI and those whose view it is.

use pas_types::ErrorCode;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody answers, or not in time.
    #[error("the {who} can't be reached at {url}: {cause}")]
    Unreachable {
        /// Who was called.
        who: &'static str,
        /// Where.
        url: String,
        /// What happened.
        cause: String,
    },
    /// It answered something else than what was asked for.
    #[error("the {who} at {url} answered {status}: {said}")]
    Refused {
        /// Who was called.
        who: &'static str,
        /// Where.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What it said.
        said: String,
    },
    /// What it answered can't be read.
    #[error("what the {who} at {url} answered can't be read: {reason}")]
    Unreadable {
        /// Who was called.
        who: &'static str,
        /// Where.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The answer can't be written.
    #[error("the answer can't be written")]
    Unwritten(#[from] serde_json::Error),
}

impl From<Error> for pas_types::Error {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::Unwritten(_) => ErrorCode::Internal,
            Error::Unreachable { .. } | Error::Refused { .. } | Error::Unreadable { .. } => {
                ErrorCode::Unavailable
            }
        };
        Self::new(code, error.to_string())
    }
}
