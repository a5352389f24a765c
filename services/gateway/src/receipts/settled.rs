//! What becomes of a receipt that was handed in.

use std::pin::Pin;
use std::task::{Context, Poll};

use pas_types::{Error, ErrorCode};
use tokio::sync::oneshot;

/// Resolves when the journal has a receipt, to its place there; or when it could not be written. Whoever doesn't wait for it
/// drops it: the receipt is written all the same.
#[derive(Debug)]
#[must_use = "the answer must not end before the journal has the receipt"]
pub struct Settled(State);

#[derive(Debug)]
enum State {
    Waits(oneshot::Receiver<Result<u64, Unavailable>>),
    Known(Unavailable),
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

impl Settled {
    pub(super) fn waits(told: oneshot::Receiver<Result<u64, Unavailable>>) -> Self {
        Self(State::Waits(told))
    }

    pub(super) fn known(why: Unavailable) -> Self {
        Self(State::Known(why))
    }
}

impl Future for Settled {
    type Output = Result<u64, Unavailable>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            // Whoever should tell is gone only when the gateway is.
            State::Waits(told) => {
                Pin::new(told).poll(context).map(|told| told.unwrap_or(Err(Unavailable::Stopping)))
            }
            State::Known(why) => Poll::Ready(Err(*why)),
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
