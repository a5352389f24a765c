//! `pas status`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use comfy_table::Cell;
use futures_util::future::join_all;
use serde::Serialize;
use tokio::time::Instant;

use super::logs;
use crate::core::condition::Condition;
use crate::core::state::Record;
use crate::home::{Home, SUPERVISOR};
use crate::swarm::Source;
use crate::{health, out};

/// Every service of a swarm, as it is now.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The supervisor's process, if there is one.
    pub(crate) supervisor: Option<i32>,
    /// Its services, in the order in which they start.
    pub(crate) services: Vec<Row>,
}

/// One service of a [`Report`].
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) service: String,
    pub(crate) state: Condition,
    pub(crate) reason: Option<String>,
    pid: Option<i32>,
    uptime_s: Option<u64>,
    restarts: u32,
    url: String,
}

/// Shows how every service is.
pub(crate) async fn run(source: &Source, json: bool) -> Result<ExitCode> {
    let home = source.home_or_default()?;
    let report = report(&home).await?;
    if json {
        out::line(serde_json::to_string_pretty(&report)?)?;
    } else if report.services.is_empty() {
        out::line(format!("nothing of PAS runs in {}: `pas up` starts it", home.data_dir.display()))?;
    } else {
        show(&report)?;
    }
    Ok(report.exit_code())
}

/// Shows how every service is after a start, once all are up or `patience` is over; names the log of each that is
/// not.
pub(crate) async fn conclude(home: &Home, patience: Duration) -> Result<ExitCode> {
    let begun = Instant::now();
    let report = loop {
        let report = report(home).await?;
        if report.is_up() || begun.elapsed() >= patience {
            break report;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    show(&report)?;
    complain(home, &report)?;
    Ok(report.exit_code())
}

/// Says which services did not come up, and how their logs end.
pub(crate) fn complain(home: &Home, report: &Report) -> Result<()> {
    for row in report.services.iter().filter(|row| !row.state.is_up()) {
        out::error(format!("{} did not come up{}", row.service, ends(home, &row.service)?));
    }
    if report.services.is_empty() {
        out::error(format!("the supervisor did not start{}", ends(home, SUPERVISOR)?));
    }
    Ok(())
}

/// The ends of both logs of a service, or of the supervisor, as far as anything was written.
fn ends(home: &Home, name: &str) -> Result<String> {
    let mut text = String::new();
    for log in [home.log(name), home.error_log(name)] {
        let end = logs::tail(&log, 3)?.join("\n  ");
        if !end.is_empty() {
            text += &format!("\n{} ends with:\n  {end}", log.display());
        }
    }
    Ok(text)
}

/// Asks every service at once.
pub(crate) async fn report(home: &Home) -> Result<Report> {
    let Some(state) = home.state()? else { return Ok(Report { supervisor: None, services: Vec::new() }) };
    let supervised = state.supervisor.is_alive();
    let services = join_all(state.services.into_iter().map(|record| Row::of(record, supervised))).await;
    Ok(Report { supervisor: supervised.then_some(state.supervisor.pid), services })
}

impl Row {
    async fn of(record: Record, supervised: bool) -> Self {
        let process = record.running();
        let answer = match process {
            Some(_) => health::ask(&record.url).await,
            None => Err("not running".to_owned()),
        };
        let (state, reason) = Condition::of(process.is_some(), supervised, answer);
        Self {
            service: record.service,
            state,
            reason: reason.or_else(|| record.last_exit.filter(|_| process.is_none())),
            pid: process.map(|process| process.pid),
            uptime_s: process.and_then(|process| process.uptime()).map(|uptime| uptime.as_secs()),
            restarts: record.restarts,
            url: record.url,
        }
    }
}

impl Report {
    fn is_up(&self) -> bool {
        !self.services.is_empty() && self.services.iter().all(|row| row.state.is_up())
    }

    fn exit_code(&self) -> ExitCode {
        if self.is_up() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn show(report: &Report) -> Result<()> {
    let rows = report.services.iter().map(|row| {
        [
            Cell::new(&row.service),
            out::condition(row.state),
            Cell::new(row.pid.map_or("-".to_owned(), |pid| pid.to_string())),
            Cell::new(row.uptime_s.map_or("-".to_owned(), duration)),
            Cell::new(row.restarts),
            Cell::new(&row.url),
            Cell::new(row.reason.as_deref().unwrap_or_default()),
        ]
    });
    out::table(&["SERVICE", "STATE", "PID", "UPTIME", "RESTARTS", "URL", "REASON"], rows)?;
    match report.supervisor {
        Some(pid) => out::line(format!("supervised by pid {pid}"))?,
        None => out::line("not supervised: `pas up` takes over what runs and starts the rest")?,
    }
    Ok(())
}

/// Seconds in the two largest units that people read.
fn duration(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3_600 => format!("{minutes}m {}s", seconds % 60),
        3_600..86_400 => format!("{hours}h {}m", minutes % 60),
        _ => format!("{days}d {}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uptime_has_at_most_two_units() {
        assert_eq!([59, 61, 7_260, 180_000].map(duration), ["59s", "1m 1s", "2h 1m", "2d 2h"]);
    }
}
