//! What a running process uses, as Linux tells it.

use std::fs;

use anyhow::Context;

/// Bytes of its memory that are resident.
pub fn resident_bytes(pid: u32) -> anyhow::Result<u64> {
    let pages = read(pid, "statm")?;
    let resident: u64 = pages.split(' ').nth(1).context("statm is not as expected")?.parse()?;
    Ok(resident * rustix::param::page_size() as u64)
}

/// The most bytes of its memory that ever were resident.
pub fn peak_resident_bytes(pid: u32) -> anyhow::Result<u64> {
    let status = read(pid, "status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
    let kibibytes: u64 = peak.context("status tells no peak")?.trim().parse()?;
    Ok(kibibytes * 1024)
}

/// Processor time that it has used, in seconds.
pub fn cpu_s(pid: u32) -> anyhow::Result<f64> {
    processor_times(pid, 2)
}

/// Processor time that it and those of its children have used that have ended, in seconds.
pub fn family_cpu_s(pid: u32) -> anyhow::Result<f64> {
    processor_times(pid, 4)
}

/// Processor time that the whole machine has spent on programs, in seconds.
pub fn machine_cpu_s() -> anyhow::Result<f64> {
    machine_time(&fs::read_to_string("/proc/stat").context("/proc/stat can't be read")?)
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

/// The first of user, system, children's user and children's system time.
fn processor_times(pid: u32, count: usize) -> anyhow::Result<f64> {
    seconds(stat(pid)?.split_whitespace().skip(11).take(count))
}

fn machine_time(stat: &str) -> anyhow::Result<f64> {
    // User, nice, system.
    seconds(stat.split_whitespace().skip(1).take(3))
}

fn seconds<'a>(ticks: impl Iterator<Item = &'a str>) -> anyhow::Result<f64> {
    let ticks: u64 = ticks.map(str::parse::<u64>).sum::<Result<_, _>>().context("no time")?;
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
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
        assert!(peak_resident_bytes(pid).unwrap() > 100_000);
        assert!(threads(pid).unwrap() >= 1);
        assert!(open_files(pid).unwrap() >= 1);
    }

    #[test]
    fn processor_time_grows_with_work() {
        let pid = std::process::id();
        let (own, family) = (cpu_s(pid).unwrap(), family_cpu_s(pid).unwrap());
        // Each by itself: the clocks behind them tick apart.
        while cpu_s(pid).unwrap() <= own {}
        while family_cpu_s(pid).unwrap() <= family {}
    }

    #[test]
    fn the_machines_time_is_user_nice_and_system_of_all_processors() {
        let stat = "cpu  100 20 3 4000 5 6 7 8 9 10\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        assert!((machine_time(stat).unwrap() * ticks - 123.0).abs() < 0.001);
        machine_cpu_s().unwrap();
    }
}
