//! What a supervisor knows of its services, and leaves behind for the next one.

use std::path::PathBuf;
use std::time::Duration;

use pas_types::catalog::EVENT_STREAM;
use serde::{Deserialize, Serialize};

/// What a service is given beyond its own grace before it is killed: its last events are sent when all else in it has ended.
const STOP_MARGIN: Duration = Duration::from_secs(5);

/// One process, and no later one that was given the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// Its number.
    pub(crate) pid: i32,
    /// When it started, in clock ticks since the machine did.
    pub(crate) start_time: u64,
}

/// What `<data>/run/pids` says: who supervises, and what runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// The process that wrote this.
    pub(crate) supervisor: Identity,
    /// How long a service may take to stop.
    pub(crate) grace_s: u64,
    /// Every service, in the order in which they start.
    pub(crate) services: Vec<Record>,
}

/// One service of a [`State`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Its name.
    pub(crate) service: String,
    /// The program that it is.
    pub(crate) binary: PathBuf,
    /// Where it answers.
    pub(crate) url: String,
    /// Its process; none before its turn and while it waits to be started again.
    pub(crate) process: Option<Identity>,
    /// How often it died and was started again since `pas up`.
    pub(crate) restarts: u32,
    /// How it ended the last time.
    pub(crate) last_exit: Option<String>,
}

impl State {
    /// Every service, in the order in which they stop: the last one first, but the event stream after all others, which tell it
    /// of their end.
    pub(crate) fn stop_order(&self) -> impl Iterator<Item = &Record> {
        let is_stream = |record: &&Record| record.service == EVENT_STREAM.name;
        let services = self.services.iter().rev();
        services.clone().filter(move |record| !is_stream(record)).chain(services.filter(is_stream))
    }

    /// How long to wait for one service to stop.
    pub(crate) fn stop_patience(&self) -> Duration {
        Duration::from_secs(self.grace_s).saturating_add(STOP_MARGIN)
    }

    /// How long to wait for the supervisor, which stops one service after the other.
    pub(crate) fn supervisor_patience(&self) -> Duration {
        let turns = u32::try_from(self.services.len()).unwrap_or(u32::MAX).saturating_add(1);
        self.stop_patience().saturating_mul(turns)
    }
}

impl Record {
    /// A service that does not run yet.
    pub(crate) fn new(service: &str, binary: PathBuf, url: String) -> Self {
        Self { service: service.to_owned(), binary, url, process: None, restarts: 0, last_exit: None }
    }

    /// It ended, and will be started again.
    pub(crate) fn ended(&mut self, how: String) {
        self.process = None;
        self.restarts += 1;
        self.last_exit = Some(how);
    }
}

/// The services that are wanted, where those of an earlier supervisor that still run stand in for themselves: a
/// restart of the launcher must not disturb the swarm.
pub(crate) fn take_over(
    wanted: Vec<Record>,
    left: Option<State>,
    is_alive: impl Fn(Identity) -> bool,
) -> Vec<Record> {
    let mut left = left.map(|state| state.services).unwrap_or_default();
    left.retain(|record| record.process.is_some_and(&is_alive));
    let same = |wanted: Record| match left.iter().find(|record| record.service == wanted.service) {
        Some(runs) => runs.clone(),
        None => wanted,
    };
    wanted.into_iter().map(same).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(service: &str, url: &str) -> Record {
        Record::new(service, "/bin/true".into(), url.to_owned())
    }

    #[test]
    fn what_runs_is_taken_over_as_it_is_and_what_died_begins_anew() {
        let (living, dead) = (Identity { pid: 1, start_time: 5 }, Identity { pid: 2, start_time: 5 });
        let runs = Record { process: Some(living), restarts: 3, ..record("registry", "http://127.0.0.1:1") };
        let died = Record { process: Some(dead), restarts: 3, ..record("monitor", "http://127.0.0.1:2") };
        let left = State { supervisor: dead, grace_s: 10, services: vec![died, runs.clone()] };
        let wanted = vec![record("registry", "http://127.0.0.1:3"), record("monitor", "http://127.0.0.1:4")];
        let expected = vec![runs, record("monitor", "http://127.0.0.1:4")];
        assert_eq!(take_over(wanted, Some(left), |process| process == living), expected);
    }

    #[test]
    fn with_nothing_left_all_begins_anew() {
        let wanted = vec![record("registry", "http://127.0.0.1:1")];
        assert_eq!(take_over(wanted.clone(), None, |_| true), wanted);
    }

    #[test]
    fn a_supervisor_has_time_to_stop_every_service_however_long_their_grace_is() {
        let supervisor = Identity { pid: 1, start_time: 5 };
        let services = vec![record("registry", "http://127.0.0.1:1")];
        let patience = |grace_s| {
            let state = State { supervisor, grace_s, services: services.clone() };
            [state.stop_patience(), state.supervisor_patience()]
        };
        assert_eq!(patience(10), [Duration::from_secs(15), Duration::from_secs(30)]);
        assert_eq!(patience(u64::MAX), [Duration::MAX, Duration::MAX]);
    }

    #[test]
    fn the_last_one_stops_first_and_the_event_stream_after_all_others() {
        let names = ["registry", "event-stream", "heartbeat-monitor"];
        let services = names.map(|name| record(name, "http://127.0.0.1:1")).to_vec();
        let state = State { supervisor: Identity { pid: 1, start_time: 5 }, grace_s: 10, services };
        let order: Vec<_> = state.stop_order().map(|record| &*record.service).collect();
        assert_eq!(order, ["heartbeat-monitor", "registry", "event-stream"]);
    }

    #[test]
    fn a_death_is_counted_and_remembered() {
        let mut died = record("registry", "http://127.0.0.1:1");
        died.ended("signal: 9 (SIGKILL)".into());
        let expected = Record {
            restarts: 1,
            last_exit: Some("signal: 9 (SIGKILL)".into()),
            ..record("registry", "http://127.0.0.1:1")
        };
        assert_eq!(died, expected);
    }
}
