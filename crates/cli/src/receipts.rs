//! The receipts of the gateway, read from its files: beside it while it runs, or without it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use pas_types::id::CallId;
use pas_types::receipt::RoutingReceipt;

/// How a receipt begins.
const RECEIPT: &str = "{\"run_id\":\"";

/// The receipts below a data directory.
#[derive(Debug)]
pub(crate) struct Receipts {
    directory: PathBuf,
}

/// One receipt, and its line.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) line: String,
    pub(crate) receipt: RoutingReceipt,
}

impl Receipts {
    /// Those of the swarm whose data is in `data_dir`.
    pub(crate) fn new(data_dir: &Path) -> Self {
        Self { directory: data_dir.join("costs") }
    }

    /// Where their journal lies.
    pub(crate) fn journal(&self) -> PathBuf {
        self.directory.join("journal")
    }

    /// Where the file of a call lies, if it has one.
    pub(crate) fn file(&self, run_id: &CallId) -> PathBuf {
        self.directory.join(format!("{run_id}.json"))
    }

    /// The segments of the journal, oldest first.
    fn segments(&self) -> Result<Vec<PathBuf>> {
        let journal = self.journal();
        let segments = pas_journal::segment_files(&journal).or_else(|error| match error.kind() {
            ErrorKind::NotFound => Ok(Vec::new()),
            _ => Err(error),
        });
        let segments = segments.with_context(|| format!("cannot list {}", journal.display()))?;
        ensure!(
            !segments.is_empty(),
            "there are no receipts in {}: no call has been made yet",
            journal.display()
        );
        Ok(segments)
    }

    /// Hands over every receipt that can be read, in the order in which they were settled.
    pub(crate) fn each(&self, mut take: impl FnMut(Entry) -> Result<()>) -> Result<()> {
        for segment in self.segments()? {
            each_line(&segment, |line| parse(line).map_or(Ok(()), &mut take))?;
        }
        Ok(())
    }

    /// The newest receipts that `wants` wants, the newest first, at most so many.
    pub(crate) fn newest(&self, limit: usize, wants: impl Fn(&RoutingReceipt) -> bool) -> Result<Vec<Entry>> {
        let mut newest = Vec::new();
        for segment in self.segments()?.iter().rev() {
            let mut found = std::collections::VecDeque::new();
            each_line(segment, |line| {
                if let Some(entry) = parse(line).filter(|entry| wants(&entry.receipt)) {
                    if newest.len() + found.len() == limit {
                        found.pop_front();
                    }
                    if newest.len() < limit {
                        found.push_back(entry);
                    }
                }
                Ok(())
            })?;
            newest.extend(found.into_iter().rev());
            if newest.len() >= limit {
                break;
            }
        }
        Ok(newest)
    }

    /// The receipt of a call: from its file, or else from the journal, the newest first.
    pub(crate) fn find(&self, run_id: &CallId) -> Result<Option<Entry>> {
        match std::fs::read_to_string(self.file(run_id)) {
            Ok(text) => return Ok(parse(text.trim_end().to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).context("cannot read the file of the call"),
        }
        let beginning = format!("{RECEIPT}{run_id}\"");
        for segment in self.segments()?.iter().rev() {
            let mut found = None;
            each_line(segment, |line| {
                if found.is_none() && line.starts_with(&beginning) {
                    found = parse(line);
                }
                Ok(())
            })?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

/// Hands over each whole line; the last one may still be being written. What retention has taken meanwhile is gone.
fn each_line(segment: &Path, mut take: impl FnMut(String) -> Result<()>) -> Result<()> {
    let file = match File::open(segment) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        file => file.with_context(|| format!("cannot open {}", segment.display()))?,
    };
    let mut lines = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read: io::Result<usize> = lines.read_until(b'\n', &mut line);
        read.with_context(|| format!("cannot read {}", segment.display()))?;
        if line.pop_if(|byte| *byte == b'\n').is_none() {
            return Ok(());
        }
        // A line that is no text is damaged: `verify` says so.
        if let Ok(line) = String::from_utf8(std::mem::take(&mut line)) {
            take(line)?;
        }
    }
}

/// The receipt of a line; none where it is something else, or damaged.
fn parse(line: String) -> Option<Entry> {
    if !line.starts_with(RECEIPT) {
        return None;
    }
    let receipt = serde_json::from_str(&line).ok()?;
    Some(Entry { line, receipt })
}
