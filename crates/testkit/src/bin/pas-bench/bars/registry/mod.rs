//! The registry's bars: one registry, and 10,000 services that go on beating while everything else is measured.

mod detection;
mod discovery;
mod restart;
mod upkeep;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use pas_testkit::{Process, binary};
use pas_types::catalog::REGISTRY;
use tokio::runtime::Handle;

use crate::load::beats::Beats;
use crate::load::crowd::{self, Member};
use crate::out;
use crate::report::Report;

const AREA: &str = "registry";
const SERVICES: usize = 10_000;
const INTERVAL_S: u32 = 10;
const TTL_S: u32 = 30;
const CONNECTIONS: usize = 64;

/// Measures all of them.
pub(crate) fn measure(report: &mut Report, runtime: &Handle) -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let mut registry = Process::start(&REGISTRY, &binary(REGISTRY.binary)?, data.path(), &[])?;
    let port = registry.port();
    out::progress(format!("registry: {SERVICES} services register"));
    let registrations: Vec<_> =
        (0..SERVICES).map(|number| crowd::registration("model", number, INTERVAL_S, TTL_S)).collect();
    let crowd = Arc::new(crowd::register(port, &registrations, CONNECTIONS)?);
    let beats = beat(port, &crowd);
    upkeep::measure(report, &registry, &beats)?;
    discovery::measure(report, port)?;
    watch::measure(report, runtime, port, &crowd)?;
    detection::measure(report, runtime, port)?;
    beats.tally.check()?;
    drop(beats);
    restart::measure(report, &mut registry, &crowd)
}

fn beat(port: u16, crowd: &Arc<Vec<Member>>) -> Beats {
    Beats::start(port, crowd, Duration::from_secs(INTERVAL_S.into()), CONNECTIONS)
}
