#![doc = include_str!("../README.md")]

pub mod config;
pub mod error;
pub mod http;
pub mod receipts;

use pas_service::server::Server;
use pas_service::{Health, Metrics, Running, Settings, Sockets, clock, presence, publisher};
use pas_types::catalog;
use tokio_util::sync::CancellationToken;

pub use crate::config::Config;
pub use crate::http::openapi;

use crate::receipts::Receipts;

/// Which service this is.
const ENTRY: catalog::Entry = catalog::GATEWAY;

/// Starts the gateway on `sockets`; it ends on `shutdown`.
pub async fn start(
    settings: Settings<Config>,
    sockets: Sockets,
    shutdown: CancellationToken,
) -> anyhow::Result<Running> {
    let Settings { swarm, service: config } = settings;
    let running = Running::new(&swarm, &sockets, shutdown);
    let health = Health::new(&ENTRY, clock::now());
    let metrics = Metrics::new(&ENTRY);

    // What was open when the last run ended is settled first.
    let publisher = publisher::spawn(&ENTRY, &swarm, &health, &metrics, &running)?;
    let receipts = Receipts::open(&config, &swarm, &health, &metrics, publisher, &running)?;

    // From here on it is called.
    let (routes, openapi) = http::routes(receipts.clone());
    let server = Server { entry: ENTRY, routes, rpc: None, openapi, health: health.clone(), metrics };
    server.spawn(&swarm, sockets, &running)?;
    presence::spawn(&swarm, presence::registration(&ENTRY, &running.url(), &[]), &health, &running);
    Ok(running.ending_with(move || receipts.close()))
}
