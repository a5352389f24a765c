//! The gateway's bars: what stands between a client and a provider, against a reverse proxy that does nothing else. Both are
//! measured in one run, in turn, before the same scripted provider; a ratio is told of each run, and the median counts.

mod calls;
mod door;
mod memory;
mod pairs;
mod start;
mod streams;

use crate::out;
use crate::report::Report;
use door::{Door, Upstream};

const AREA: &str = "gateway";

/// What is measured in the gateway's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The gateway.
    Gateway,
    /// The bare proxy itself: what is found then is the noise.
    Bare,
}

/// Measures all of them.
pub(crate) fn measure(report: &mut Report, subject: Subject) -> anyhow::Result<()> {
    let upstream = Upstream::start()?;
    out::progress("gateway: both doors open");
    let bare = Door::bare(&upstream)?;
    let door = Door::open(subject, &upstream)?;
    calls::measure(report, &bare, &door)?;
    streams::measure(report, &bare, &door)?;
    drop((bare, door));
    memory::measure(report, subject, &upstream)?;
    start::measure(report, subject, &upstream)
}
