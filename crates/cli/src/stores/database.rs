//! One database of SQLite.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use super::{Copied, ignore_missing};

/// Copies it into one plain file.
pub(super) fn copy(from: &Path, to: &Path) -> Result<Copied> {
    let verdict = try_copy(from, to)?;
    ensure!(verdict == "ok", "it is damaged: {verdict}");
    Ok(Copied { bytes: fs::metadata(to)?.len(), damage: Vec::new() })
}

fn try_copy(from: &Path, to: &Path) -> rusqlite::Result<String> {
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut copy = Connection::open(to)?;
    // In one step: a writer in between would make it begin again.
    Backup::new(&source, &mut copy)?.run_to_completion(i32::MAX, Duration::from_millis(20), None)?;
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
}

/// Puts `copy` in the place of `target`, which is never missing meanwhile and is `old` from then on.
///
/// The write-ahead log goes with the old file: it holds what is not in the file yet, and beside the new file it
/// would be replayed into it.
pub(super) fn replace(copy: &Path, target: &Path, old: Option<&Path>) -> io::Result<()> {
    let with = |path: &Path, end: &str| PathBuf::from(format!("{}{end}", path.display()));
    match old {
        Some(old) => {
            fs::hard_link(target, old)?;
            ignore_missing(fs::rename(with(target, "-wal"), with(old, "-wal")))?;
        }
        None => ignore_missing(fs::remove_file(with(target, "-wal")))?,
    }
    ignore_missing(fs::remove_file(with(target, "-shm")))?;
    fs::rename(copy, target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, word: &str) -> Connection {
        let database = Connection::open(path).unwrap();
        database.pragma_update(None, "journal_mode", "WAL").unwrap();
        database.execute_batch("CREATE TABLE IF NOT EXISTS words(word TEXT)").unwrap();
        database.execute("INSERT INTO words VALUES (?1)", [word]).unwrap();
        database
    }

    fn words(path: &Path) -> Vec<String> {
        let database = Connection::open(path).unwrap();
        let mut statement = database.prepare("SELECT word FROM words ORDER BY rowid").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn a_copy_taken_under_a_writer_comes_back_and_the_old_file_keeps_its_unmerged_writes() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let (target, backup, old) = (path("a.db"), path("backup.db"), path("a.db.replaced-1"));
        let writer = write(&target, "before");
        copy(&target, &backup).unwrap();
        writer.execute("INSERT INTO words VALUES ('after')", []).unwrap();
        // As after SIGKILL: the log is never merged.
        std::mem::forget(writer);
        copy(&backup, &path("a.db.restoring")).unwrap();
        replace(&path("a.db.restoring"), &target, Some(&old)).unwrap();
        assert_eq!(words(&target), ["before"]);
        assert_eq!(words(&old), ["before", "after"]);
    }
}
