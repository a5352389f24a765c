//! The heartbeat monitor's bars: a registry and a monitor, some services that beat, and some that fall silent.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use pas_testkit::{Process, binary};
use pas_types::alert::AlertPage;
use pas_types::catalog::{HEARTBEAT_MONITOR, REGISTRY};
use tokio::time::Instant;

use super::lag::{self, Lags};
use crate::bar::{RUNS, runs};
use crate::load::beats::Beats;
use crate::load::connection::{Connection, request};
use crate::load::crowd;
use crate::out;
use crate::report::Report;

const AREA: &str = "monitor";
/// Services that beat; enough of them that the eviction brake stays off.
const SERVICES: usize = 500;
const INTERVAL_S: u32 = 10;
const TTL_S: u32 = 30;
const CONNECTIONS: usize = 16;
/// The time between two looks at the alerts.
const LOOK: Duration = Duration::from_millis(5);
/// An alert that isn't there by then does not come.
const PATIENCE: Duration = Duration::from_secs(15);

/// Measures how late the alerts of missed beats are.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let registry = Process::start(&REGISTRY, &binary(REGISTRY.binary)?, data.path(), &[])?;
    let settings = ["--registry-url", &registry.url()];
    let monitor =
        Process::start(&HEARTBEAT_MONITOR, &binary(HEARTBEAT_MONITOR.binary)?, data.path(), &settings)?;
    let registrations: Vec<_> =
        (0..SERVICES).map(|number| crowd::registration("model", number, INTERVAL_S, TTL_S)).collect();
    let crowd = Arc::new(crowd::register(registry.port(), &registrations, CONNECTIONS)?);
    let beats = Beats::start(registry.port(), &crowd, Duration::from_secs(INTERVAL_S.into()), CONNECTIONS);
    let mut connection = Connection::open(monitor.port())?;
    let alerts = request("GET", "/alerts?type=heartbeat_miss&limit=1000", "");
    let worst = runs(|run| {
        out::progress(format!("monitor: detection lag, {run} of {RUNS}"));
        let mut lags = Lags::of_new_mortals(registry.port(), &format!("silent-{run}"))?;
        let begun = Instant::now();
        while !lags.are_complete() {
            ensure!(begun.elapsed() < PATIENCE, "an alert is missing");
            let status = connection.call(&alerts)?;
            let at = Instant::now();
            ensure!(status == 200, "/alerts answers {status}");
            let page: AlertPage = serde_json::from_slice(connection.body())?;
            for alert in page.alerts {
                alert.service_id.into_iter().for_each(|id| lags.note(id, alert.missed_beats, at));
            }
            std::thread::sleep(LOOK);
        }
        Ok(lags.worst_ms())
    })?;
    beats.tally.check()?;
    lag::report(report, AREA, "an alert says that a service is", &worst);
    Ok(())
}
