//! A crowd that beats.

use std::sync::Arc;
use std::time::Duration;

use super::crowd::Member;
use super::line::{Line, Tally};
use super::worker::Worker;

/// Beats that go on, spread evenly over time and over kept connections, until this is dropped.
#[derive(Debug)]
pub(crate) struct Beats {
    pub(crate) tally: Tally,
    _worker: Worker,
}

impl Beats {
    /// Each of `crowd` beats every `interval`.
    ///
    /// The answer to a beat is read just before the next one on its line: one thread needs no other way to wait for
    /// many connections, and a line never has two beats under way.
    pub(crate) fn start(port: u16, crowd: &Arc<Vec<Member>>, interval: Duration, connections: usize) -> Self {
        let tally = Tally::default();
        let mut lines = Line::many(port, &tally, connections);
        let crowd = Arc::clone(crowd);
        let people = u32::try_from(crowd.len()).unwrap_or(u32::MAX);
        let worker = Worker::start(interval / people, move |number| {
            let line = &mut lines[number as usize % connections];
            line.receive();
            line.send(&crowd[number as usize % crowd.len()].beat);
        });
        Self { tally, _worker: worker }
    }
}
