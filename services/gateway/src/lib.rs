#![doc = include_str!("../README.md")]

pub mod app;
pub mod call;
pub mod client;
pub mod config;
pub mod core;
pub mod error;
pub mod headers;
pub mod http;
pub mod inflight;
pub mod knowledge;
pub mod lane;
pub mod ledger;
pub mod metrics;
pub mod pipeline;
pub mod receipts;
pub mod snapshot;
pub mod table;
pub mod tasks;

use std::sync::Arc;
use std::time::Duration;

use pas_service::server::Server;
use pas_service::{Health, Metrics, Running, Settings, Sockets, clock, fleet, presence, publisher};
use pas_types::catalog;
use tokio_util::sync::CancellationToken;

pub use crate::config::Config;
pub use crate::http::openapi;

use crate::app::App;
use crate::client::Router;
use crate::knowledge::Knowledge;
use crate::metrics::{Counts, Look};
use crate::receipts::Receipts;

/// Which service this is.
const ENTRY: catalog::Entry = catalog::GATEWAY;
/// Where what is known lies below the data directory.
const KNOWN: &str = "run/gateway-snapshot.json";

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
    let receipts = Receipts::open(&config, &swarm, &health, &metrics, publisher.clone(), &running)?;

    // What was known last holds until it is heard anew.
    let knowledge = Arc::new(Knowledge::open(swarm.data_dir.join(KNOWN))?);
    let (known, heard) = knowledge.fleet();
    let (router, threads) = (Router::new(&config.router_url)?, config.threads());
    let (counts, tasks, shutdown) =
        (Counts::new(&metrics), running.tasks().clone(), running.shutdown().clone());
    let app = App::new(config, known, heard, receipts.clone(), counts, publisher, tasks.clone());
    metrics.register_collector(Look(Arc::downgrade(app.in_flight())));
    let heard = fleet::spawn(&swarm, knowledge.services(), &health, &running);
    tasks.spawn(tasks::follow_registry(app.clone(), Arc::clone(&knowledge), heard, shutdown.clone()));
    tasks.spawn(tasks::follow_router(
        app.clone(),
        Arc::clone(&knowledge),
        router,
        health.clone(),
        shutdown.clone(),
    ));
    tasks.spawn(tasks::end_calls(app.clone(), Duration::from_secs(swarm.grace_s), shutdown.clone()));
    tasks.spawn(tasks::look_after(app.clone(), knowledge, health.clone(), shutdown));

    // From here on it is called.
    let direct = http::direct(&app);
    let (routes, openapi) = http::routes(app);
    let server = Server { entry: ENTRY, routes, rpc: None, openapi, health: health.clone(), metrics };
    server.spawn_on_threads(threads, direct, &swarm, sockets, &running)?;
    presence::spawn(&swarm, presence::registration(&ENTRY, &running.url(), &[]), &health, &running);
    Ok(running.ending_with(move || receipts.close()))
}
