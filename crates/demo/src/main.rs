#![doc = include_str!("../README.md")]

mod calls;
mod core;
mod events;
mod models;
mod out;
mod performance;
mod presence;
mod story;

use std::io::Read;
use std::process::ExitCode;

use clap::Parser;
use pas_service::running;
use tokio_util::sync::CancellationToken;

/// Plays a swarm of 42 agents and their models against services of PAS that run. Nothing is asked of any provider.
#[derive(Debug, Parser)]
#[command(name = "pas-demo", version)]
struct Arguments {
    /// Where the registry is. What is played there is kept there: give it services of its own (`pas demo` does).
    #[arg(long, value_name = "URL")]
    registry_url: String,
    /// Where the gateway is.
    #[arg(long, value_name = "URL")]
    gateway_url: String,
    /// Where the event stream is.
    #[arg(long, value_name = "URL")]
    events_url: String,
    /// End when standard input does: whoever holds its other end may be killed.
    #[arg(long, hide = true)]
    end_with_stdin: bool,
}

// One thread is enough for all of it, and leaves the machine to the services.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    running::exit_code(run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let shutdown = running::stop_on_signals()?;
    if arguments.end_with_stdin {
        end_with_stdin(shutdown.clone());
    }
    let root = |url: &str| url.trim_end_matches('/').to_owned();
    let services = performance::Services {
        registry: root(&arguments.registry_url),
        gateway: root(&arguments.gateway_url),
        events: root(&arguments.events_url),
    };
    performance::run(&services, shutdown).await
}

/// A thread that nobody waits for: it may never be told of the end.
fn end_with_stdin(shutdown: CancellationToken) {
    std::thread::spawn(move || {
        let mut nothing = [0; 64];
        while std::io::stdin().read(&mut nothing).is_ok_and(|read| read > 0) {}
        shutdown.cancel();
    });
}
