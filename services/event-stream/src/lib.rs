#![doc = include_str!("../README.md")]

pub mod app;
pub mod config;
pub mod core;
pub mod error;
pub mod http;
pub mod metrics;
mod records;
pub mod rpc;
pub mod socket;
pub mod sse;
pub mod subscribers;
pub mod tail;
pub mod tasks;

use std::time::Duration;

use anyhow::Context;
use pas_journal::{Journal, Options};
use pas_service::server::Server;
use pas_service::{Health, Metrics, Running, Settings, Sockets, clock, presence};
use pas_types::catalog;
use tokio_util::sync::CancellationToken;

pub use crate::config::Config;
pub use crate::http::openapi;

use crate::app::App;

/// Which service this is.
const ENTRY: catalog::Entry = catalog::EVENT_STREAM;
/// Where the journal lies below the data directory.
const JOURNAL: &str = "hmi/events";
/// A peer that acknowledges no byte for so long is cut off by the kernel.
const SILENT_PEER: Duration = Duration::from_secs(10);

/// Starts the event stream on `sockets`; it ends on `shutdown`.
pub async fn start(
    settings: Settings<Config>,
    sockets: Sockets,
    shutdown: CancellationToken,
) -> anyhow::Result<Running> {
    let Settings { swarm, service: config } = settings;
    let running = Running::new(&swarm, &sockets, shutdown);
    let health = Health::new(&ENTRY, clock::now());
    let metrics = Metrics::new(&ENTRY);

    // The journal comes first; what was cut off its end is said.
    let (head, grown) = tokio::sync::watch::channel(0);
    let on_head = Box::new(move |seq| {
        head.send_replace(seq);
    });
    let directory = swarm.data_dir.join(JOURNAL);
    let options = config.journal(&directory, swarm.fsync, clock::now());
    let journal = Journal::open(Options { on_head, ..options }).context("the journal can't be opened")?;
    tracing::info!(epoch = journal.epoch(), recovered = ?journal.recovered(), "opened the journal");

    // What it has is read, and what comes is followed.
    let app = App::new(journal, config.keys, health.clone(), &metrics, &running)?;
    let tasks = running.tasks();
    tasks.spawn(tasks::follow(app.clone(), grown, health.clone()));
    tasks.spawn(tasks::read_the_past(app.clone()));
    tasks.spawn(tasks::retain(app.clone()));
    tasks.spawn(tasks::gauge(app.clone(), Duration::from_millis(config.gauges_ms)));
    tasks.spawn(tasks::standings(app.clone(), health.clone()));

    // From here on it is published to, and subscribed.
    sockets.cut_off_after(SILENT_PEER)?;
    let (routes, openapi) = http::routes(app.clone());
    let routes = socket::attach(routes, app.clone(), &config);
    let rpc = Some(rpc::routes(app.clone()));
    let server = Server { entry: ENTRY, routes, rpc, openapi, health: health.clone(), metrics };
    server.spawn(&swarm, sockets, &running)?;
    presence::spawn(&swarm, presence::registration(&ENTRY, &running.url(), &[]), &health, &running);
    Ok(running.ending_with(move || app.close()))
}
