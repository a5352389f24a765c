//! The chassis as services and their callers meet it, on real sockets.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod presence;
mod publisher;
mod server;

use axum::Router;
use pas_service::config::Limits;
use pas_service::server::Server;
use pas_service::{Health, Metrics, Running, Sockets, Swarm, clock};
use pas_types::catalog;
use tokio_util::sync::CancellationToken;

/// A service that has nothing but these routes.
fn serve(routes: Router, sockets: Sockets, grace_s: u64, body_bytes: usize) -> Running {
    let limits = Limits { body_bytes, ..Limits::default() };
    let swarm = Swarm { grace_s, limits, ..Swarm::default() };
    let running = Running::new(&swarm, &sockets, CancellationToken::new());
    let server = Server {
        entry: catalog::REGISTRY,
        routes,
        rpc: None,
        openapi: utoipa::openapi::OpenApi::default(),
        health: Health::new(&catalog::REGISTRY, clock::now()),
        metrics: Metrics::new(&catalog::REGISTRY),
    };
    server.spawn(&swarm, sockets, &running).unwrap();
    running
}
