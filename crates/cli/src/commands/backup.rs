//! `pas backup`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use crate::out;
use crate::stores::{Store, UNFINISHED, beside};
use crate::swarm::Source;

/// Copies every database and every journal below the data directory to the same path below `dir`.
pub(crate) fn run(source: &Source, dir: &Path) -> Result<ExitCode> {
    let home = source.home()?;
    let stores = Store::find(&home.data_dir)?;
    ensure!(!stores.is_empty(), "there is no database and no journal in {}", home.data_dir.display());
    let inside = existing_ancestor(dir)?.starts_with(fs::canonicalize(&home.data_dir)?);
    ensure!(!inside, "{} is inside the data directory: name a folder elsewhere", dir.display());
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    ensure!(fs::read_dir(dir)?.next().is_none(), "{} is not empty: name a new folder", dir.display());
    for store in stores {
        let copy = dir.join(&store.path);
        let unfinished = beside(&copy, UNFINISHED);
        let copied = store.copy(&home.data_dir, &unfinished)?;
        fs::rename(&unfinished, &copy)?;
        copied.tell_damage(&home.data_dir.join(&store.path));
        out::line(format!("{} ({copied})", copy.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The innermost part of a path that exists, links followed: what is still to be made will lie in it.
fn existing_ancestor(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    fs::canonicalize(path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/")))
}
