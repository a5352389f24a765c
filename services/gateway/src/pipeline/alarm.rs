//! The one timer of a call that is on its way: it has the journal told of a call that turns out to be long, and ends what takes
//! longer than it may. One for both, for most calls are over before it rings, and setting it is what costs.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use tokio::time::{Instant, Sleep};

use crate::receipts::{Opened, Receipts};

/// The timer.
pub(crate) struct Alarm<'a> {
    receipts: &'a Receipts,
    state: Mutex<State<'a>>,
}

struct State<'a> {
    timer: Pin<&'a mut Sleep>,
    /// What the journal is told when the call is still open then.
    due: Option<(Instant, Opened)>,
}

impl<'a> Alarm<'a> {
    /// Rings by `timer`, which need not be set.
    pub(super) fn new(
        receipts: &'a Receipts,
        timer: Pin<&'a mut Sleep>,
        due: Option<(Instant, Opened)>,
    ) -> Self {
        Self { receipts, state: Mutex::new(State { timer, due }) }
    }

    /// What `future` comes to, if it does so before `limit`. It comes pinned, for handed in as it is it would be held twice.
    pub(super) async fn before<F: Future>(
        &self,
        limit: Instant,
        mut future: Pin<&mut F>,
    ) -> Option<F::Output> {
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let State { timer, due } = &mut *state;
            loop {
                let rings = due.as_ref().map_or(limit, |(at, _)| limit.min(*at));
                if timer.deadline() != rings {
                    timer.as_mut().reset(rings);
                }
                if timer.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                if let Some((_, opened)) = due.take_if(|(at, _)| *at <= rings) {
                    self.receipts.tell_of(opened);
                }
                if limit <= rings {
                    return Poll::Ready(None);
                }
            }
        })
        .await
    }
}
