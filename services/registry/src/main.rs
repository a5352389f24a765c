//! The binary of the registry.

use std::process::ExitCode;

use pas_registry::{Config, start};
use pas_service::{Sockets, config, running, telemetry};
use pas_types::catalog;

// Requests are short and take turns at one lock: more threads would cost more in wake-ups than they bring.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    running::exit_code(run().await)
}

async fn run() -> anyhow::Result<()> {
    let settings = config::load(&catalog::REGISTRY, Config::validate)?;
    telemetry::init(&settings.swarm)?;
    let sockets = Sockets::bind(&settings.swarm, settings.service.port)?;
    start(settings, sockets, running::stop_on_signals()?).await?.wait().await
}
