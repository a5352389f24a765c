//! One file of records, and what its first line says.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use pas_types::time::WireTime;
use serde::{Deserialize, Serialize};

use crate::error::OpenError;
use crate::files;
use crate::hash::Hash;
use crate::lines::Lines;
use crate::shared::lock;

/// The form of segments that this program writes, and the newest that it reads.
pub(crate) const VERSION: u32 = 1;

/// The first line of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// [`VERSION`].
    pub(crate) journal: u32,
    pub(crate) epoch: u64,
    pub(crate) first_seq: u64,
    pub(crate) opened_at: WireTime,
    /// In a chained journal, the hash of the record before the first: the anchor when that one is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prev: Option<Hash>,
    /// The classes that compaction took out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) without: Vec<String>,
    /// The last number that it stands for, if it was merged: a segment that begins before it is in here, and was left by a
    /// death in between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) through: Option<u64>,
}

/// Why a first line is no header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoHeader {
    /// A newer program wrote it, in this form.
    Newer(u32),
    /// It can't be read, or is another segment's.
    Damaged,
}

impl Header {
    /// Reads the first line of the segment that begins with `first_seq`.
    pub(crate) fn parse(line: &[u8], first_seq: u64) -> Result<Self, NoHeader> {
        #[derive(Deserialize)]
        struct Form {
            journal: u32,
        }
        let form: Form = serde_json::from_slice(line).map_err(|_| NoHeader::Damaged)?;
        if form.journal > VERSION {
            return Err(NoHeader::Newer(form.journal));
        }
        let header: Self = serde_json::from_slice(line).map_err(|_| NoHeader::Damaged)?;
        if header.first_seq == first_seq { Ok(header) } else { Err(NoHeader::Damaged) }
    }

    /// Its line, with the newline.
    pub(crate) fn to_line(&self) -> io::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }
}

/// A segment as readers and retention know it.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) first_seq: u64,
    pub(crate) path: PathBuf,
    /// `None` when it is damaged; its records are read all the same.
    pub(crate) header: Option<Header>,
    /// Where the records begin.
    pub(crate) body: u64,
    /// How much of it may be seen. Grows when a write is complete.
    seen: AtomicU64,
    /// The classes that are known to have no record in it, a bit for each.
    pub(crate) settled: AtomicU64,
    /// Open as long as anyone reads; all share one descriptor.
    file: Mutex<Weak<File>>,
}

impl Segment {
    /// A segment with this much to be seen.
    pub(crate) fn new(
        path: PathBuf,
        first_seq: u64,
        header: Option<Header>,
        body: u64,
        file: &Arc<File>,
    ) -> Self {
        Self {
            first_seq,
            path,
            header,
            body,
            seen: AtomicU64::new(body),
            settled: AtomicU64::new(0),
            file: Mutex::new(Arc::downgrade(file)),
        }
    }

    /// Finds it on disk, and reads its first line.
    pub(crate) fn load(directory: &Path, first_seq: u64) -> Result<Self, OpenError> {
        let path = files::segment(directory, first_seq);
        let io = || OpenError::io(directory, "a segment can't be read");
        let file = Arc::new(File::open(&path).map_err(io())?);
        let len = file.metadata().map_err(io())?.len();
        let (header, body) = match Lines::new(&file, 0, len).next().map_err(io())? {
            Some(raw) if raw.whole => match Header::parse(raw.bytes, first_seq) {
                Ok(header) => (Some(header), raw.end),
                Err(NoHeader::Newer(version)) => return Err(OpenError::Newer { path, version }),
                Err(NoHeader::Damaged) => (None, 0),
            },
            _ => (None, 0),
        };
        let segment = Self::new(path, first_seq, header, body, &file);
        segment.show(len);
        Ok(segment)
    }

    /// The file, for reading.
    pub(crate) fn open(&self) -> io::Result<Arc<File>> {
        let mut shared = lock(&self.file);
        if let Some(file) = shared.upgrade() {
            return Ok(file);
        }
        let file = Arc::new(File::open(&self.path)?);
        *shared = Arc::downgrade(&file);
        Ok(file)
    }

    /// How much of it may be seen.
    pub(crate) fn seen(&self) -> u64 {
        self.seen.load(Ordering::Acquire)
    }

    /// Shows it up to here.
    pub(crate) fn show(&self, len: u64) {
        self.seen.store(len, Ordering::Release);
    }
}
