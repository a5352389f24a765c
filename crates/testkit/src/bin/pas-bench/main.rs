//! The load driver behind `scripts/bench.sh` and `scripts/soak.sh`.

mod bar;
mod bars;
mod load;
mod machine;
mod out;
mod report;
mod soak;
mod stats;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use tokio::runtime::{Builder, Handle};

use crate::bars::gateway::{Part, Subject};
use crate::machine::{Machine, Others};
use crate::report::Report;

/// Loads PAS's real release processes and measures them.
#[derive(Debug, Parser)]
#[command(name = "pas-bench", version)]
enum Command {
    /// Measure the bars.
    Bars {
        /// Fail when one is missed.
        #[arg(long)]
        check: bool,
        /// Write the report as JSON too.
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
        /// Measure the bare proxy in the gateway's place: what is found then is the noise.
        #[arg(long)]
        null: bool,
        /// Of the gateway's bars only these.
        #[arg(long)]
        only: Option<Part>,
        /// Whose bars.
        #[arg(default_value = "all")]
        area: Area,
    },
    /// Keep a swarm busy, and look for leaks and lost connections.
    Soak {
        /// For how long; fractions are allowed.
        #[arg(long)]
        hours: f64,
    },
}

/// A part of PAS that has bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Area {
    Registry,
    Monitor,
    Events,
    Gateway,
    Adapter,
    Swarm,
    All,
}

fn main() -> ExitCode {
    match run(Command::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            out::progress(format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether all is well.
fn run(command: Command) -> anyhow::Result<bool> {
    // For watchers and subscribers alone; all other load has threads of its own. One worker, to leave the cores to what is measured.
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    match command {
        Command::Bars { check, json, null, only, area } => {
            let subject = if null { Subject::Bare } else { Subject::Gateway };
            let report = measure(runtime.handle(), area, subject, only)?;
            json.map_or(Ok(()), |file| report.write(&file))?;
            Ok(report.is_met() || !check)
        }
        Command::Soak { hours } => soak::run(runtime.handle(), hours),
    }
}

fn measure(runtime: &Handle, area: Area, subject: Subject, only: Option<Part>) -> anyhow::Result<Report> {
    let mut report = Report::begin(Machine::here());
    let others = Others::watch()?;
    let wanted = |one| area == one || area == Area::All;
    if wanted(Area::Registry) {
        bars::registry::measure(&mut report, runtime)?;
    }
    if wanted(Area::Monitor) {
        bars::monitor::measure(&mut report)?;
    }
    if wanted(Area::Events) {
        bars::events::measure(&mut report, runtime)?;
    }
    if wanted(Area::Gateway) {
        bars::gateway::measure(&mut report, subject, only)?;
    }
    if wanted(Area::Adapter) {
        bars::gateway::adapter(&mut report)?;
    }
    if wanted(Area::Swarm) {
        bars::swarm::measure(&mut report)?;
    }
    report.conclude(others.percent()?);
    Ok(report)
}
