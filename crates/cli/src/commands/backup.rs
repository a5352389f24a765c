//! `pas backup`, and the copying that `pas restore` shares.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use crate::out;
use crate::swarm::Source;

/// Copies every database below the data directory to the same path below `dir`.
pub(crate) fn run(source: &Source, dir: &Path) -> Result<ExitCode> {
    let home = source.home()?;
    let databases = databases(&home.data_dir)?;
    ensure!(!databases.is_empty(), "there is no database in {}", home.data_dir.display());
    let inside = existing_ancestor(dir)?.starts_with(fs::canonicalize(&home.data_dir)?);
    ensure!(!inside, "{} is inside the data directory: name a folder elsewhere", dir.display());
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    ensure!(fs::read_dir(dir)?.next().is_none(), "{} is not empty: name a new folder", dir.display());
    for database in databases {
        let copy = dir.join(&database);
        let unfinished = beside(&copy, "unfinished");
        copy_database(&home.data_dir.join(&database), &unfinished)?;
        fs::rename(&unfinished, &copy)?;
        out::line(format!("{} ({} bytes)", copy.display(), fs::metadata(&copy)?.len()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The innermost part of a path that exists, links followed: what is still to be made will lie in it.
fn existing_ancestor(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    fs::canonicalize(path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/")))
}

/// The paths of all databases below a folder, relative to it, in order.
pub(super) fn databases(root: &Path) -> Result<Vec<PathBuf>> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
        for entry in fs::read_dir(dir)? {
            let (kind, path) = entry.map(|entry| (entry.file_type(), entry.path()))?;
            let kind = kind?;
            if kind.is_dir() {
                walk(&path, found)?;
            } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "db") {
                found.push(path);
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    walk(root, &mut found).with_context(|| format!("cannot search {}", root.display()))?;
    found.sort();
    Ok(found.iter().filter_map(|path| path.strip_prefix(root).ok()).map(Path::to_owned).collect())
}

/// Copies a database as it is at one moment, while others may write to it, into one plain file, and checks the
/// copy from end to end. When that fails there is no copy.
pub(super) fn copy_database(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let copied = try_copy(from, to).map_err(anyhow::Error::from).and_then(|verdict| {
        ensure!(verdict == "ok", "it is damaged: {verdict}");
        Ok(())
    });
    if copied.is_err() {
        ignore_missing(fs::remove_file(to))?;
    }
    copied.with_context(|| format!("cannot copy {}", from.display()))
}

fn try_copy(from: &Path, to: &Path) -> rusqlite::Result<String> {
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut copy = Connection::open(to)?;
    // In one step: a writer in between would make it begin again.
    Backup::new(&source, &mut copy)?.run_to_completion(i32::MAX, Duration::from_millis(20), None)?;
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
}

/// That a file to be removed or moved is not there is as good.
pub(super) fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// The path with another extension after its own.
pub(super) fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}
