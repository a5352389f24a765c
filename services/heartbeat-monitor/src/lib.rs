#![doc = include_str!("../README.md")]

pub mod app;
pub mod client;
pub mod config;
pub mod core;
pub mod error;
pub mod http;
pub mod metrics;
pub mod store;
pub mod tasks;

use std::sync::Arc;
use std::time::Duration;

use pas_service::server::Server;
use pas_service::{Health, Metrics, Running, Settings, Sockets, clock, presence, publisher};
use pas_types::catalog;
use tokio_util::sync::CancellationToken;

pub use crate::config::Config;
pub use crate::http::openapi;

use crate::app::App;
use crate::client::{Events, Prober, Registry};
use crate::metrics::Counts;
use crate::store::Store;

/// Which service this is.
const ENTRY: catalog::Entry = catalog::HEARTBEAT_MONITOR;

/// Starts the monitor on `sockets`; it ends on `shutdown`.
pub async fn start(
    settings: Settings<Config>,
    sockets: Sockets,
    shutdown: CancellationToken,
) -> anyhow::Result<Running> {
    let Settings { swarm, service: config } = settings;
    let mut running = Running::new(&swarm, &sockets, shutdown);
    let health = Health::new(&ENTRY, clock::now());
    let metrics = Metrics::new(&ENTRY);

    let store = Store::open(&running.claim_data(&swarm, ENTRY.section)?, swarm.fsync)?;
    let app = App::new(config.clone(), store, Counts::new(&metrics), health.clone(), clock::now())?;
    let app = Arc::new(app);
    let registry = Registry::new(&swarm.registry_url)?;
    let events = Events::new(&swarm.events_url)?;
    let publisher = publisher::spawn(&ENTRY, &swarm, &health, &metrics, &running)?;
    let prober = Prober::new(Duration::from_millis(config.probe_timeout_ms))?;

    let (routes, openapi) = http::routes(Arc::clone(&app));
    let server = Server { entry: ENTRY, routes, rpc: None, openapi, health: health.clone(), metrics };
    server.spawn(&swarm, sockets, &running)?;

    let registry_url = swarm.registry_url.clone();
    let loops = tasks::Loops { app, registry, registry_url, events, publisher, prober, config };
    loops.spawn(running.tasks(), running.shutdown());
    presence::spawn(&swarm, presence::registration(&ENTRY, &running.url(), &[]), &health, &running);
    Ok(running)
}
