//! Files that are generated and checked in.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Compares a file below the root with what it should hold, or writes it where that was asked for.
pub fn hold(path: &str, wanted: &str) -> Result<()> {
    let file = root().join(path);
    if option_env!("PAS_REGENERATE").is_some() {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).with_context(|| format!("creating the folder of {path}"))?;
        }
        return fs::write(&file, wanted).with_context(|| format!("writing {path}"));
    }
    let found = fs::read_to_string(&file).with_context(|| format!("reading {path}"))?;
    match first_difference(&found, wanted) {
        None => Ok(()),
        Some(difference) => bail!(
            "{path} is not what the code says: {difference}\n\
             `PAS_REGENERATE=1 cargo test -p pas-tests` writes it anew; read the change before you commit it"
        ),
    }
}

/// The files of a folder below the root whose names end in `suffix`, sorted; none where there is no such folder.
pub fn files(folder: &str, suffix: &str) -> Result<Vec<PathBuf>> {
    let folder = root().join(folder);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(self::files(&path.to_string_lossy(), suffix)?);
        } else if path.to_string_lossy().ends_with(suffix) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn first_difference(found: &str, wanted: &str) -> Option<String> {
    if found == wanted {
        return None;
    }
    let (mut found, mut wanted) = (found.lines(), wanted.lines());
    for line in 1.. {
        match (found.next(), wanted.next()) {
            (None, None) => break,
            (have, want) if have == want => {}
            (have, want) => {
                let shown =
                    |text: Option<&str>| text.map_or("nothing".to_owned(), |text| format!("`{text}`"));
                return Some(format!("line {line} is {}, should be {}", shown(have), shown(want)));
            }
        }
    }
    Some("its line endings differ".to_owned())
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn the_first_difference_is_named_by_its_line() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n").unwrap(), "line 2 is `b`, should be `c`");
        assert_eq!(first_difference("a\n", "a\nc\n").unwrap(), "line 2 is nothing, should be `c`");
        assert_eq!(first_difference("a", "a\n").unwrap(), "its line endings differ");
    }
}
