//! What a running process uses, as Linux tells it.

use std::fs;

use anyhow::Context;

/// Bytes of its memory that are resident.
pub fn resident_bytes(pid: u32) -> anyhow::Result<u64> {
    let pages = read(pid, "statm")?;
    let resident: u64 = pages.split(' ').nth(1).context("statm is not as expected")?.parse()?;
    Ok(resident * rustix::param::page_size() as u64)
}

/// Processor time that it has used, in seconds.
pub fn cpu_s(pid: u32) -> anyhow::Result<f64> {
    let fields = stat(pid)?;
    let mut ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let (user, system) = (ticks.next().context("no user time")??, ticks.next().context("no system time")??);
    Ok((user + system) as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Its threads.
pub fn threads(pid: u32) -> anyhow::Result<u64> {
    let fields = stat(pid)?;
    Ok(fields.split_whitespace().nth(17).context("no number of threads")?.parse()?)
}

/// Its open file descriptors.
pub fn open_files(pid: u32) -> anyhow::Result<u64> {
    let files = fs::read_dir(format!("/proc/{pid}/fd")).with_context(|| format!("pid {pid} has no files"))?;
    Ok(files.count() as u64)
}

/// The fields of `stat` after the name, which may contain blanks and brackets.
fn stat(pid: u32) -> anyhow::Result<String> {
    let stat = read(pid, "stat")?;
    let (_, fields) = stat.rsplit_once(')').context("stat is not as expected")?;
    Ok(fields.to_owned())
}

fn read(pid: u32, file: &str) -> anyhow::Result<String> {
    fs::read_to_string(format!("/proc/{pid}/{file}")).with_context(|| format!("pid {pid} doesn't run"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_a_thread_and_files() {
        let pid = std::process::id();
        assert!(resident_bytes(pid).unwrap() > 100_000);
        assert!(threads(pid).unwrap() >= 1);
        assert!(open_files(pid).unwrap() >= 1);
    }

    #[test]
    fn processor_time_only_grows() {
        let pid = std::process::id();
        let before = cpu_s(pid).unwrap();
        while cpu_s(pid).unwrap() <= before {}
    }
}
