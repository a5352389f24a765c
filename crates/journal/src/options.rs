//! How a journal is opened.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Settings of a journal. `Options::new` has defaults for a log that is kept until it is too big.
pub struct Options {
    /// Where it lies; made when missing. One process at a time.
    pub directory: PathBuf,
    /// Whether each record carries the hash of the one before.
    pub chained: bool,
    /// When written data is forced to the disk.
    pub fsync: Fsync,
    /// A segment that has reached this length is closed.
    pub segment_bytes: u64,
    /// A segment that has reached this age is closed. Retention by age is exact to this much, or to a 32nd of the age, for
    /// which small segments are merged.
    pub segment_age: Duration,
    /// All segments together; beyond it the oldest go.
    pub max_bytes: u64,
    /// What the records are told apart by, and how long each is kept: at most 64.
    pub classes: Vec<Class>,
    /// The place in `classes` of a record, told from its line; no such place: kept until the journal is too big.
    pub classify: fn(&[u8]) -> usize,
    /// Records that may wait for the writer.
    pub queue_records: usize,
    /// Bytes that may wait for the writer; no group can be bigger.
    pub queue_bytes: usize,
    /// The epoch to begin, if one must begin: greater than any before, as the time of day in seconds is.
    pub new_epoch: u64,
    /// Told of each new head, in the writer's thread: it must not wait.
    pub on_head: Box<dyn Fn(u64) + Send>,
}

impl Options {
    /// The defaults.
    pub fn new(directory: impl Into<PathBuf>, new_epoch: u64) -> Self {
        Self {
            directory: directory.into(),
            chained: false,
            fsync: Fsync::Interval,
            segment_bytes: 32 * 1024 * 1024,
            segment_age: Duration::from_secs(3_600),
            max_bytes: 1024 * 1024 * 1024,
            classes: Vec::new(),
            classify: |_| usize::MAX,
            queue_records: 20_000,
            queue_bytes: 16 * 1024 * 1024,
            new_epoch,
            on_head: Box::new(|_| {}),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("directory", &self.directory).finish_non_exhaustive()
    }
}

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class {
    /// Its name; what has been compacted is remembered under it.
    pub name: &'static str,
    /// How long it is kept; `None`: until the journal is too big.
    pub max_age: Option<Duration>,
}

/// When written data is forced to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fsync {
    /// Before each acknowledgement: nothing acknowledged is lost in a power failure.
    Always,
    /// A second after a write at the latest, and when a segment is closed.
    Interval,
    /// When the system likes.
    Os,
}
