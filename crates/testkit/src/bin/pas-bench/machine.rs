//! Where and when something was measured.

use std::fs;

use pas_testkit::proc;
use pas_types::time::WireTime;
use serde::Serialize;
use tokio::time::Instant;

/// The machine, the date, and what else it did then.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Machine {
    /// When this was looked at.
    date: WireTime,
    /// The cores that this process may use.
    cores: usize,
    /// Their kind.
    processor: String,
    /// Mebibytes of memory.
    memory_mib: u64,
    /// The kernel.
    kernel: String,
    /// The machine's load average over one minute, before anything was measured.
    load_average: f64,
}

impl Machine {
    /// This one, now.
    pub(crate) fn here() -> Self {
        let memory_kib: u64 =
            field("/proc/meminfo", "MemTotal").and_then(|text| first(&text)).unwrap_or_default();
        Self {
            date: now(),
            cores: cores(),
            processor: field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
            memory_mib: memory_kib / 1024,
            kernel: word("/proc/sys/kernel/osrelease").unwrap_or_else(|| "unknown".to_owned()),
            load_average: word("/proc/loadavg").unwrap_or(0.0),
        }
    }

    /// In one line.
    pub(crate) fn line(&self) -> String {
        let Self { date, cores, processor, memory_mib, kernel, load_average } = self;
        format!(
            "{date} · {cores} cores ({processor}), {memory_mib} MiB, Linux {kernel}, load average {load_average}"
        )
    }
}

/// What else the machine does while something is measured.
#[derive(Debug)]
pub(crate) struct Others {
    begun: Instant,
    others_s: f64,
}

impl Others {
    /// From now on.
    pub(crate) fn watch() -> anyhow::Result<Self> {
        Ok(Self { begun: Instant::now(), others_s: others_s()? })
    }

    /// The share of the machine's cores that others took until now; the processes that were measured have ended.
    pub(crate) fn percent(&self) -> anyhow::Result<f64> {
        let all_s = self.begun.elapsed().as_secs_f64() * cores() as f64;
        Ok(100.0 * (others_s()? - self.others_s).max(0.0) / all_s)
    }
}

fn others_s() -> anyhow::Result<f64> {
    Ok(proc::machine_cpu_s()? - proc::family_cpu_s(std::process::id())?)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[expect(clippy::disallowed_methods, reason = "a report carries its date; nothing is decided by it")]
fn now() -> WireTime {
    jiff::Timestamp::now().into()
}

/// The value of the first line of a file in `/proc` that begins with this name.
fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim().to_owned())
}

fn word<T: std::str::FromStr>(file: &str) -> Option<T> {
    first(&fs::read_to_string(file).ok()?)
}

fn first<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.split_whitespace().next()?.parse().ok()
}
