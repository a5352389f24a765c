//! Opening a database: the same settings everywhere, a copy before each migration, and a refusal of what is newer.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use rusqlite::{Connection, OpenFlags};

use crate::config::Fsync;

/// How long a writer waits for another.
const BUSY: Duration = Duration::from_secs(5);

/// Opens the database at `path` for writing, and brings it up to the last of `migrations`.
pub fn open(path: &Path, migrations: &[&str], fsync: Fsync) -> anyhow::Result<Connection> {
    let shown = path.display();
    let mut connection = Connection::open(path).with_context(|| format!("{shown} can't be opened"))?;
    configure(&connection, fsync).with_context(|| format!("{shown} can't be set up"))?;
    let version: u32 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .with_context(|| format!("{shown} is no database"))?;
    let known = migrations.len() as u32;
    if version > known {
        bail!(
            "{shown} has version {version}, this program knows up to {known}: it was written by a newer one; \
             use that, or restore a backup"
        );
    }
    if version == known {
        return Ok(connection);
    }
    if version > 0 {
        let copy = backup_path(path, version);
        copy_to(&connection, &copy)
            .with_context(|| format!("{shown} can't be copied to {}", copy.display()))?;
        tracing::info!(database = %shown, copy = %copy.display(), "copied before the migration");
    }
    for (number, migration) in (1_u32..).zip(migrations).skip(version as usize) {
        let step = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        step.execute_batch(migration)
            .and_then(|()| step.pragma_update(None, "user_version", number))
            .and_then(|()| step.commit())
            .with_context(|| format!("{shown} can't be brought to version {number}"))?;
    }
    Ok(connection)
}

/// Opens it for reading beside the writer.
pub fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

fn configure(connection: &Connection, fsync: Fsync) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let synchronous = match fsync {
        Fsync::Always => "FULL",
        Fsync::Interval => "NORMAL",
        Fsync::Os => "OFF",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)
}

fn backup_path(path: &Path, version: u32) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(format!(".{version}.bak"));
    name.into()
}

/// A consistent copy, made beside and moved into place, so that a half one never carries the name.
fn copy_to(connection: &Connection, target: &Path) -> anyhow::Result<()> {
    let unfinished = target.with_extension("unfinished");
    if unfinished.exists() {
        std::fs::remove_file(&unfinished)?;
    }
    connection.backup("main", &unfinished, None::<fn(rusqlite::backup::Progress)>)?;
    std::fs::rename(&unfinished, target)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1);";
    const TWO: &str = "ALTER TABLE a ADD COLUMN y TEXT;";

    #[test]
    fn a_database_is_copied_before_it_is_migrated() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        drop(open(&path, &[ONE], Fsync::Interval).unwrap());
        drop(open(&path, &[ONE, TWO], Fsync::Interval).unwrap());
        let copy = open_reader(&directory.path().join("x.db.1.bak")).unwrap();
        let columns = copy.prepare("SELECT * FROM a").unwrap().column_count();
        let rows: i64 = copy.query_row("SELECT count(*) FROM a", [], |row| row.get(0)).unwrap();
        assert_eq!((columns, rows), (1, 1));
    }

    #[test]
    fn a_database_newer_than_the_program_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        drop(open(&path, &[ONE, TWO], Fsync::Interval).unwrap());
        let error = open(&path, &[ONE], Fsync::Interval).unwrap_err().to_string();
        assert!(error.contains("has version 2, this program knows up to 1"), "{error}");
    }

    #[test]
    fn a_migration_that_fails_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        drop(open(&path, &[ONE], Fsync::Interval).unwrap());
        open(&path, &[ONE, "ALTER TABLE a ADD COLUMN z TEXT; SELECT nonsense;"], Fsync::Interval)
            .unwrap_err();
        let connection = open(&path, &[ONE], Fsync::Interval).unwrap();
        assert_eq!(connection.prepare("SELECT * FROM a").unwrap().column_count(), 1);
    }

    #[test]
    fn a_file_that_is_no_database_is_refused_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        std::fs::write(&path, "not a database at all, but long enough to be read as one".repeat(20)).unwrap();
        open(&path, &[ONE], Fsync::Interval).unwrap_err();
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("not a database"));
    }
}
