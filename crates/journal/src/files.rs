//! The files of a journal's directory: names, and changes that hold through a power failure.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What a file is called until it is complete.
const UNFINISHED: &str = "unfinished";
const SEGMENT: &str = "jsonl";

/// The segment whose first record has this number.
pub(crate) fn segment(directory: &Path, first_seq: u64) -> PathBuf {
    directory.join(format!("{first_seq:020}.{SEGMENT}"))
}

/// The first numbers of the segments in `directory`, in order.
pub(crate) fn segments(directory: &Path) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        found.extend(number.filter(|number| segment(directory, *number) == path));
    }
    found.sort_unstable();
    Ok(found)
}

/// The segments in `directory`, oldest first; none when it holds no journal. Copied in this order they are a journal, if none
/// of them went away in between: [`verify`](crate::verify) it. A copy without `mark.json` begins a new epoch when it is
/// opened, as it must: the numbers behind its end were given already.
pub fn segment_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(segments(directory)?.into_iter().map(|first_seq| segment(directory, first_seq)).collect())
}

/// Removes what a process left that died while it replaced a file.
pub(crate) fn remove_unfinished(directory: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == UNFINISHED) {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// The name beside `path` under which its successor is made.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(".");
    name.push(UNFINISHED);
    name.into()
}

/// Replaces `path` whole: at every moment it has its old content or its new one.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let unfinished = unfinished(path);
    let mut file = File::create(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    sync_parent(path)
}

/// Makes names in the directory of `path` outlive a power failure.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}
