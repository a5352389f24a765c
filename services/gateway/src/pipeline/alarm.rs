//! The one timer of a call that is on its way: it has the journal told of a call that turns out to be long, and ends what takes
//! longer than it may. One for both, for most calls are over before it rings, and setting it is what costs.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep};

use crate::receipts::Opened;

/// The timer.
pub(crate) struct Alarm<'a> {
    tell: Tell<'a>,
    state: Mutex<State<'a>>,
}

/// Has the journal told that a call is open.
type Tell<'a> = &'a (dyn Fn(Opened) + Send + Sync);

struct State<'a> {
    timer: Pin<&'a mut Sleep>,
    /// What the journal is told when the call is still open then.
    due: Option<(Instant, Opened)>,
}

impl<'a> Alarm<'a> {
    /// Rings by `timer`, which need not be set.
    pub(super) fn new(tell: Tell<'a>, timer: Pin<&'a mut Sleep>, due: Option<(Instant, Opened)>) -> Self {
        Self { tell, state: Mutex::new(State { timer, due }) }
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
                // Also when what was looked at has used up what it may do at once: a flood must not hold time back.
                if pin!(unconstrained(timer.as_mut())).poll(context).is_pending() {
                    return Poll::Pending;
                }
                if let Some((_, opened)) = due.take_if(|(at, _)| *at <= rings) {
                    (self.tell)(opened);
                }
                if limit <= rings {
                    return Poll::Ready(None);
                }
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::time::sleep_until;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn opened() -> Opened {
        serde_json::from_str(r#"{"run_id":"gw-1","ts":"2025-11-06T10:30:00.123Z","route":"/invoke"}"#)
            .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_journal_is_told_when_it_is_due_and_what_takes_too_long_ends_when_it_does() {
        let (start, told) = (Instant::now(), AtomicUsize::new(0));
        let tell = |_| assert_eq!((told.fetch_add(1, Ordering::Relaxed), start.elapsed()), (0, 5 * MS));
        let timer = pin!(sleep_until(start + 5 * MS));
        let alarm = Alarm::new(&tell, timer, Some((start + 5 * MS, opened())));
        let ends = async |limit: Duration| alarm.before(start + limit, pin!(pending::<()>())).await;
        assert_eq!((ends(3 * MS).await, start.elapsed()), (None, 3 * MS), "sooner than that is due");
        assert_eq!(alarm.before(start + 4 * MS, pin!(ready(7))).await, Some(7));
        assert_eq!((ends(20 * MS).await, start.elapsed()), (None, 20 * MS));
        assert_eq!(told.load(Ordering::Relaxed), 1);
        assert_eq!((ends(10 * MS).await, start.elapsed()), (None, 20 * MS), "what is over by now");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_due_just_when_the_time_is_over_is_told_and_what_is_told_of_at_once_is_not_told_again() {
        let (start, told) = (Instant::now(), AtomicUsize::new(0));
        let tell = |_| {
            told.fetch_add(1, Ordering::Relaxed);
        };
        for (due, times) in [(Some((start + MS, opened())), 1), (None, 1)] {
            let timer = pin!(sleep_until(start + MS));
            let alarm = Alarm::new(&tell, timer, due);
            assert_eq!(alarm.before(start + MS, pin!(pending::<()>())).await, None);
            assert_eq!((told.load(Ordering::Relaxed), start.elapsed()), (times, MS));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_does_not_hold_time_back() {
        let start = Instant::now();
        let timer = pin!(sleep_until(start + 5 * MS));
        let alarm = Alarm::new(&|_| {}, timer, None);
        let mut rounds = 0;
        // Each time it is looked at it does all that it may do at once, and has more to do.
        let flood = poll_fn(|context| {
            rounds += 1;
            while let Poll::Ready(proceed) = tokio::task::coop::poll_proceed(context) {
                proceed.made_progress();
            }
            Poll::<()>::Pending
        });
        tokio::time::advance(6 * MS).await;
        assert_eq!(alarm.before(start + 5 * MS, pin!(flood)).await, None);
        assert_eq!(rounds, 1);
    }
}
