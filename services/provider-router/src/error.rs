//! What can go wrong, each with its code.

/// Why a request got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There never was a valid pair of files since the start.
    #[error("neither matrix nor policies are in force, since the files have faults: /health says which")]
    NoTable,
}

impl From<Error> for pas_types::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::NoTable => Self::unavailable(error.to_string()).with_retry_after(1),
        }
    }
}
