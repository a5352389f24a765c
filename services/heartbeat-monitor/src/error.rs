//! What can go wrong, each with its code.

use pas_types::ErrorCode;
use pas_types::id::AlertId;

/// Why a request got no answer, or a task no further.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such alert, or no longer.
    #[error("there is no alert {0}: GET /alerts lists those that are kept")]
    UnknownAlert(AlertId),
    /// The cursor was not answered by this monitor, or what it names is no longer kept.
    #[error("the cursor names no place in the list: use the next_cursor of an answer, or begin without one")]
    UnknownCursor,
    /// Every place for a mute is taken.
    #[error("{0} mutes are in force, which is the limit: wait until one ends, or mute by type or severity")]
    TooManyMutes(usize),
    /// The database can't be read or written now.
    #[error("the alerts can't be read or written now: nothing was changed; try again")]
    Store(#[from] rusqlite::Error),
    /// The thread that should have worked on the database was lost.
    #[error("the work on the alerts was cut short: try again")]
    Cut,
}

impl From<Error> for pas_types::Error {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::UnknownAlert(_) => Self::not_found(message).with_field("alert_id"),
            Error::UnknownCursor => Self::invalid("cursor", message),
            Error::TooManyMutes(_) => Self::new(ErrorCode::ResourceExhausted, message),
            Error::Store(_) | Error::Cut => Self::unavailable(message).with_retry_after(1),
        }
    }
}
