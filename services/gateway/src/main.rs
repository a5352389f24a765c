//! The binary of the gateway.

use std::process::ExitCode;

use pas_gateway::{Config, start};
use pas_service::{Sockets, config, running, telemetry};
use pas_types::catalog;

/// Gives back to the system what a burst took, which the C library's doesn't.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

// Calls have threads of their own; here is what else there is to do.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    running::exit_code(run().await)
}

async fn run() -> anyhow::Result<()> {
    let settings = config::load(&catalog::GATEWAY, Config::validate)?;
    telemetry::init(&settings.swarm)?;
    let sockets = Sockets::bind(&settings.swarm, settings.service.port)?;
    start(settings, sockets, running::stop_on_signals()?).await?.wait().await
}
