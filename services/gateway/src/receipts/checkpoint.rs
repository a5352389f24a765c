//! Up to where in the journal everything is accounted for. A start reads on from there, not from the beginning.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What is known of a journal at some place of it. It can be written as often as one likes and be missing altogether; then
/// more has to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    /// The life of the journal.
    pub(super) epoch: u64,
    /// The place.
    pub(super) seq: u64,
    /// Where the records of those calls stand, up to there, that were open.
    pub(super) open: Vec<u64>,
    /// Microseconds since 1970 of the last id that was given.
    pub(super) last_id: u64,
    /// Up to where receipts have become files.
    pub(super) filed: u64,
    /// Up to where the event stream has been told.
    pub(super) told: u64,
}

/// The file.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
}

impl File {
    /// The file in `directory`.
    pub(super) fn new(directory: &Path) -> Self {
        Self { path: directory.join("checkpoint") }
    }

    /// What it holds; none when there is none that can be read.
    pub(super) fn load(&self) -> io::Result<Option<Checkpoint>> {
        match std::fs::read(&self.path) {
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces it. A power failure may take it; then the journal begins another epoch, and it would count for nothing.
    pub(super) fn store(&self, checkpoint: &Checkpoint) -> io::Result<()> {
        let unfinished = self.path.with_extension("unfinished");
        std::fs::write(&unfinished, serde_json::to_vec(checkpoint)?)?;
        std::fs::rename(&unfinished, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_is_what_is_loaded_and_garbage_is_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let file = File::new(directory.path());
        assert_eq!(file.load().unwrap(), None);
        let checkpoint = Checkpoint { epoch: 1, seq: 9, open: vec![3, 5], last_id: 7, filed: 8, told: 6 };
        file.store(&checkpoint).unwrap();
        assert_eq!(file.load().unwrap(), Some(checkpoint));
        std::fs::write(directory.path().join("checkpoint"), "{\"epoch\":").unwrap();
        assert_eq!(file.load().unwrap(), None);
    }
}
