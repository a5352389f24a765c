//! A scripted provider of models as a process, for benches and for scripts that have nothing but curl.
//!
//! Scripts are posted to `/__script`, or come with a request in its header `x-scripted` or after `~` in its model's name;
//! what came is at `/__requests`. See `pas_testkit::provider`.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use pas_testkit::provider::{Manner, Offer, Options, Provider};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

/// Answers as a provider of models would, or as a script says.
#[derive(Debug, Parser)]
#[command(name = "pas-scripted-provider", version)]
struct Command {
    /// The port of 127.0.0.1; 0 is a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How many requests are kept for /__requests.
    #[arg(long, default_value_t = Options::default().keep)]
    keep: usize,
    /// Answer what came before without reading it again, and keep none of it: for benches.
    #[arg(long)]
    instant: bool,
    /// In whose manner it speaks.
    #[arg(long, value_enum, default_value_t)]
    manner: Manner,
    /// A credential that is accepted; without any, none is looked at.
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<String>,
    /// A model that it has, and how many tokens fit in, if that is known: llama3.1:8b=8192.
    #[arg(long = "model", value_name = "ID[=CONTEXT]")]
    models: Vec<Offer>,
}

// One thread: it shares the machine with what is measured.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Command::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stderr(), "error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("no SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("no SIGINT")?;
    let Command { port, keep, instant, manner, keys, models } = command;
    let provider = Provider::with(Options { port, keep, instant, manner, keys, models })?;
    let line = json!({"message": "listening", "port": provider.port()});
    // Who started it reads the port here, or knows it already.
    drop(writeln!(io::stdout(), "{line}"));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    provider.stop().await;
    Ok(())
}
