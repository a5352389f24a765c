//! `pas doctor`.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use pas_types::catalog::SERVICES;

use super::status;
use crate::core::condition::Condition;
use crate::home::{self, Home};
use crate::swarm::{self, Source, Swarm};
use crate::{out, ports, proc};

/// With less room than this a database or a log will soon fill the disk.
const LEAST_FREE_BYTES: u64 = 512 * 1024 * 1024;

/// What is wrong, and what helps.
struct Fault {
    problem: String,
    remedy: String,
}

impl Fault {
    fn new(problem: impl ToString, remedy: impl ToString) -> Self {
        Self { problem: problem.to_string(), remedy: remedy.to_string() }
    }
}

/// Makes every check, and fails when one fails.
pub(crate) async fn run(source: &Source) -> Result<ExitCode> {
    let mut healthy = report("programs", check_programs())?;
    match Swarm::load(source) {
        Ok(swarm) => {
            healthy &= report("configuration", check_configuration(&swarm))?;
            healthy &= report("data", check_data(&swarm.home.data_dir))?;
            healthy &= report("logs", check_logs(&swarm.home.log_dir))?;
            healthy &= report("ports", check_ports(&swarm))?;
            healthy &= report("services", check_services(&swarm.home).await)?;
        }
        Err(error) => {
            healthy &=
                report("configuration", Err(Fault::new(format!("{error:#}"), "correct it and try again")))?;
        }
    }
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints the outcome of one check, and says whether it was good.
fn report(name: &str, outcome: Result<String, Fault>) -> std::io::Result<bool> {
    match &outcome {
        Ok(found) => out::line(format!("{}  {name:<14} {found}", out::verdict("ok  ", true)))?,
        Err(Fault { problem, remedy }) => {
            out::line(format!("{}  {name:<14} {problem}", out::verdict("FAIL", false)))?;
            out::line(format!("      {:<14} -> {remedy}", ""))?;
        }
    }
    Ok(outcome.is_ok())
}

fn check_programs() -> Result<String, Fault> {
    let remedy = "build all of one version: scripts/start_pas_services.sh does";
    for entry in &SERVICES {
        let says = version(entry).map_err(|error| Fault::new(format!("{error:#}"), remedy))?;
        let wanted = format!("{} {}", entry.binary, env!("CARGO_PKG_VERSION"));
        if says != wanted {
            return Err(Fault::new(format!("{says} is not {wanted}"), remedy));
        }
    }
    Ok(format!("{} services of version {}", SERVICES.len(), env!("CARGO_PKG_VERSION")))
}

fn version(entry: &pas_types::catalog::Entry) -> Result<String> {
    let binary = swarm::binary(entry)?;
    let output = Command::new(&binary).arg("--version").output();
    let output = output.with_context(|| format!("cannot run {}", binary.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn check_configuration(swarm: &Swarm) -> Result<String, Fault> {
    match swarm.remarks().next() {
        Some(remark) => Err(Fault::new(remark, "run a service with --print-config to see what is in force")),
        None => Ok("every service accepts it".to_owned()),
    }
}

fn check_data(data_dir: &Path) -> Result<String, Fault> {
    let remedy = "make it writable, or name another one with --data-dir";
    let existing = data_dir.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    if !proc::is_writable(existing) {
        return Err(Fault::new(format!("{} can't be written to", existing.display()), remedy));
    }
    let free = proc::free_bytes(existing).map_err(|error| Fault::new(error, remedy))?;
    let found = format!("{} is writable; {} MiB are free", data_dir.display(), free / 1024 / 1024);
    if free < LEAST_FREE_BYTES { Err(Fault::new(found, "make room on the disk")) } else { Ok(found) }
}

fn check_logs(log_dir: &Path) -> Result<String, Fault> {
    if std::fs::symlink_metadata(log_dir).is_err() {
        return Ok(format!("{} will be made", log_dir.display()));
    }
    home::check_private_dir(log_dir)
        .map(|()| format!("{} is this user's own", log_dir.display()))
        .map_err(|error| Fault::new(format!("{error:#}"), "remove it, or name another place with --data-dir"))
}

fn check_ports(swarm: &Swarm) -> Result<String, Fault> {
    let state = swarm.home.state().map_err(|error| Fault::new(format!("{error:#}"), "look at run/pids"))?;
    match ports::taken(swarm, state.as_ref()).into_iter().next() {
        Some(taken) => Err(Fault::new(taken.problem, taken.remedy)),
        None => Ok("free, or held by this swarm".to_owned()),
    }
}

async fn check_services(home: &Home) -> Result<String, Fault> {
    let report =
        status::report(home).await.map_err(|error| Fault::new(format!("{error:#}"), "look at run/pids"))?;
    if report.services.is_empty() {
        return Ok("nothing runs; `pas up` starts it".to_owned());
    }
    if report.supervisor.is_none() {
        let remedy = "`pas up` takes over what runs and starts the rest";
        return Err(Fault::new("nobody supervises them: what dies stays dead", remedy));
    }
    let Some(row) = report.services.iter().find(|row| !row.state.is_up()) else {
        return Ok("all are up".to_owned());
    };
    let problem = match row.state {
        Condition::Silent => format!("{} does not answer", row.service),
        state => format!("{} is {}", row.service, state.words()),
    };
    Err(Fault::new(problem, format!("`pas logs {}` tells more", row.service)))
}
