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
    /// Somebody else answers there.
    #[error("the {who} is not at {url}: `{service}` answers there")]
    Stranger {
        /// Who was called.
        who: &'static str,
        /// Where.
        url: String,
        /// What the other one is called.
        service: String,
    },
    /// It took what was to be done, and did not say in time whether it was.
    #[error(
        "the {who} took it and gave no answer within {seconds} s: it may have been carried out; look before you send it again"
    )]
    Late {
        /// Who was called.
        who: &'static str,
        /// How long it was waited for.
        seconds: u64,
    },
    /// It took what was to be done, and was gone before it said whether it was.
    #[error(
        "the {who} took it and broke off without an answer ({cause}): it may have been carried out; look before you send it again"
    )]
    Broken {
        /// Who was called.
        who: &'static str,
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
        let message = error.to_string();
        match error {
            Error::Unwritten(_) => Self::new(ErrorCode::Internal, message),
            Error::Late { .. } => Self::new(ErrorCode::UpstreamTimeout, message).that_may_be_done(),
            Error::Broken { .. } => Self::new(ErrorCode::UpstreamError, message).that_may_be_done(),
            Error::Unreachable { .. }
            | Error::Stranger { .. }
            | Error::Refused { .. }
            | Error::Unreadable { .. } => Self::unavailable(message),
        }
    }
}
