#![doc = include_str!("../README.md")]

pub mod app;
pub mod config;
pub mod core;
pub mod error;
pub mod http;
pub mod metrics;
pub mod rpc;
pub mod store;
pub mod tasks;

use std::sync::Arc;

use pas_service::fleet::Snapshot;
use pas_service::server::Server;
use pas_service::{Health, Metrics, Running, Settings, Sockets, clock, fleet, presence, publisher};
use pas_types::catalog;
use tokio_util::sync::CancellationToken;

pub use crate::config::Config;
pub use crate::http::openapi;

use crate::app::App;
use crate::metrics::Counts;
use crate::store::Store;

/// Which service this is.
const ENTRY: catalog::Entry = catalog::PROVIDER_ROUTER;

/// Starts the router on `sockets`; it ends on `shutdown`.
pub async fn start(
    settings: Settings<Config>,
    sockets: Sockets,
    shutdown: CancellationToken,
) -> anyhow::Result<Running> {
    let Settings { swarm, service: config } = settings;
    let running = Running::new(&swarm, &sockets, shutdown);
    let health = Health::new(&ENTRY, clock::now());
    let metrics = Metrics::new(&ENTRY);

    // What the files say is in force before anybody can ask.
    let look = config.look();
    let store = Store::new(config.matrix, config.policies);
    let publisher = publisher::spawn(&ENTRY, &swarm, &health, &metrics, &running)?;
    let app = Arc::new(App::new(store, publisher, health.clone(), Counts::new(&metrics)));
    app.look().await;
    app.rebuild(&Snapshot::default());

    let (tasks, shutdown) = (running.tasks().clone(), running.shutdown().clone());
    let snapshots = fleet::spawn(&swarm, Snapshot::default(), &health, &running);
    tasks.spawn(tasks::look(Arc::clone(&app), look, shutdown.clone()));
    tasks.spawn(tasks::rebuild(Arc::clone(&app), snapshots, shutdown.clone()));

    let (routes, openapi) = http::routes(Arc::clone(&app));
    let rpc = Some(rpc::routes(app, tasks, shutdown));
    let server = Server { entry: ENTRY, routes, rpc, openapi, health: health.clone(), metrics };
    server.spawn(&swarm, sockets, &running)?;
    presence::spawn(&swarm, presence::registration(&ENTRY, &running.url(), &[]), &health, &running);
    Ok(running)
}
