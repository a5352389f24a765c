//! The binary of the HMI.

use std::process::ExitCode;

use pas_hmi::{Config, start};
use pas_service::{Sockets, config, running, telemetry};
use pas_types::catalog;

#[tokio::main]
async fn main() -> ExitCode {
    running::exit_code(run().await)
}

async fn run() -> anyhow::Result<()> {
    let settings = config::load(&catalog::HMI, Config::validate)?;
    telemetry::init(&settings.swarm)?;
    let sockets = Sockets::bind(&settings.swarm, settings.service.port)?;
    start(settings, sockets, running::stop_on_signals()?).await?.wait().await
}
