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
use pas_service::{Health, Metrics, Running, Settings, Sockets, clock, presence, running};
use pas_types::{catalog, limits};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use crate::config::Config;
pub use crate::http::openapi;

use crate::app::App;
use crate::client::{Prober, Registry};
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
    let health = Health::new(&ENTRY, clock::now());
    let metrics = Metrics::new(&ENTRY);
    let tasks = TaskTracker::new();
    let running =
        Running::new(sockets.port(), tasks.clone(), shutdown.clone(), Duration::from_secs(swarm.grace_s));

    let store = Store::open(&running::data_dir(&swarm, ENTRY.section)?, swarm.fsync)?;
    let app = App::new(config.clone(), store, Counts::new(&metrics), health.clone(), clock::now())?;
    let app = Arc::new(app);
    let registry = Registry::new(&swarm.registry_url)?;
    let prober = Prober::new(Duration::from_millis(config.probe_timeout_ms))?;

    let (routes, openapi) = http::routes(Arc::clone(&app));
    let body_limit = limits::CONTROL_BODY_BYTES;
    let server =
        Server { entry: ENTRY, routes, rpc: None, openapi, health: health.clone(), metrics, body_limit };
    server.spawn(&swarm, sockets, &tasks, &shutdown)?;

    let loops = tasks::Loops { app, registry, prober, config };
    loops.spawn(&tasks, &shutdown);
    let registration = presence::registration(&ENTRY, running.port(), &[]);
    presence::spawn(&swarm, registration, &health, &tasks, &shutdown);
    Ok(running)
}
