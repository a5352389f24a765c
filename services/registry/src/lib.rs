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
mod writer;

use pas_service::server::Server;
use pas_service::{Health, Metrics, Running, Settings, Sockets, clock, presence, publisher};
use pas_types::catalog;
use pas_types::registry::Registration;
use tokio_util::sync::CancellationToken;

pub use crate::config::Config;
pub use crate::http::openapi;

use crate::app::App;
use crate::store::Store;

/// Which service this is.
const ENTRY: catalog::Entry = catalog::REGISTRY;

/// Starts the registry on `sockets`; it ends on `shutdown`.
pub async fn start(
    settings: Settings<Config>,
    sockets: Sockets,
    shutdown: CancellationToken,
) -> anyhow::Result<Running> {
    let Settings { swarm, service: config } = settings;
    let mut running = Running::new(&swarm, &sockets, shutdown);
    let health = Health::new(&ENTRY, clock::now());
    let metrics = Metrics::new(&ENTRY);

    // What was there before is there again, and nobody has aged meanwhile.
    let store = Store::open(&running.claim_data(&swarm, ENTRY.section)?, swarm.fsync)?;
    let tuning = config.tuning();
    let period = tuning.sweep_period;
    let publisher = publisher::spawn(&ENTRY, &swarm, &health, &metrics, &running)?;
    let (app, writer) = App::start(store, tuning, health.clone(), &metrics, publisher)?;

    // The registry is the first on its own list.
    let own = presence::registration(&ENTRY, &running.url(), &[]);
    let own = Registration { service_id: app.id_of(&ENTRY), ..own };
    let (registered, _) = app.register(own.clone()).await?;

    // From here on it is asked, and looks who is silent.
    let (routes, openapi) = http::routes(app.clone());
    let (tasks, shutdown) = (running.tasks().clone(), running.shutdown().clone());
    let rpc = Some(rpc::routes(app.clone(), tasks.clone(), shutdown.clone()));
    let server = Server { entry: ENTRY, routes, rpc, openapi, health: health.clone(), metrics };
    server.spawn(&swarm, sockets, &running)?;
    tasks.spawn(tasks::sweep(app.clone(), health.clone(), period, shutdown.clone()));
    tasks.spawn(tasks::publish(app.clone(), shutdown.clone()));
    tasks.spawn(tasks::own_beat(app, health, own, registered, shutdown));

    // The writer ends when nobody is left who could ask it for anything.
    Ok(running.with_thread("writer", writer))
}
