//! What the tests share: a time of their own, appends that wait, and a copy of what lies on the disk.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use pas_journal::{AppendError, Appended, Class, Fsync, Journal, Options, Payload};
use pas_types::time::{Now, WireTime};
use tempfile::TempDir;

/// How long what should happen at once may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// How long beats are kept in these tests.
pub(crate) const BEAT_AGE: Duration = Duration::from_secs(10);

/// This many milliseconds after the tests' beginning of time.
pub(crate) fn at(ms: u64) -> Now {
    let wall = WireTime::from_millis(1_762_425_000_000 + i64::try_from(ms).unwrap()).timestamp();
    Now { monotonic: Duration::from_millis(ms), wall }
}

/// Beats, which are kept for a while, and everything else, which stays.
pub(crate) fn options(directory: &Path) -> Options {
    Options {
        fsync: Fsync::Os,
        classes: vec![Class { name: "beat", max_age: Some(BEAT_AGE) }, Class { name: "fact", max_age: None }],
        classify: |line| usize::from(!line.starts_with(b"{\"beat\"")),
        ..Options::new(directory, 1)
    }
}

pub(crate) fn open(options: Options) -> Journal {
    Journal::open(options).expect("the journal opens")
}

pub(crate) fn fact(number: u64) -> Payload {
    Payload::new(format!("{{\"fact\":{number}}}")).unwrap()
}

pub(crate) fn beat(number: u64) -> Payload {
    Payload::new(format!("{{\"beat\":{number}}}")).unwrap()
}

/// Appends and waits for the answer.
pub(crate) fn try_append(
    journal: &Journal,
    payloads: Vec<Payload>,
    now: Now,
) -> Result<Appended, AppendError> {
    let (tell, told) = mpsc::channel();
    journal.append(payloads, now, move |result| tell.send(result).unwrap()).expect("it is taken");
    told.recv_timeout(PATIENCE).expect("it is answered")
}

pub(crate) fn append(journal: &Journal, payloads: Vec<Payload>, now: Now) -> Appended {
    try_append(journal, payloads, now).expect("it is written")
}

/// Everything that can be read, by number.
pub(crate) fn all(journal: &Journal) -> Vec<(u64, String)> {
    let mut reader = journal.reader(journal.oldest() - 1);
    let mut all = Vec::new();
    loop {
        let records = reader.read(100, 1_000).expect("it can be read");
        if records.is_empty() {
            return all;
        }
        all.extend(records.into_iter().map(|record| (record.seq, String::from_utf8(record.line).unwrap())));
    }
}

/// The numbers of everything that can be read.
pub(crate) fn seqs(journal: &Journal) -> Vec<u64> {
    all(journal).into_iter().map(|(seq, _)| seq).collect()
}

/// What lies on the disk now, as a process that dies now leaves it.
pub(crate) fn snapshot(directory: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    copy
}

/// The segments, oldest first.
pub(crate) fn segments(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut segments: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|it| it == "jsonl")).collect();
    segments.sort();
    segments
}

/// That the journal in `directory` is whole.
pub(crate) fn assert_whole(directory: &Path, chained: bool) {
    let report = pas_journal::verify(directory, chained).unwrap();
    assert_eq!(report.broken, None);
}
