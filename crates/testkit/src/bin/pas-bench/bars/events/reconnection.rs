//! How soon everybody is back after the event stream was killed.

use std::time::Duration;

use anyhow::ensure;
use pas_testkit::Process;
use pas_types::event::Subscribe;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::{AREA, following};
use crate::bar::{Bar, Unit};
use crate::load::connection::Connection;
use crate::load::events::{self, Mark};
use crate::load::subscription::Subscription;
use crate::report::Report;

const CLIENTS: usize = 500;
/// Events that each client has missed.
const MISSED: u32 = 100;
/// The time between two attempts of a client.
const ATTEMPT: Duration = Duration::from_millis(20);
/// Who isn't back by then does not come back.
const PATIENCE: Duration = Duration::from_secs(20);

/// Kills the event stream under its subscribers and starts it again; tells how long it took from its end until each
/// subscriber was back at its cursor and had the events after it.
pub(super) fn all_back(runtime: &Handle, stream: &mut Process) -> anyhow::Result<Duration> {
    let port = stream.port();
    let cursor = events::head(port)?;
    let wanted = Subscribe { since: Some(cursor), ..following::wanted() };
    let subscriptions = runtime.block_on(Subscription::open_many(port, &wanted, CLIENTS))?;
    publish(port)?;
    stream.kill()?;
    let begun = Instant::now();
    drop(subscriptions);
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn_on(come_back(port, wanted.clone(), begun), runtime);
    }
    stream.restart()?;
    let back = runtime.block_on(following::complete(clients, PATIENCE))?;
    let lasted = begun.elapsed();
    ensure!(back.len() == CLIENTS * MISSED as usize, "{} events came", back.len());
    Ok(lasted)
}

/// Reports what was measured in several runs.
pub(super) fn report(report: &mut Report, back_ms: Vec<f64>) {
    let what = format!(
        "{CLIENTS} Socket.IO subscribers back after SIGKILL, each with the {MISSED} events it missed"
    );
    report.add(Bar::new(AREA, what, Unit::Ms, 5_000.0, back_ms));
}

/// Publishes what the clients will have missed.
fn publish(port: u16) -> anyhow::Result<()> {
    let missed: Vec<_> = (0..MISSED).map(|number| Mark::new(number, Duration::ZERO).event()).collect();
    let mut connection = Connection::open(port)?;
    let status = connection.call(&events::publishing(&missed))?;
    ensure!(status == 201, "/events answers {status}: {}", String::from_utf8_lossy(connection.body()));
    Ok(())
}

/// A client that tries until it is back, and reads on from its cursor.
async fn come_back(port: u16, wanted: Subscribe, begun: Instant) -> anyhow::Result<Vec<Duration>> {
    loop {
        match Subscription::open(port, &wanted).await {
            Ok(subscription) => return events::follow(subscription, begun, MISSED).await,
            Err(error) if begun.elapsed() > PATIENCE => return Err(error),
            Err(_) => sleep(ATTEMPT).await,
        }
    }
}
