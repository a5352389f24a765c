#![doc = include_str!("../README.md")]

mod commands;
mod core;
mod health;
mod home;
mod log_file;
mod out;
mod ports;
#[cfg(target_os = "linux")]
mod proc;
mod receipts;
mod stores;
mod supervisor;
mod swarm;

#[cfg(not(target_os = "linux"))]
compile_error!("`pas` runs on Linux only: it holds processes by pidfd and reads /proc (src/proc.rs)");

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use pas_types::id::CallId;

use crate::swarm::Source;

/// Starts, stops, shows and keeps a PAS swarm.
#[derive(Debug, Parser)]
#[command(name = "pas", version)]
struct Arguments {
    #[command(flatten)]
    source: Source,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start every service, wait until each answers, and start again what dies.
    Up {
        /// Return when all is up; the supervisor stays behind.
        #[arg(long)]
        detach: bool,
    },
    /// Stop every service, gracefully.
    Down,
    /// Show a living swarm: start every service over a data directory of its own, without any credential, and play 42
    /// scripted agents on them until Ctrl-C.
    Demo,
    /// Show every service: how it says it is, its process, its URL. Fails when one is not up.
    Status {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show the end of the logs.
    Logs {
        /// Of this service alone; `pas` is the supervisor.
        service: Option<String>,
        /// Go on showing what is written.
        #[arg(short, long)]
        follow: bool,
        /// How many lines of each log.
        #[arg(short = 'n', long, default_value_t = 50)]
        lines: usize,
    },
    /// Copy every database and every journal, consistently, while the services run.
    Backup {
        /// A new or an empty folder.
        dir: PathBuf,
    },
    /// Replace databases and journals by those of a backup, while nothing runs; the old ones are kept beside.
    ///
    /// A journal that comes back begins a new epoch: what its service numbered after the backup is not there any more.
    Restore {
        /// A folder that `pas backup` has filled.
        dir: PathBuf,
    },
    /// Look at the receipts of calls through the gateway, whether it runs or not.
    Receipts {
        #[command(subcommand)]
        command: commands::receipts::Command,
    },
    /// Tell the story of one call: who could have answered, who was tried, what it took and what it cost.
    Explain {
        /// The id of the call, as the gateway answered it in `x-pas-run-id`.
        run_id: CallId,
    },
    /// Look for what could keep PAS from running, and say what helps.
    Doctor,
    /// What `up --detach` leaves behind.
    #[command(hide = true)]
    Supervise,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            out::error(format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(Arguments { source, command }: Arguments) -> anyhow::Result<ExitCode> {
    match command {
        Command::Up { detach } => commands::up::run(&source, detach).await,
        Command::Supervise => commands::up::supervise(&source).await,
        Command::Down => commands::down::run(&source).await,
        Command::Demo => commands::demo::run(&source).await,
        Command::Status { json } => commands::status::run(&source, json).await,
        Command::Logs { service, follow, lines } => {
            commands::logs::run(&source, service.as_deref(), follow, lines).await
        }
        Command::Backup { dir } => commands::backup::run(&source, &dir),
        Command::Restore { dir } => commands::restore::run(&source, &dir),
        Command::Receipts { command } => commands::receipts::run(&source, command),
        Command::Explain { run_id } => commands::explain::run(&source, &run_id),
        Command::Doctor => commands::doctor::run(&source).await,
    }
}

/// The reader of standard output has gone, as in `pas logs | head`: it has seen enough.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
