//! What can go wrong besides an append.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a journal can't be opened. Nothing was changed, or only what recovery had to cut.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process has it, or this one has it open already.
    #[error("the journal {} is open already: stop who has it, or name another directory", directory.display())]
    InUse {
        /// Where it lies.
        directory: PathBuf,
    },
    /// Written by a newer program.
    #[error("{} has the form {version}, this program knows up to {}", path.display(), crate::segment::VERSION)]
    Newer {
        /// The segment.
        path: PathBuf,
        /// Its form.
        version: u32,
    },
    /// Its segments are chained and it was opened as one that is not, or the reverse.
    #[error("{} is {}chained, and the journal was opened as one that is {}chained",
        path.display(), if *chained { "" } else { "not " }, if *chained { "not " } else { "" })]
    Chain {
        /// The segment.
        path: PathBuf,
        /// What it is.
        chained: bool,
    },
    /// More classes than a journal can tell apart.
    #[error("a journal has 64 classes at the most, not {0}")]
    Classes(usize),
    /// The system refused.
    #[error("the journal {} can't be opened: {what}", directory.display())]
    Io {
        /// Where it lies.
        directory: PathBuf,
        /// What was tried.
        what: &'static str,
        /// What it said.
        #[source]
        source: io::Error,
    },
}

impl OpenError {
    pub(crate) fn io(directory: &Path, what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { directory: directory.to_owned(), what, source }
    }
}

/// Why nothing could be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// What comes after the cursor is gone; the lowest number that is left is `oldest`.
    #[error("retention has taken what comes after this cursor; {oldest} is the oldest left")]
    Gone {
        /// The lowest number that is left.
        oldest: u64,
    },
    /// The system refused.
    #[error("the journal can't be read")]
    Io(#[source] io::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Retention could not do its work; it tries again when it is called again.
#[derive(Debug, Error)]
#[error("retention can't {what}")]
pub struct RetainError {
    pub(crate) what: &'static str,
    #[source]
    pub(crate) source: io::Error,
}

impl RetainError {
    pub(crate) fn new(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { what, source }
    }
}

/// The journal is closed, but not marked as whole: what was acknowledged and not yet forced to the disk depends on the
/// system, and the next open decides whether a new epoch must begin.
#[derive(Debug, Error)]
#[error("the journal can't be closed in order")]
pub struct CloseError(#[source] pub(crate) io::Error);
