//! The chassis as services and their callers meet it, on real sockets.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod presence;
mod server;

use std::time::Duration;

use axum::Router;
use pas_service::server::Server;
use pas_service::{Health, Metrics, Running, Sockets, Swarm, clock};
use pas_types::catalog;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A service that has nothing but these routes.
fn serve(routes: Router, sockets: Sockets, grace_s: u64, body_limit: usize) -> Running {
    let swarm = Swarm { grace_s, ..Swarm::default() };
    let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
    let running = Running::new(sockets.port(), tasks.clone(), shutdown.clone(), Duration::from_secs(grace_s));
    let server = Server {
        entry: catalog::REGISTRY,
        routes,
        rpc: None,
        openapi: utoipa::openapi::OpenApi::default(),
        health: Health::new(&catalog::REGISTRY, clock::now()),
        metrics: Metrics::new(&catalog::REGISTRY),
        body_limit,
    };
    server.spawn(&swarm, sockets, &tasks, &shutdown).unwrap();
    running
}
