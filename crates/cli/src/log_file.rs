//! The logs that the launcher itself writes.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use pas_types::time::WireTime;

/// A log that is longer begins anew.
const MOST_BYTES: u64 = 1024 * 1024;

/// Opens what a process is to print into. It is never emptied while the process runs.
pub(crate) fn open_for_process(path: &Path) -> io::Result<File> {
    let file = File::options().create(true).append(true).open(path)?;
    if file.metadata()?.len() > MOST_BYTES {
        file.set_len(0)?;
    }
    Ok(file)
}

/// Adds a line with its time. A log that is full becomes `FILE.1`.
#[expect(
    clippy::disallowed_methods,
    reason = "the shell of the launcher: the one place that reads the time of day"
)]
pub(crate) fn write_line(path: &Path, line: &str) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() > MOST_BYTES) {
        // That it can't be set aside must not cost the line: the old file goes on.
        let _ = fs::rename(path, path.with_added_extension("1"));
    }
    let mut log = File::options().create(true).append(true).open(path)?;
    writeln!(log, "{} {line}", WireTime::from(jiff::Timestamp::now()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log of so many bytes in a folder of its own.
    fn log(bytes: u64) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        File::create(&path).unwrap().set_len(bytes).unwrap();
        (dir, path)
    }

    #[test]
    fn what_a_process_prints_is_continued_until_it_is_too_long() {
        for (before, after) in [(0, 0), (MOST_BYTES, MOST_BYTES), (MOST_BYTES + 1, 0)] {
            let (_dir, path) = log(before);
            assert_eq!(open_for_process(&path).unwrap().metadata().unwrap().len(), after);
        }
    }

    #[test]
    fn a_full_log_is_set_aside() {
        let (dir, path) = log(MOST_BYTES + 1);
        write_line(&path, "hello").unwrap();
        assert!(fs::read_to_string(&path).unwrap().ends_with("Z hello\n"));
        assert_eq!(fs::metadata(dir.path().join("a.log.1")).unwrap().len(), MOST_BYTES + 1);
    }

    #[test]
    fn a_line_is_not_lost_when_its_log_cannot_be_set_aside() {
        let (dir, path) = log(MOST_BYTES + 1);
        fs::create_dir(dir.path().join("a.log.1")).unwrap();
        write_line(&path, "hello").unwrap();
        assert!(fs::read_to_string(&path).unwrap().ends_with("Z hello\n"));
    }
}
