//! What the journal remembers of its last run, to know whether acknowledged records may be lost.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::files;
use crate::options::Fsync;

const NAME: &str = "mark.json";

/// Written when a journal is opened, and again when it is closed in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) epoch: u64,
    /// How the run that wrote this forces data to the disk.
    pub(crate) fsync: Fsync,
    /// The start of the machine in which it ran.
    pub(crate) boot_id: Option<String>,
    /// The head when it was closed; `None` while it is open.
    pub(crate) closed_at: Option<u64>,
}

impl Mark {
    /// The mark of the last run; `None` when there is none that can be read.
    pub(crate) fn load(directory: &Path) -> io::Result<Option<Self>> {
        match std::fs::read(directory.join(NAME)) {
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces the mark of before.
    pub(crate) fn store(&self, directory: &Path) -> io::Result<()> {
        files::replace(&directory.join(NAME), &serde_json::to_vec(self)?)
    }

    /// Whether everything that the last run acknowledged is still there, as far as the mark can tell: it was closed at
    /// this `head`, or it died while the machine lived on, or it had forced each record to the disk.
    pub(crate) fn vouches(&self, head: u64, boot_id: Option<&str>) -> bool {
        match self.closed_at {
            Some(closed_at) => closed_at == head,
            None => self.fsync == Fsync::Always || (boot_id.is_some() && self.boot_id.as_deref() == boot_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_vouches_for_what_cannot_have_been_lost() {
        let open = |fsync| Mark { epoch: 1, fsync, boot_id: Some("a".to_owned()), closed_at: None };
        assert!(open(Fsync::Interval).vouches(5, Some("a")));
        assert!(!open(Fsync::Interval).vouches(5, Some("b")));
        assert!(!Mark { boot_id: None, ..open(Fsync::Os) }.vouches(5, None));
        assert!(open(Fsync::Always).vouches(5, Some("b")));
        let closed = Mark { closed_at: Some(5), ..open(Fsync::Os) };
        assert!(closed.vouches(5, Some("b")));
        assert!(!closed.vouches(4, Some("a")));
    }
}
