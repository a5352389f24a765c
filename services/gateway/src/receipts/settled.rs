//! What becomes of a receipt that was handed in.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pas_types::{Error, ErrorCode};
use tokio::sync::oneshot;

use super::shared::Shared;

/// Resolves when the journal has a receipt, to its place there; or when it could not be written. Whoever doesn't wait for it
/// drops it: the receipt is written all the same.
///
/// Whoever waits writes: its own receipt, and those of all calls that came to their end on its thread meanwhile.
#[must_use = "the answer must not end before the journal has the receipt"]
pub struct Settled(State);

enum State {
    Waits { told: oneshot::Receiver<Result<u64, Unavailable>>, shared: Arc<Shared>, turn: Turn },
    Known(Unavailable),
}

/// How far it has come with what waits to be written.
#[derive(PartialEq, Eq)]
enum Turn {
    /// Nothing is done yet.
    First,
    /// Others have had their turn.
    Second,
    /// It is written, or somebody is at it.
    Done,
}

/// Why a receipt is not in the journal, or a call can't begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The disk takes nothing now.
    #[error("the gateway can't write receipts now, so it takes no calls: try again")]
    Disk,
    /// More waits to be written, or is open, than may.
    #[error("more calls are open, or wait for their receipts, than the gateway can hold: try again")]
    Full,
    /// The gateway is stopping.
    #[error("the gateway is stopping: try again")]
    Stopping,
    /// The call has its receipt, or will have it.
    #[error("this call was settled before: a call has one receipt")]
    Twice,
}

impl std::fmt::Debug for Settled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Settled")
    }
}

impl Settled {
    /// `alone` when there can't be others, or only one, whose receipt could be written with this one.
    pub(super) fn waits(
        told: oneshot::Receiver<Result<u64, Unavailable>>,
        shared: Arc<Shared>,
        alone: bool,
    ) -> Self {
        let turn = if alone { Turn::Second } else { Turn::First };
        Self(State::Waits { told, shared, turn })
    }

    pub(super) fn known(why: Unavailable) -> Self {
        Self(State::Known(why))
    }
}

impl Future for Settled {
    type Output = Result<u64, Unavailable>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (told, shared, turn) = match &mut self.0 {
            State::Waits { told, shared, turn } => (told, shared, turn),
            State::Known(why) => return Poll::Ready(Err(*why)),
        };
        match turn {
            // Whoever else has something to write on this thread hands it in first.
            Turn::First => {
                *turn = Turn::Second;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Turn::Second => {
                *turn = Turn::Done;
                shared.write_here();
            }
            Turn::Done => {}
        }
        // Whoever should tell is gone only when the gateway is.
        Pin::new(told).poll(context).map(|told| told.unwrap_or(Err(Unavailable::Stopping)))
    }
}

impl Drop for Settled {
    fn drop(&mut self) {
        if let State::Waits { shared, turn, .. } = &self.0
            && *turn != Turn::Done
        {
            shared.journal.wake();
        }
    }
}

impl From<Unavailable> for Error {
    fn from(why: Unavailable) -> Self {
        match why {
            Unavailable::Disk | Unavailable::Full | Unavailable::Stopping => {
                Self::unavailable(why.to_string()).with_retry_after(1)
            }
            Unavailable::Twice => Self::new(ErrorCode::Internal, why.to_string()),
        }
    }
}
