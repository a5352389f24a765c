//! Where and when something was measured.

use std::fs;

use pas_types::time::WireTime;
use serde::Serialize;

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
            cores: std::thread::available_parallelism().map_or(1, usize::from),
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
