#![doc = include_str!("../README.md")]

pub mod app;
pub mod assets;
pub mod client;
pub mod config;
pub mod core;
pub mod error;
pub mod http;

use std::sync::Arc;

use pas_service::server::Server;
use pas_service::{Health, Metrics, Running, Settings, Sockets, clock, fleet, presence, publisher};
use pas_types::catalog;
use tokio_util::sync::CancellationToken;

pub use crate::config::Config;
pub use crate::http::openapi;

use crate::app::App;
use crate::client::Owners;

/// Which service this is.
const ENTRY: catalog::Entry = catalog::HMI;

/// Starts the HMI on `sockets`; it ends on `shutdown`.
pub async fn start(
    settings: Settings<Config>,
    sockets: Sockets,
    shutdown: CancellationToken,
) -> anyhow::Result<Running> {
    let Settings { mut swarm, service: config } = settings;
    // Its own pages may call it, whatever its port.
    swarm.origins.extend(config::own_origins(&swarm, sockets.port()));
    let running = Running::new(&swarm, &sockets, shutdown);
    let health = Health::new(&ENTRY, clock::now());
    let metrics = Metrics::new(&ENTRY);

    let publisher = publisher::spawn(&ENTRY, &swarm, &health, &metrics, &running)?;
    let owners = Owners::new(&swarm, &config);
    let app = App::new(running.url(), config.demo, owners, health.clone(), publisher);
    let app = Arc::new(app);
    let hearing = Arc::clone(&app);
    let hear = move |news| hearing.hear(news);
    running.tasks().spawn(fleet::follow(swarm.registry_url.clone(), hear, running.shutdown().clone()));

    let (routes, openapi) = http::routes(app, assets::BUILT);
    let server = Server { entry: ENTRY, routes, rpc: None, openapi, health: health.clone(), metrics };
    server.spawn(&swarm, sockets, &running)?;
    presence::spawn(&swarm, presence::registration(&ENTRY, &running.url(), &[]), &health, &running);
    Ok(running)
}
