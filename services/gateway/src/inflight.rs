//! Calls that are under way.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pas_service::slots::Slots;
use pas_types::Error;
use pas_types::event::CallStatus;
use pas_types::id::CallId;
use pas_types::time::WireTime;
use tokio_util::sync::CancellationToken;

/// All of them.
#[derive(Debug)]
pub struct InFlight {
    parts: Slots<HashMap<CallId, Arc<Flight>>>,
    count: AtomicUsize,
    most: usize,
}

/// One call.
#[derive(Debug)]
pub struct Flight {
    /// Its id.
    pub run_id: CallId,
    /// When it came in.
    pub ts: WireTime,
    /// The same on the monotonic clock.
    pub since: Duration,
    /// The route by which it did.
    pub route: &'static str,
    /// The agent that calls.
    pub agent: Option<String>,
    /// Who is asked at the moment.
    asked: Mutex<Option<(Arc<str>, Arc<str>)>>,
    /// Ends it.
    pub cancel: CancellationToken,
    /// It ends since the gateway does.
    stopping: AtomicBool,
}

/// A call on the list, until this is dropped.
#[derive(Debug)]
pub struct Listed {
    list: Arc<InFlight>,
    /// The part of the list that it is on.
    part: usize,
    flight: Arc<Flight>,
}

impl InFlight {
    /// Room for so many.
    pub fn new(most: usize) -> Self {
        Self { parts: Slots::default(), count: AtomicUsize::new(0), most }
    }

    /// Puts a call on the list; none if there is no room.
    pub fn list(self: &Arc<Self>, flight: Flight) -> Option<Listed> {
        if self.count.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.count.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let flight = Arc::new(flight);
        let (part, mut calls) = self.parts.own();
        calls.insert(flight.run_id.clone(), Arc::clone(&flight));
        Some(Listed { list: Arc::clone(self), part, flight })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// The most that there may be.
    pub fn most(&self) -> usize {
        self.most
    }

    /// Each of them, the oldest first.
    pub fn all(&self) -> Vec<Arc<Flight>> {
        let mut all: Vec<_> =
            self.parts.all().flat_map(|calls| calls.values().cloned().collect::<Vec<_>>()).collect();
        all.sort_by(|one, other| one.run_id.as_str().cmp(other.run_id.as_str()));
        all
    }

    /// Ends a call; answers whether there was one.
    pub fn cancel(&self, id: &CallId) -> bool {
        let flight = self.parts.all().find_map(|calls| calls.get(id).cloned());
        flight.inspect(|flight| flight.cancel.cancel()).is_some()
    }

    /// Ends all of them, since the gateway does.
    pub fn stop(&self) {
        for flight in self.all() {
            flight.stopping.store(true, Ordering::Relaxed);
            flight.cancel.cancel();
        }
    }
}

impl Flight {
    /// A call that begins.
    pub fn new(
        run_id: CallId,
        ts: WireTime,
        since: Duration,
        route: &'static str,
        agent: Option<String>,
    ) -> Self {
        let (asked, cancel, stopping) = Default::default();
        Self { run_id, ts, since, route, agent, asked, cancel, stopping }
    }

    /// What one whose end was wanted comes to: `begun`, when its caller has got some of the answer.
    pub fn ended(&self, begun: bool) -> (CallStatus, Error) {
        if !self.stopping.load(Ordering::Relaxed) {
            let message = "the call was cancelled by an operator: it is not tried again";
            return (CallStatus::Cancelled, Error::conflict("run_id", message));
        }
        let status = if begun { CallStatus::Cut } else { CallStatus::Error };
        let message =
            "the gateway is stopping, and the call had not come to its end in the time that is left then";
        (status, Error::unavailable(message).with_retry_after(1))
    }

    /// Somebody is asked: a service, for a model.
    pub fn asks(&self, name: &Arc<str>, model: &Arc<str>) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Arc::clone(name), Arc::clone(model)));
    }

    /// Who is asked at the moment.
    pub fn asked(&self) -> Option<(Arc<str>, Arc<str>)> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Listed {
    /// The call, for who may outlive it.
    pub fn shared(&self) -> Arc<Flight> {
        Arc::clone(&self.flight)
    }
}

impl std::ops::Deref for Listed {
    type Target = Flight;

    fn deref(&self) -> &Flight {
        &self.flight
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.list.parts.at(self.part).remove(&self.flight.run_id);
        self.list.count.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flight(id: &str) -> Flight {
        Flight::new(id.parse().unwrap(), WireTime::from_millis(0), Duration::ZERO, "/invoke", None)
    }

    #[test]
    fn a_call_is_listed_until_it_ends_and_no_more_than_there_is_room_for() {
        let list = Arc::new(InFlight::new(2));
        let first = list.list(flight("gw-1")).unwrap();
        let second = list.list(flight("gw-2")).unwrap();
        assert!(list.list(flight("gw-3")).is_none());
        assert!(list.cancel(&"gw-2".parse().unwrap()) && second.cancel.is_cancelled());
        assert!(!list.cancel(&"gw-3".parse().unwrap()) && !first.cancel.is_cancelled());
        drop(first);
        let ids: Vec<String> = list.all().iter().map(|flight| flight.run_id.to_string()).collect();
        assert_eq!((ids, list.count()), (vec!["gw-2".to_owned()], 1));
    }
}
