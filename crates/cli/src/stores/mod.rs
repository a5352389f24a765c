//! What services keep below the data directory, databases and journals: how it is found, copied and replaced.

mod database;
mod journal;

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::out;

/// The extension of a copy that is being made.
pub(crate) const UNFINISHED: &str = "unfinished";
/// The extension of a copy that is about to take its place.
pub(crate) const RESTORING: &str = "restoring";
/// The extension of what had that place before; a number follows.
const REPLACED: &str = "replaced-";

/// Something that is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Store {
    /// Where it lies, relative to the folder in which it was found.
    pub(crate) path: PathBuf,
    kind: Kind,
}

/// A copy that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copied {
    /// How many bytes it has.
    pub(crate) bytes: u64,
    /// What of it is damaged, each with its place; nothing, if it is whole.
    pub(crate) damage: Vec<String>,
}

impl Copied {
    /// Says on standard error what of `path` is damaged.
    pub(crate) fn tell_damage(&self, path: &Path) {
        for place in &self.damage {
            out::note(format!("{} is damaged: {place}", path.display()));
        }
    }
}

impl std::fmt::Display for Copied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { bytes, damage } = self;
        match damage.is_empty() {
            true => write!(f, "{bytes} bytes"),
            false => write!(f, "{bytes} bytes, DAMAGED: what can be read is there"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A file of SQLite.
    Database,
    /// A folder with the segments of a journal.
    Journal,
}

impl Store {
    /// Everything that is kept below a folder, in order.
    pub(crate) fn find(root: &Path) -> Result<Vec<Self>> {
        let mut found = Vec::new();
        walk(root, &mut found).with_context(|| format!("cannot search {}", root.display()))?;
        let relative = |(path, kind): (PathBuf, Kind)| {
            path.strip_prefix(root).ok().map(|path| Self { path: path.to_owned(), kind })
        };
        let mut found: Vec<Self> = found.into_iter().filter_map(relative).collect();
        found.sort();
        Ok(found)
    }

    /// Copies it from below `root` to `to`, as it is at one moment, while its service may write to it. The copy is checked
    /// from end to end. A journal with damage has what can be read of it; else the copy is gone again when something is
    /// wrong.
    pub(crate) fn copy(&self, root: &Path, to: &Path) -> Result<Copied> {
        let from = root.join(&self.path);
        // A killed copy may have left something.
        remove(to)?;
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let copied = match self.kind {
            Kind::Database => database::copy(&from, to),
            Kind::Journal => journal::copy(&from, to),
        };
        if copied.is_err() {
            remove(to)?;
        }
        copied.with_context(|| format!("cannot copy {}", from.display()))
    }

    /// Puts `copy` in the place of `target`, and answers where the old one is now.
    pub(crate) fn replace(&self, copy: &Path, target: &Path) -> Result<Option<PathBuf>> {
        let old = target.exists().then(|| free_name(target));
        let replaced = match self.kind {
            Kind::Database => database::replace(copy, target, old.as_deref()),
            Kind::Journal => journal::replace(copy, target, old.as_deref()),
        };
        replaced.with_context(|| format!("cannot replace {}", target.display()))?;
        Ok(old)
    }
}

fn walk(dir: &Path, found: &mut Vec<(PathBuf, Kind)>) -> io::Result<()> {
    if !pas_journal::segment_files(dir)?.is_empty() {
        found.push((dir.to_owned(), Kind::Journal));
    }
    for entry in fs::read_dir(dir)? {
        let (kind, path) = entry.map(|entry| (entry.file_type(), entry.path()))?;
        let kind = kind?;
        if kind.is_dir() && !is_aside(&path) && !is_of_another_swarm(&path) {
            walk(&path, found)?;
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "db") {
            found.push((path, Kind::Database));
        }
    }
    Ok(())
}

/// Whether a folder is a journal that is not there yet, or not any more.
fn is_aside(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    [UNFINISHED, RESTORING].contains(&extension) || extension.starts_with(REPLACED)
}

/// Whether a folder is itself a data directory, as that of a demo is.
fn is_of_another_swarm(path: &Path) -> bool {
    path.join("run/lock").exists()
}

/// The path with another extension after its own.
pub(crate) fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

/// A name beside `target` that nothing has yet.
fn free_name(target: &Path) -> PathBuf {
    let mut number = 1_u64;
    loop {
        let name = beside(target, &format!("{REPLACED}{number}"));
        if !name.exists() {
            break name;
        }
        number += 1;
    }
}

/// Removes a file or a folder, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    ignore_missing(if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) })
}

/// That what is to be removed or moved is not there is as good.
fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_and_journals_are_found_and_what_is_set_aside_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let segment = "00000000000000000001.jsonl";
        for file in [
            "b/b.db",
            "b/b.db.replaced-1",
            "a.db",
            &format!("hmi/events/{segment}"),
            &format!("hmi/events.unfinished/{segment}"),
            &format!("hmi/events.restoring/{segment}"),
            &format!("hmi/events.replaced-12/{segment}"),
            "logs/1.jsonl",
            "run/lock",
            "demo/registry/registry.db",
            "demo/run/lock",
        ] {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let expected = [("a.db", Kind::Database), ("b/b.db", Kind::Database), ("hmi/events", Kind::Journal)];
        assert_eq!(
            Store::find(dir.path()).unwrap(),
            expected.map(|(path, kind)| Store { path: path.into(), kind })
        );
    }

    #[test]
    fn what_can_not_be_read_is_refused_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.db"), "this was a database once").unwrap();
        fs::create_dir(dir.path().join("events")).unwrap();
        fs::write(dir.path().join("events/00000000000000000001.jsonl"), "and this a journal\n").unwrap();
        let to = dir.path().join("copies/of");
        let refusals: Vec<String> = Store::find(dir.path())
            .unwrap()
            .iter()
            .map(|store| format!("{:#}", store.copy(dir.path(), &to).unwrap_err()))
            .collect();
        let expected = [
            format!("cannot copy {}/a.db: file is not a database", dir.path().display()),
            format!(
                "cannot copy {}/events: nothing in it can be read: \
                 00000000000000000001.jsonl line 1 (after record 0): the header is damaged",
                dir.path().display()
            ),
        ];
        for (refusal, expected) in refusals.iter().zip(&expected) {
            assert!(refusal.starts_with(expected), "{refusal}");
        }
        assert_eq!((refusals.len(), to.exists()), (2, false));
    }
}
