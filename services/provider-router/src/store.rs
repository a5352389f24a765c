//! The two files. They are people's: nothing is ever written.

use std::path::{Path, PathBuf};

use crate::core::{FileText, SHIPPED};

/// Bytes that are read of a file at the most; one with more is refused by its size.
const BYTES: u64 = 2 * 1024 * 1024;

/// Where the files lie.
#[derive(Debug, Clone)]
pub struct Store {
    matrix: PathBuf,
    policies: PathBuf,
}

/// What both files say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// The matrix.
    pub matrix: FileText,
    /// The policies.
    pub policies: FileText,
}

impl Store {
    /// The files at these places.
    pub fn new(matrix: PathBuf, policies: PathBuf) -> Self {
        Self { matrix, policies }
    }

    /// What the files are called.
    pub fn names(&self) -> (String, String) {
        (self.matrix.display().to_string(), self.policies.display().to_string())
    }

    /// Reads both, whole. One that isn't there is as it is shipped.
    pub async fn read(&self) -> Texts {
        Texts { matrix: read(&self.matrix, SHIPPED.0).await, policies: read(&self.policies, SHIPPED.1).await }
    }
}

async fn read(path: &Path, shipped: &str) -> FileText {
    let size = match tokio::fs::metadata(path).await {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(shipped.to_owned()),
        Err(error) => return Err(format!("can't be read: {error}")),
    };
    if size > BYTES {
        return Err(format!("has {size} bytes: use at most {}", BYTES / 2));
    }
    tokio::fs::read_to_string(path).await.map_err(|error| format!("can't be read: {error}"))
}
