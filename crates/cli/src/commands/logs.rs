//! `pas logs`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use pas_types::catalog::SERVICES;

use crate::home::SUPERVISOR;
use crate::out;
use crate::swarm::Source;

const BLOCK: u64 = 64 * 1024;
/// The width of the names before the lines.
const LABEL: usize = 22;

/// Shows the last lines of one log or of all, and of what was printed beside each; with `follow` what is written
/// from then on, too.
pub(crate) async fn run(source: &Source, only: Option<&str>, follow: bool, lines: usize) -> Result<ExitCode> {
    let home = source.home_or_default()?;
    let names: Vec<&str> = SERVICES.iter().map(|entry| entry.name).chain([SUPERVISOR]).collect();
    if let Some(unknown) = only.filter(|name| !names.contains(name)) {
        bail!("there is no log of `{unknown}`; there are: {}", names.join(", "));
    }
    let label = |name: &str| format!("{name:<LABEL$}| ");
    let mut logs = Vec::new();
    for name in names.into_iter().filter(|name| only.is_none_or(|only| only == *name)) {
        let prefix = if only.is_none() { label(name) } else { String::new() };
        logs.push((prefix, Log::new(home.log(name))));
        logs.push((label(&format!("{name}.err")), Log::new(home.error_log(name))));
    }
    for (_, log) in &mut logs {
        log.skip_to_last(lines)?;
    }
    loop {
        for (prefix, log) in &mut logs {
            for line in log.read()? {
                out::line(format!("{prefix}{line}"))?;
            }
        }
        if !follow {
            return Ok(ExitCode::SUCCESS);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The last lines of a file; none when there is no file.
pub(crate) fn tail(path: &Path, lines: usize) -> Result<Vec<String>> {
    let mut log = Log::new(path.to_owned());
    log.skip_to_last(lines)?;
    Ok(log.read()?)
}

/// A log that is read while it is written and rotated.
struct Log {
    path: PathBuf,
    file: Option<BufReader<File>>,
    /// The beginning of a line whose end is not written yet.
    unfinished: Vec<u8>,
}

impl Log {
    fn new(path: PathBuf) -> Self {
        Self { path, file: None, unfinished: Vec::new() }
    }

    fn skip_to_last(&mut self, lines: usize) -> io::Result<()> {
        self.open()?;
        if let Some(file) = &mut self.file {
            let start = start_of_last(file.get_mut(), lines)?;
            file.seek(SeekFrom::Start(start))?;
        }
        Ok(())
    }

    fn open(&mut self) -> io::Result<()> {
        self.file = match File::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            file => Some(BufReader::new(file?)),
        };
        Ok(())
    }

    /// The whole lines that were written since the last time, the rest of a file that was rotated away included.
    fn read(&mut self) -> io::Result<Vec<String>> {
        let mut lines = Vec::new();
        self.read_to_end(&mut lines)?;
        if self.is_replaced()? {
            self.open()?;
            self.read_to_end(&mut lines)?;
        }
        Ok(lines)
    }

    fn read_to_end(&mut self, lines: &mut Vec<String>) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        while file.read_until(b'\n', &mut self.unfinished)? > 0 {
            if self.unfinished.pop_if(|byte| *byte == b'\n').is_some() {
                lines.push(String::from_utf8_lossy(&std::mem::take(&mut self.unfinished)).into_owned());
            }
        }
        Ok(())
    }

    /// Whether the path now names another file than the one that is open.
    fn is_replaced(&self) -> io::Result<bool> {
        let Ok(named) = self.path.metadata() else { return Ok(false) };
        let Some(file) = &self.file else { return Ok(true) };
        Ok(file.get_ref().metadata()?.ino() != named.ino())
    }
}

/// Where the last `lines` lines of a file begin, found from its end.
fn start_of_last(file: &mut File, lines: usize) -> io::Result<u64> {
    let mut start = file.seek(SeekFrom::End(0))?;
    // The end of the last line is not the beginning of one.
    let mut to_find = lines.saturating_add(1);
    while start > 0 {
        let end = start;
        start = end.saturating_sub(BLOCK);
        let mut block = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        file.take(end - start).read_to_end(&mut block)?;
        for (offset, _) in block.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
            to_find -= 1;
            if to_find == 0 {
                return Ok(start + offset as u64 + 1);
            }
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    #[test]
    fn the_last_lines_are_found_across_blocks() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        let lines: Vec<String> =
            (0..10_000).map(|number| format!("line {number} {}", "x".repeat(20))).collect();
        fs::write(&path, format!("{}\n", lines.join("\n"))).unwrap();
        for count in [0, 1, 3, 5_000, 10_000, 20_000] {
            assert_eq!(tail(&path, count).unwrap(), lines[lines.len().saturating_sub(count)..], "{count}");
        }
    }

    #[test]
    fn no_line_is_lost_or_torn_when_a_log_is_rotated() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        let mut log = Log::new(path.clone());
        assert_eq!(log.read().unwrap(), Vec::<String>::new());
        let mut file = File::create(&path).unwrap();
        file.write_all(b"one\ntw").unwrap();
        assert_eq!(log.read().unwrap(), ["one"]);
        file.write_all(b"o\nthree\n").unwrap();
        fs::rename(&path, dir.path().join("a.log.1")).unwrap();
        fs::write(&path, "four\n").unwrap();
        assert_eq!(log.read().unwrap(), ["two", "three", "four"]);
    }
}
