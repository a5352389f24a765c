//! The files of examples: lines ↔ what the core learns from.

use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use pas_types::json;
use serde::Deserialize;

use crate::core::corpus::{self, Place};

/// Bytes of all files together: more would take minutes to learn from.
const BYTES: u64 = 2 * 1024 * 1024;
/// Files.
const FILES: usize = 256;

/// Where examples come from.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
}

/// Which files there are, and when each was written: name, bytes, time. Nothing, where they can't be listed.
pub type Stamp = Option<Vec<(String, u64, SystemTime)>>;

/// Why there are no lines.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// There are no examples at all.
    #[error(
        "there are no examples in {0}: put files *.jsonl there, of lines as {{\"text\": \"…\", \"label\": \"…\"}}"
    )]
    Missing(String),
    /// There is too much.
    #[error("{0} has {1} files of {2} bytes together: use at most {FILES} of {BYTES} bytes")]
    TooMuch(String, usize, u64),
    /// A file can't be read.
    #[error("{0} can't be read: {1}")]
    Unreadable(String, #[source] io::Error),
    /// A line is no example.
    #[error("{0}: {1}")]
    Line(Place, pas_types::Error),
}

/// A line of a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    text: String,
    label: String,
}

impl Store {
    /// The files `*.jsonl` of `directory`.
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// What is there now, without reading it.
    pub fn stamp(&self) -> Stamp {
        self.list().ok()
    }

    /// Every line of every file that isn't empty.
    pub fn read(&self) -> Result<Vec<corpus::Line>, Fault> {
        let shown = self.directory.display().to_string();
        let files = match self.list() {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Fault::Missing(shown)),
            Err(error) => return Err(Fault::Unreadable(shown, error)),
        };
        let bytes = files.iter().map(|(_, bytes, _)| bytes).sum();
        match files.len() {
            0 => return Err(Fault::Missing(shown)),
            many if many > FILES || bytes > BYTES => return Err(Fault::TooMuch(shown, many, bytes)),
            _ => {}
        }
        let mut lines = Vec::new();
        for (file, _, _) in files {
            let read = std::fs::read(self.directory.join(&file));
            let content = read.map_err(|error| Fault::Unreadable(file.clone(), error))?;
            for (line, number) in content.split(|byte| *byte == b'\n').zip(1..) {
                if !line.trim_ascii().is_empty() {
                    lines.push(decode(line, Place { file: file.clone(), line: number })?);
                }
            }
        }
        Ok(lines)
    }

    fn list(&self) -> io::Result<Vec<(String, u64, SystemTime)>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".jsonl") && !name.starts_with('.') {
                // Of what a link points to, so that a mounted configuration is seen to change.
                let about = std::fs::metadata(entry.path())?;
                files.push((name, about.len(), about.modified()?));
            }
        }
        files.sort();
        Ok(files)
    }
}

fn decode(line: &[u8], place: Place) -> Result<corpus::Line, Fault> {
    match json::parse::<Example>(line) {
        Ok(Example { text, label }) => Ok(corpus::Line { place, text, label }),
        Err(error) => Err(Fault::Line(place, error)),
    }
}
