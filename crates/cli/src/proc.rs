//! Processes as Linux shows them: who is who, who holds a port, who has died. Everything that only Linux has is
//! in this file.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, WaitOptions, pidfd_open, pidfd_send_signal, wait};
use tokio::io::unix::AsyncFd;

pub(crate) use rustix::process::Signal;

use crate::core::state::{Identity, Record};

impl Identity {
    /// The process that has this number now.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let stat = Stat::read(pid.cast_signed())?;
        Ok(Self { pid: pid.cast_signed(), start_time: stat.start_time })
    }

    /// Whether it still runs. A zombie does not.
    pub(crate) fn is_alive(self) -> bool {
        Stat::read(self.pid).is_ok_and(|stat| stat.start_time == self.start_time && !stat.is_dead())
    }

    /// How long it has been running.
    pub(crate) fn uptime(self) -> Option<Duration> {
        let text = fs::read_to_string("/proc/uptime").ok()?;
        let machine: f64 = text.split_whitespace().next()?.parse().ok()?;
        let ticks_per_second = rustix::param::clock_ticks_per_second() as f64;
        Duration::try_from_secs_f64(machine - self.start_time as f64 / ticks_per_second).ok()
    }
}

impl Record {
    /// Its process, if it runs.
    pub(crate) fn running(&self) -> Option<Identity> {
        self.process.filter(|process| process.is_alive())
    }
}

/// What is read from `/proc/PID/stat`.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    state: char,
    start_time: u64,
}

impl Stat {
    fn read(pid: i32) -> io::Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        Self::parse(&text).ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat is not understood")))
    }

    /// The name of a program may hold spaces and brackets: what follows the last bracket is counted.
    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?.chars().next()?;
        Some(Self { state, start_time: fields.nth(18)?.parse().ok()? })
    }

    fn is_dead(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

/// A process that is held by a pidfd: it can be waited for and told to stop, child or not, and a later process of
/// the same number can't be meant by mistake.
#[derive(Debug)]
pub(crate) struct Process {
    pidfd: AsyncFd<OwnedFd>,
}

impl Process {
    /// Takes hold of it, if it is still there.
    pub(crate) fn open(identity: Identity) -> Option<Self> {
        let pidfd = pidfd_open(Pid::from_raw(identity.pid)?, PidfdFlags::empty()).ok()?;
        // Read after the pidfd was opened: if it still matches, the pidfd can't be somebody else's.
        let stat = Stat::read(identity.pid).ok()?;
        if stat.start_time != identity.start_time {
            return None;
        }
        #[expect(
            deprecated,
            reason = "its successor is unsafe; an OwnedFd keeps every promise that one asks for"
        )]
        let pidfd = AsyncFd::new(pidfd).ok()?;
        Some(Self { pidfd })
    }

    /// Returns when it has died.
    pub(crate) async fn exited(&self) {
        // An error means that the runtime is going down, and with it whoever waits here.
        let _ = self.pidfd.readable().await;
    }

    /// Sends a signal. A process that has died meanwhile needs none.
    pub(crate) fn signal(&self, signal: Signal) {
        let _ = pidfd_send_signal(self.pidfd.get_ref(), signal);
    }
}

/// Buries the children that have died: the first process of a container, which would inherit them, often does not.
pub(crate) fn reap_children() {
    while matches!(wait(WaitOptions::NOHANG), Ok(Some(_))) {}
}

/// Who listens on a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Holder {
    pid: u32,
    command: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {} ({})", self.pid, self.command)
    }
}

/// Every process that listens on `port` and that this user may see.
pub(crate) fn holders(port: u16) -> Vec<Holder> {
    let sockets: BTreeSet<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listening(&table, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    if sockets.is_empty() {
        return Vec::new();
    }
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter(|process| {
            let files = fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten();
            files
                .filter_map(|file| fs::read_link(file.path()).ok())
                .any(|target| target.to_str().is_some_and(|target| sockets.contains(target)))
        })
        .filter_map(|process| {
            let pid = process.file_name().to_str()?.parse().ok()?;
            Some(Holder { pid, command: command(&process.path()) })
        })
        .collect()
}

/// The inodes of the sockets of a `/proc/net/tcp` table that listen on `port`.
fn listening(table: &str, port: u16) -> Vec<u64> {
    const LISTEN: &str = "0A";
    let inode = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (_, local_port) = fields.get(1)?.rsplit_once(':')?;
        let here = u16::from_str_radix(local_port, 16).ok()? == port && *fields.get(3)? == LISTEN;
        here.then(|| fields.get(9)?.parse().ok()).flatten()
    };
    table.lines().skip(1).filter_map(inode).collect()
}

/// The command line of a process, shortened to what fits a message.
fn command(process: &Path) -> String {
    let arguments = fs::read(process.join("cmdline")).unwrap_or_default();
    let words: Vec<_> = arguments
        .split(|byte| *byte == 0)
        .filter(|word| !word.is_empty())
        .map(String::from_utf8_lossy)
        .collect();
    words.join(" ").chars().take(160).collect()
}

/// Leaves the terminal's session, so that closing the terminal does not end this process.
pub(crate) fn leave_session() -> io::Result<()> {
    rustix::process::setsid()?;
    Ok(())
}

/// From here on what is written to standard output goes nowhere, and who reads it sees its end.
pub(crate) fn close_stdout() -> io::Result<()> {
    Ok(rustix::stdio::dup2_stdout(File::options().write(true).open("/dev/null")?)?)
}

/// Free bytes, for this user, on the disk that holds `path`.
pub(crate) fn free_bytes(path: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Whether this user may create files in a folder.
pub(crate) fn is_writable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
}

/// The user that this process runs as.
pub(crate) fn user() -> u32 {
    rustix::process::getuid().as_raw()
}

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_named_like_a_stat_line_does_not_shift_the_fields() {
        let line = "42 (a) Z 1 (b) S 1 42 42 0 -1 4194560 1 0 0 0 3 4 0 0 20 0 1 0 98765 1000 2 3\n";
        assert_eq!(Stat::parse(line), Some(Stat { state: 'S', start_time: 98_765 }));
    }

    #[test]
    fn only_listening_sockets_of_that_port_are_found() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:17E9 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0\n\
            1: 0100007F:17E9 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0 20 4 30 10 -1\n\
            2: 0100007F:17DD 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 0 100 0 0 10 0\n";
        assert_eq!(listening(table, 6121), [111]);
    }

    #[test]
    fn this_process_is_the_holder_of_the_port_that_it_listens_on() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let pids: Vec<u32> =
            holders(listener.local_addr().unwrap().port()).into_iter().map(|holder| holder.pid).collect();
        assert_eq!(pids, [std::process::id()]);
    }

    #[test]
    fn a_process_of_the_same_number_that_started_at_another_time_is_another_one() {
        let me = Identity::of(std::process::id()).unwrap();
        let other = Identity { start_time: me.start_time + 1, ..me };
        assert!(me.is_alive());
        assert!(!other.is_alive());
    }

    #[tokio::test]
    async fn the_death_of_a_process_is_noticed_though_nobody_reaped_it() {
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let identity = Identity::of(child.id()).unwrap();
        let process = Process::open(identity).unwrap();
        process.signal(Signal::KILL);
        process.exited().await;
        assert!(!identity.is_alive());
        child.wait().unwrap();
    }
}
