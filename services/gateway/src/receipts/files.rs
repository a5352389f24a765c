//! One file a call, for people and scripts that read files: the newest, and not more a second than the disk should bear.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::duty::Rate;
use super::ids;

const ENDING: &str = "json";
/// Files that go when one too many is there, at the most: where more are to be kept no longer, they go bit by bit.
const REMOVED: usize = 100;

/// The files of calls.
#[derive(Debug)]
pub(super) struct Files {
    directory: PathBuf,
    kept: usize,
    rate: Rate,
    /// The calls that have one, oldest first.
    calls: VecDeque<String>,
    /// The newest of those that had one at the start; none behind it is written twice.
    newest: Option<String>,
}

/// What became of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filed {
    /// It has a file.
    Written,
    /// Too many came at once.
    Skipped,
}

impl Files {
    /// The files in `directory`, of which `kept` are kept and `per_s` written a second.
    pub(super) fn open(directory: &Path, kept: usize, per_s: u64, now: Duration) -> io::Result<Self> {
        let mut calls = Vec::new();
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            let name = path.file_stem().and_then(|stem| stem.to_str());
            let is_ours = path.extension().is_some_and(|ending| ending == ENDING);
            calls.extend(name.filter(|name| is_ours && ids::micros(name).is_some()).map(str::to_owned));
        }
        // Their names are their times.
        calls.sort_unstable();
        let newest = calls.last().cloned();
        let rate = Rate::new(per_s, now);
        Ok(Self { directory: directory.to_owned(), kept, rate, calls: calls.into(), newest })
    }

    /// Writes the receipt of a call, its `line` as the journal has it.
    pub(super) fn write(&mut self, run_id: &str, line: &[u8], now: Duration) -> io::Result<Filed> {
        // An id that no gateway gave is no file name until that is checked.
        if !pas_types::id::is_file_safe(run_id) || !self.rate.take(now) {
            return Ok(Filed::Skipped);
        }
        let path = self.path(run_id);
        // Written again, after a start, it keeps its place among the others.
        let known = self.newest.as_deref().is_some_and(|newest| run_id <= newest) && path.exists();
        let unfinished = self.directory.join("receipt.unfinished");
        std::fs::write(&unfinished, [line, b"\n"].concat())?;
        std::fs::rename(&unfinished, &path)?;
        if !known {
            self.calls.push_back(run_id.to_owned());
        }
        self.prune()?;
        Ok(Filed::Written)
    }

    fn prune(&mut self) -> io::Result<()> {
        for _ in 0..REMOVED {
            if self.calls.len() <= self.kept {
                break;
            }
            let Some(oldest) = self.calls.pop_front() else { break };
            match std::fs::remove_file(self.path(&oldest)) {
                // Somebody else has removed it.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn path(&self, run_id: &str) -> PathBuf {
        self.directory.join(format!("{run_id}.{ENDING}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(directory).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn id(number: u64) -> String {
        format!("gw-2025-11-06-10-30-00-{number:06}")
    }

    fn file(number: u64) -> String {
        format!("{}.json", id(number))
    }

    #[test]
    fn the_newest_are_kept_across_starts_and_nobody_elses_file_is_touched() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("notes.json"), "mine").unwrap();
        let mut files = Files::open(directory.path(), 3, 200, Duration::ZERO).unwrap();
        for number in 1..=4 {
            files.write(&id(number), b"{}", Duration::ZERO).unwrap();
        }
        let mut files = Files::open(directory.path(), 3, 200, Duration::ZERO).unwrap();
        for number in [4, 5] {
            assert_eq!(files.write(&id(number), b"{\"a\":1}", Duration::ZERO).unwrap(), Filed::Written);
        }
        assert_eq!(names(directory.path()), [file(3), file(4), file(5), "notes.json".to_owned()]);
        assert_eq!(std::fs::read(directory.path().join(file(5))).unwrap(), b"{\"a\":1}\n");
    }

    #[test]
    fn what_comes_too_fast_and_what_is_no_name_of_a_file_is_skipped() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = Files::open(directory.path(), 10, 1, Duration::ZERO).unwrap();
        let mut write = |run_id: &str, ms| files.write(run_id, b"{}", Duration::from_millis(ms)).unwrap();
        assert_eq!(write("../x", 0), Filed::Skipped);
        let at_once = [1, 2, 3, 4].map(|number| write(&id(number), 0));
        assert_eq!(at_once.map(|filed| filed == Filed::Written), [true, true, true, false]);
        assert_eq!(write(&id(5), 1_000), Filed::Written);
    }

    #[test]
    fn fewer_to_be_kept_than_are_there_go_bit_by_bit() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = Files::open(directory.path(), 1_000, 1_000, Duration::ZERO).unwrap();
        for number in 0..300 {
            files.write(&id(number), b"{}", Duration::ZERO).unwrap();
        }
        let mut files = Files::open(directory.path(), 10, 1_000, Duration::ZERO).unwrap();
        files.write(&id(300), b"{}", Duration::ZERO).unwrap();
        assert_eq!(names(directory.path()).len(), 301 - REMOVED);
    }
}
