//! What the event stream refuses, each with its code, the field at fault, and what would be accepted.

use pas_types::event::{Cursor, RefusedBatch};
use pas_types::{Error, ErrorCode};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// An event of a batch is at fault, or the batch.
    #[error("{}", .0.error)]
    Batch(RefusedBatch),
    /// The cursor names no place from which this journal could go on.
    #[error("{0}")]
    Cursor(Misplaced),
    /// An event of the same key is being written.
    #[error("an event with the key `{0}` is being written: try again, to learn what became of it")]
    Underway(String),
    /// More waits to be written than can be held.
    #[error("too many events wait to be written: none of these was taken; try again")]
    Overloaded,
    /// The journal can't be written now.
    #[error("the journal can't be written now: none of these events was taken; try again")]
    CannotWrite,
    /// What was read as an event can't be written as one.
    #[error("the event can't be written as a line of the journal: {0}")]
    Unwritable(String),
    /// The journal can't be read now.
    #[error("the journal can't be read now: try again")]
    CannotRead,
    /// The past is still being read.
    #[error("the event stream has just started, and still reads what agents said before: try again")]
    Recovering,
    /// The service ends.
    #[error("the event stream is stopping: none of these events was taken; try again")]
    Stopping,
}

/// Why a cursor can't be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misplaced {
    /// It belongs to another life of the journal.
    #[error("{given} is of another epoch, this is {epoch}: begin without a cursor, or at {epoch}:0")]
    OtherEpoch {
        /// The cursor.
        given: Cursor,
        /// The epoch of this journal.
        epoch: u64,
    },
    /// It is beyond the newest event.
    #[error("{given} is ahead of the newest event, which is {head}: use a cursor that was answered")]
    Ahead {
        /// The cursor.
        given: Cursor,
        /// The newest event.
        head: Cursor,
    },
    /// What came after it is not kept any more.
    #[error(
        "what came after {given} is not kept any more: the oldest event that is kept comes after {before_oldest}"
    )]
    Gone {
        /// The cursor.
        given: Cursor,
        /// The place before the oldest event.
        before_oldest: Cursor,
    },
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::Batch(refused) => refused.into_error(),
            Refusal::Cursor(_) => Self::invalid("since", message),
            Refusal::Underway(_) => {
                Self::unavailable(message).with_field("idempotency_key").with_retry_after(1)
            }
            Refusal::Unwritable(_) => Self::new(ErrorCode::Internal, message),
            Refusal::Overloaded
            | Refusal::CannotWrite
            | Refusal::CannotRead
            | Refusal::Recovering
            | Refusal::Stopping => Self::unavailable(message).with_retry_after(1),
        }
    }
}
