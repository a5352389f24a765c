//! `pas restore`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};

use super::backup::{beside, copy_database, databases, ignore_missing};
use crate::core::state::Record;
use crate::home::Home;
use crate::out;
use crate::swarm::Source;

/// Replaces databases by those of a backup. All are copied and checked before the first one is replaced.
pub(crate) fn run(source: &Source, dir: &Path) -> Result<ExitCode> {
    let home = source.home()?;
    home.prepare()?;
    let Some(_lock) = home.lock()? else { bail!("PAS runs: `pas down` first") };
    refuse_running(&home)?;
    let databases = databases(dir)?;
    ensure!(!databases.is_empty(), "there is no database in {}", dir.display());
    let mut swaps = Vec::new();
    for database in databases {
        let target = home.data_dir.join(&database);
        let copy = beside(&target, "restoring");
        copy_database(&dir.join(&database), &copy)?;
        swaps.push((copy, target));
    }
    for (copy, target) in swaps {
        match replace(&copy, &target).with_context(|| format!("cannot replace {}", target.display()))? {
            Some(old) => out::line(format!("{} (the old one is {})", target.display(), old.display()))?,
            None => out::line(target.display())?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Services that outlived their supervisor hold no lock.
fn refuse_running(home: &Home) -> Result<()> {
    let services = home.state()?.map(|state| state.services).unwrap_or_default();
    let running: Vec<&str> = services
        .iter()
        .filter(|record| record.running().is_some())
        .map(|Record { service, .. }| service.as_str())
        .collect();
    ensure!(running.is_empty(), "{} runs: `pas down` first", running.join(", "));
    Ok(())
}

/// Puts `copy` in the place of `target`, which is never missing meanwhile, and answers where the old one is now.
///
/// The write-ahead log goes with the old file: it holds what is not in the file yet, and beside the new file it
/// would be replayed into it.
fn replace(copy: &Path, target: &Path) -> io::Result<Option<PathBuf>> {
    let old = target.exists().then(|| free_name(target));
    let with = |path: &Path, end: &str| PathBuf::from(format!("{}{end}", path.display()));
    match &old {
        Some(old) => {
            fs::hard_link(target, old)?;
            ignore_missing(fs::rename(with(target, "-wal"), with(old, "-wal")))?;
        }
        None => ignore_missing(fs::remove_file(with(target, "-wal")))?,
    }
    ignore_missing(fs::remove_file(with(target, "-shm")))?;
    fs::rename(copy, target)?;
    Ok(old)
}

/// A name beside `target` that nothing has yet.
fn free_name(target: &Path) -> PathBuf {
    let mut number = 1_u64;
    loop {
        let name = beside(target, &format!("replaced-{number}"));
        if !name.exists() {
            break name;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

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
        let (target, backup) = (dir.path().join("a.db"), dir.path().join("backup/a.db"));
        let writer = write(&target, "before");
        copy_database(&target, &backup).unwrap();
        writer.execute("INSERT INTO words VALUES ('after')", []).unwrap();
        // As after SIGKILL: the log is never merged.
        std::mem::forget(writer);
        let copy = beside(&target, "restoring");
        copy_database(&backup, &copy).unwrap();
        let old = replace(&copy, &target).unwrap().unwrap();
        assert_eq!(words(&target), ["before"]);
        assert_eq!(words(&old), ["before", "after"]);
        assert_eq!(old, dir.path().join("a.db.replaced-1"));
    }

    #[test]
    fn a_damaged_backup_is_refused_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let (backup, copy) = (dir.path().join("a.db"), dir.path().join("a.db.restoring"));
        fs::write(&backup, "this was a database once").unwrap();
        assert!(copy_database(&backup, &copy).is_err());
        assert_eq!(databases(dir.path()).unwrap(), [PathBuf::from("a.db")]);
    }
}
