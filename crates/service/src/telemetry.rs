//! What a service says while it runs.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Context;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::config::{LogFormat, Swarm};
use crate::trace::Attributed;

/// Sends this process's events to where `swarm` says. Once a process, from `main`.
pub fn init(swarm: &Swarm) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&swarm.log)?;
    let (writer, terminal) = match &swarm.log_file {
        Some(path) => {
            let file = RotatingFile::open(path, swarm.log_max_mb * 1024 * 1024, swarm.log_keep)
                .with_context(|| format!("swarm.log_file: {} can't be written", path.display()))?;
            (BoxMakeWriter::new(Mutex::new(file)), false)
        }
        None => (BoxMakeWriter::new(io::stdout), io::stdout().is_terminal()),
    };
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    let pretty = match swarm.log_format {
        LogFormat::Auto => terminal,
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let set = if pretty {
        let subscriber = subscriber.with_ansi(terminal).with_target(false);
        subscriber.map_event_format(|format| Attributed { format, json: false }).try_init()
    } else {
        let subscriber = subscriber.json().flatten_event(true).with_current_span(true).with_span_list(false);
        subscriber.map_event_format(|format| Attributed { format, json: true }).try_init()
    };
    set.map_err(|error| anyhow::anyhow!("telemetry can't be set up: {error}"))?;
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "a task panicked")));
    Ok(())
}

/// A file that becomes `FILE.1` when it is full, `FILE.1` then `FILE.2`, up to a number that is kept.
#[derive(Debug)]
struct RotatingFile {
    path: PathBuf,
    file: File,
    size: u64,
    max: u64,
    keep: u32,
}

impl RotatingFile {
    fn open(path: &Path, max: u64, keep: u32) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let size = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, size, max, keep })
    }

    fn numbered(&self, number: u32) -> PathBuf {
        if number == 0 {
            return self.path.clone();
        }
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }

    fn rotate(&mut self) -> io::Result<()> {
        for number in (0..self.keep).rev() {
            match std::fs::rename(self.numbered(number), self.numbered(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        let fresh = OpenOptions::new().create(true).append(true).truncate(false).open(&self.path)?;
        if self.keep == 0 {
            fresh.set_len(0)?;
        }
        self.file = fresh;
        self.size = 0;
        Ok(())
    }
}

impl Write for RotatingFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // A rotation that fails must not cost the line: the old file goes on.
        if self.size > 0 && self.size + line.len() as u64 > self.max && self.rotate().is_err() {
            self.size = 0;
        }
        let written = self.file.write(line)?;
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_moves_aside_and_only_so_many_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.log");
        let mut log = RotatingFile::open(&path, 10, 2).unwrap();
        for line in ["first\n", "second\n", "third\n", "fourth\n"] {
            log.write_all(line.as_bytes()).unwrap();
        }
        let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).ok();
        assert_eq!(
            [read("x.log"), read("x.log.1"), read("x.log.2"), read("x.log.3")],
            [Some("fourth\n".into()), Some("third\n".into()), Some("second\n".into()), None]
        );
    }

    #[test]
    fn a_log_that_exists_is_continued() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.log");
        for line in ["one\n", "two\n"] {
            RotatingFile::open(&path, 100, 2).unwrap().write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), "one\ntwo\n");
    }
}
