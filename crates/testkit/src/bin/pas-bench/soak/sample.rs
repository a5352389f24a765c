//! What the processes of a swarm use, looked at from time to time.

use std::time::Duration;

use anyhow::Context;
use pas_testkit::proc;
use pas_types::catalog::Entry;

use crate::bar::mebibytes;
use crate::load::connection::{Connection, request};
use crate::load::swarm::{ServiceStatus, Swarm};

/// What one process used at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sample {
    /// Since the soak began.
    pub(super) at: Duration,
    pub(super) resident_bytes: u64,
    pub(super) files: u64,
    pub(super) threads: u64,
    /// By the service's own count.
    pub(super) connections: u64,
}

/// All that was seen of one service.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) entry: Entry,
    port: u16,
    pub(super) samples: Vec<Sample>,
    pub(super) restarts: u32,
    /// Looks that found nothing to look at.
    pub(super) missed: u64,
}

impl Series {
    /// Nothing, as yet.
    pub(super) fn new(entry: Entry, port: u16) -> Self {
        Self { entry, port, samples: Vec::new(), restarts: 0, missed: 0 }
    }

    /// The share of the looks that found the service.
    pub(super) fn up_percent(&self) -> f64 {
        let found = self.samples.len() as f64;
        100.0 * found / (found + self.missed as f64).max(1.0)
    }

    fn take(&mut self, status: Option<&ServiceStatus>, at: Duration) {
        self.restarts = status.map_or(self.restarts, |status| status.restarts);
        let pid = status.and_then(|status| status.pid).context("it doesn't run");
        match pid.and_then(|pid| self.sample(pid, at)) {
            Ok(sample) => self.samples.push(sample),
            Err(_) => self.missed += 1,
        }
    }

    fn sample(&self, pid: u32, at: Duration) -> anyhow::Result<Sample> {
        Ok(Sample {
            at,
            resident_bytes: proc::resident_bytes(pid)?,
            files: proc::open_files(pid)?,
            threads: proc::threads(pid)?,
            connections: connections(self.port)?,
        })
    }
}

/// Looks at every service once.
pub(super) fn look(swarm: &Swarm, series: &mut [Series], at: Duration) {
    // If the launcher can't be asked, no service can be looked at; each one counts that.
    let services = swarm.status().map(|status| status.services).unwrap_or_default();
    for one in series {
        one.take(services.iter().find(|status| status.service == one.entry.name), at);
    }
}

/// How the services are now, in one line.
pub(super) fn line(series: &[Series]) -> String {
    let each = series.iter().filter_map(|one| Some((one.entry.name, one.samples.last()?)));
    let each = each.map(|(name, sample)| {
        let Sample { files, threads, connections, .. } = sample;
        let memory = mebibytes(sample.resident_bytes);
        format!("{name}: {memory:.1} MiB, {files} files, {threads} threads, {connections} connections")
    });
    each.collect::<Vec<_>>().join("  ")
}

fn connections(port: u16) -> anyhow::Result<u64> {
    let mut connection = Connection::open(port)?;
    connection.call(&request("GET", "/metrics", ""))?;
    let text = std::str::from_utf8(connection.body())?;
    connections_in(text).context("connections aren't counted")?.parse().context("no count")
}

/// The count that every service has. Some share its name with others of their kind, and bear a label.
fn connections_in(metrics: &str) -> Option<&str> {
    let name = metrics
        .lines()
        .find_map(|line| line.strip_prefix("# HELP ")?.strip_suffix(" Connections that are open."))?;
    let values = metrics.lines().filter_map(|line| line.strip_prefix(name)?.split_once(' '));
    values.map(|(_, value)| value).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_of_connections_is_found_with_labels_and_without() {
        for line in ["pas_registry_connections 7", "pas_adapter_connections{provider=\"openai\"} 7"] {
            let name = line.split(['{', ' ']).next().unwrap_or_default();
            let metrics = format!(
                "# TYPE {name} gauge\n# HELP {name} Connections that are open.\n# HELP {name}_kept Others.\n{line}\n"
            );
            assert_eq!(connections_in(&metrics), Some("7"), "{line}");
        }
        assert_eq!(connections_in("pas_registry_connections 7\n"), None);
    }
}
