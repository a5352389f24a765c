//! Where credentials are found: the environment of the process, and a file beside it in the manner of `.env`.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::profile::Scheme;
use crate::secret::Secret;

/// Bytes of the file that are read.
const FILE_BYTES: u64 = 1024 * 1024;
/// Credentials of one provider.
const CREDENTIALS: usize = 64;

/// Why the file can't be used. It never tells what is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is there, and can't be read.
    #[error("{path} can't be read: {reason}")]
    Unreadable {
        /// Where it is.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// A line is not as it should be.
    #[error("{path}:{line}: {what}")]
    Line {
        /// Where it is.
        path: String,
        /// The number of the line.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// What a variable holds is no credential.
    #[error("{0} is no credential: use visible ASCII characters, several separated by commas")]
    NoCredential(String),
}

/// What tells whether the file has changed, or who may read it.
pub type Stamp = Option<(SystemTime, u64, u64, (i64, i64))>;

/// The environment and the file.
#[derive(Clone)]
pub struct Environment {
    process: Arc<BTreeMap<String, String>>,
    file: PathBuf,
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Environment {
    /// These variables, and behind them those of the file, if it exists.
    pub fn new(process: impl IntoIterator<Item = (String, String)>, file: PathBuf) -> Self {
        Self { process: Arc::new(process.into_iter().collect()), file }
    }

    /// Changes when the file does.
    pub fn stamp(&self) -> Stamp {
        let metadata = std::fs::metadata(&self.file).ok()?;
        Some((
            metadata.modified().ok()?,
            metadata.len(),
            metadata.ino(),
            (metadata.ctime(), metadata.ctime_nsec()),
        ))
    }

    /// The value of a variable: the process's own, else the file's.
    pub fn value(&self, variable: &str) -> Result<Option<String>, Fault> {
        Ok(self.first(&[variable])?.map(|(_, value)| value))
    }

    /// The credentials that the first of these variables holds which is there.
    pub(crate) fn credentials(&self, variables: &[&str], scheme: Scheme) -> Result<Vec<Arc<Secret>>, Fault> {
        let Some((variable, value)) = self.first(variables)? else { return Ok(Vec::new()) };
        let texts = value.split(',').map(str::trim).filter(|text| !text.is_empty()).take(CREDENTIALS);
        let mut secrets: Vec<Arc<Secret>> = Vec::new();
        for (place, text) in texts.enumerate() {
            let name = format!("{variable}#{}", place + 1);
            let secret = Secret::new(name.clone(), text, scheme).ok_or(Fault::NoCredential(name))?;
            if secrets.iter().all(|known| **known != secret) {
                secrets.push(secret.into());
            }
        }
        Ok(secrets)
    }

    /// The first of these variables that says something.
    fn first(&self, variables: &[&str]) -> Result<Option<(String, String)>, Fault> {
        let said = |of: &BTreeMap<String, String>| {
            let values = variables.iter().filter_map(|name| of.get_key_value(*name));
            values
                .filter(|(_, value)| !value.trim().is_empty())
                .map(|(name, value)| (name.clone(), value.clone()))
                .next()
        };
        match said(&self.process) {
            Some(found) => Ok(Some(found)),
            None => Ok(said(&read(&self.file)?)),
        }
    }
}

fn read(path: &Path) -> Result<BTreeMap<String, String>, Fault> {
    let shown = path.display().to_string();
    let unreadable = |reason: String| Fault::Unreadable { path: shown.clone(), reason };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(unreadable(error.to_string())),
        Ok(metadata) if metadata.len() > FILE_BYTES => {
            return Err(unreadable("it is larger than 1 MiB".to_owned()));
        }
        Ok(_) => {}
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    parse(&text).map_err(|(line, what)| Fault::Line { path: shown, line, what })
}

/// Lines of `NAME=value`; `export` before it, quotes around the value, empty lines and comments are allowed.
fn parse(text: &str) -> Result<BTreeMap<String, String>, (usize, &'static str)> {
    let mut values = BTreeMap::new();
    for (number, line) in text.lines().enumerate().map(|(place, line)| (place + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").map_or(line, str::trim_start);
        let (name, value) = line.split_once('=').ok_or((number, "expected NAME=value"))?;
        let name = name.trim_end();
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err((number, "a name has letters, digits and underscores only"));
        }
        values
            .insert(name.to_owned(), unquoted(value.trim_start()).ok_or((number, "a quote is not closed"))?);
    }
    Ok(values)
}

fn unquoted(value: &str) -> Option<String> {
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].split_once(quote).map(|(inner, _)| inner.to_owned()),
        _ => {
            // A comment begins behind a blank; a value may have a `#` in it.
            let end = value.find(" #").or_else(|| value.find("\t#")).unwrap_or(value.len());
            Some(value[..end].trim_end().to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(String, String)> {
        parse(text).unwrap().into_iter().collect()
    }

    #[test]
    fn a_file_is_read_as_shells_and_their_friends_write_it() {
        let text =
            "# keys\n\nexport A=one\nB = \"two # 2\" # a comment\nC='three'\nD=fo#ur # and a comment\nE=\n";
        let wanted = [("A", "one"), ("B", "two # 2"), ("C", "three"), ("D", "fo#ur"), ("E", "")];
        assert_eq!(values(text), wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_line_that_is_none_is_named_by_its_number_and_not_repeated() {
        assert_eq!(parse("A=1\nsk-marked"), Err((2, "expected NAME=value")));
        assert_eq!(parse("A=\"sk-marked"), Err((1, "a quote is not closed")));
        assert_eq!(parse("sk marked=1"), Err((1, "a name has letters, digits and underscores only")));
        let shown = Fault::Line { path: ".env".to_owned(), line: 2, what: "expected NAME=value" }.to_string();
        assert_eq!(shown, ".env:2: expected NAME=value");
    }

    #[test]
    fn the_process_comes_before_the_file_and_what_is_empty_is_not_there() {
        let process = [("A", "own"), ("B", " ")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let file = std::env::temp_dir().join(format!("pas-adapter-{}.env", std::process::id()));
        std::fs::write(&file, "A=file\nB=file, two ,,file\n").unwrap();
        let environment = Environment::new(process, file.clone());
        let named = |variables: &[&str]| -> Vec<String> {
            let found = environment.credentials(variables, Scheme::Bearer).unwrap();
            found.iter().map(|secret| secret.name().to_string()).collect()
        };
        assert_eq!(environment.value("A").unwrap().as_deref(), Some("own"));
        assert_eq!(named(&["B"]), ["B#1", "B#2"]);
        assert_eq!(named(&["C", "A"]), ["A#1"]);
        assert_eq!(named(&["C"]), [""; 0]);
        std::fs::remove_file(file).unwrap();
        assert_eq!((named(&["B"]), environment.stamp()), (Vec::new(), None));
    }
}
