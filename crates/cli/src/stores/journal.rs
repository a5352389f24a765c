//! One journal: a folder of segments, of which the last one grows, and retention rewrites others and drops the oldest.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use pas_journal::{Break, Survey, Why};

use super::{Copied, remove};

/// How often a copy is begun. What comes in between is rare, and what is damaged is so each time.
const ATTEMPTS: usize = 4;

/// Copies its segments. What else lies beside them tells of this run and is left: a journal without its mark begins a new
/// epoch, and it must, since the numbers after the copy were given to other records.
///
/// What is damaged is copied as it is and named: the journal passes it by, here as there.
pub(super) fn copy(from: &Path, to: &Path) -> Result<Copied> {
    let mut found_before = None;
    for _ in 0..ATTEMPTS {
        remove(to)?;
        fs::create_dir(to)?;
        let Some(bytes) = copy_segments(&pas_journal::segment_files(from)?, to)? else { continue };
        let found = pas_journal::survey(to)?;
        // What retention did meanwhile looks like damage as well, but is not there a second time.
        let wrong = (found.breaks.clone(), found.more);
        if found.breaks.is_empty() || found_before.as_ref() == Some(&wrong) {
            File::open(to)?.sync_all()?;
            return Ok(Copied { bytes, damage: named(found)? });
        }
        found_before = Some(wrong);
    }
    bail!("retention has taken away what was to be copied, {ATTEMPTS} times")
}

/// The damage in words; it fails where a copy would be of no use. Files are named as in the original, which is where people
/// look.
fn named(Survey { records, breaks, more }: Survey) -> Result<Vec<String>> {
    let in_words = |broken: &Break| {
        let segment = broken.segment.file_name().unwrap_or_default().into();
        Break { segment, ..broken.clone() }.to_string()
    };
    if let Some(newer) = breaks.iter().find(|broken| matches!(broken.why, Why::Newer(_))) {
        bail!("it can't be read: {}", in_words(newer));
    }
    let mut damage: Vec<_> = breaks.iter().map(in_words).collect();
    ensure!(records > 0 || damage.is_empty(), "nothing in it can be read: {}", damage.join("; "));
    if more > 0 {
        damage.push(format!("{more} more places"));
    }
    Ok(damage)
}

/// Copies these segments, the oldest first; retention drops the oldest first too. None when it took one behind what was
/// copied: that is gone as well then, and newer segments may be there that are not among these.
fn copy_segments(segments: &[PathBuf], to: &Path) -> Result<Option<u64>> {
    let mut copied = None;
    for segment in segments {
        let mut source = match File::open(segment) {
            Err(error) if error.kind() == ErrorKind::NotFound && copied.is_none() => continue,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            source => source.with_context(|| format!("cannot open {}", segment.display()))?,
        };
        let mut copy = File::create(to.join(segment.file_name().unwrap_or_default()))?;
        let bytes = io::copy(&mut source, &mut copy)?;
        // A journal relies on it that all of its segments but the last are on the disk.
        copy.sync_all()?;
        copied = Some(copied.unwrap_or(0) + bytes);
    }
    Ok(copied)
}

/// Puts `copy` in the place of `target`, which is `old` from then on, with its mark. Who is killed in between leaves both
/// beside their place, and restores again.
pub(super) fn replace(copy: &Path, target: &Path, old: Option<&Path>) -> io::Result<()> {
    if let Some(old) = old {
        fs::rename(target, old)?;
    }
    fs::rename(copy, target)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;
    use std::sync::mpsc::{self, TryRecvError};
    use std::time::Duration;

    use pas_journal::{Fsync, Journal, Options, Payload, Recovered, segment_files, verify};
    use pas_types::time::{Now, WireTime};
    use tempfile::TempDir;

    use super::*;

    const NEW_EPOCH: u64 = 1_762_425_000;

    fn now() -> Now {
        let wall = WireTime::from_millis(1_762_425_000_000).timestamp();
        Now { monotonic: Duration::ZERO, wall }
    }

    /// Begins another segment with each append, and keeps three or so.
    fn open(directory: &Path, chained: bool) -> Journal {
        let options = Options::new(directory, NEW_EPOCH);
        Journal::open(Options { chained, fsync: Fsync::Os, segment_bytes: 1, max_bytes: 500, ..options })
            .unwrap()
    }

    /// Appends a record and waits until it is acknowledged.
    fn append(journal: &Journal, word: &str) {
        let (tell, told) = mpsc::channel();
        let payload = Payload::new(format!("{{\"word\":\"{word}\"}}")).unwrap();
        journal.append(vec![payload], now(), move |result| tell.send(result).unwrap()).unwrap();
        told.recv_timeout(Duration::from_secs(30)).unwrap().unwrap();
    }

    fn words(journal: &Journal) -> Vec<String> {
        let records = journal.reader(journal.oldest() - 1).read(100, 10_000).unwrap();
        let word =
            |line: Vec<u8>| serde_json::from_slice::<serde_json::Value>(&line).unwrap()["word"].clone();
        records.into_iter().map(|record| word(record.line).as_str().unwrap().to_owned()).collect()
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// A place for a journal, for its copies and for what it was.
    fn places() -> (TempDir, [PathBuf; 4]) {
        let dir = tempfile::tempdir().unwrap();
        let places = ["events", "backup", "events.restoring", "events.replaced-1"];
        let places = places.map(|name| dir.path().join(name));
        (dir, places)
    }

    #[test]
    fn a_journal_copied_under_its_writer_comes_back_in_a_new_epoch_and_the_old_one_is_as_it_was() {
        for chained in [false, true] {
            let (_dir, [target, backup, restoring, old]) = places();
            let journal = open(&target, chained);
            let epoch = journal.epoch();
            append(&journal, "one");
            append(&journal, "two");
            copy(&target, &backup).unwrap();
            append(&journal, "after");
            journal.close().unwrap();
            assert_eq!(names(&backup), ["00000000000000000001.jsonl", "00000000000000000002.jsonl"]);

            copy(&backup, &restoring).unwrap();
            replace(&restoring, &target, Some(&old)).unwrap();
            let journal = open(&target, chained);
            let recovered =
                Recovered { head: 2, segments: 2, records: 1, new_epoch: true, ..Recovered::default() };
            assert_eq!((journal.recovered(), journal.epoch()), (recovered, epoch + 1));
            append(&journal, "anew");
            assert_eq!(words(&journal), ["one", "two", "anew"]);
            let replaced = open(&old, chained);
            assert_eq!(
                (replaced.epoch(), words(&replaced)),
                (epoch, vec!["one".into(), "two".into(), "after".into()])
            );
        }
    }

    #[test]
    fn a_copy_has_all_that_was_acknowledged_before_and_is_there_whatever_retention_takes_meanwhile() {
        let (_dir, [target, backup, ..]) = places();
        let journal = open(&target, true);
        append(&journal, "first");
        let (stop, stopped) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let journal = &journal;
            scope.spawn(move || {
                while stopped.try_recv() == Err(TryRecvError::Empty) {
                    append(journal, "more");
                    journal.retain(now()).unwrap();
                }
            });
            // Dropped in the end, also by a panic.
            let _stop = stop;
            for _ in 0..100 {
                let head = journal.head();
                // Here each append drops a segment, so a copy is often begun in vain.
                while let Err(error) = copy(&target, &backup) {
                    assert!(error.to_string().starts_with("retention has taken"), "{error}");
                }
                let report = verify(&backup, true).unwrap();
                assert!(report.broken.is_none() && report.last_seq >= head, "{report:?} for {head}");
            }
        });
    }

    #[test]
    fn a_segment_that_goes_before_any_is_copied_is_not_missed_and_one_that_goes_later_spoils_the_copy() {
        let (dir, [target, backup, ..]) = places();
        let journal = open(&target, false);
        for word in ["one", "two", "three"] {
            append(&journal, word);
        }
        let segments = segment_files(&target).unwrap();
        let gone = dir.path().join("events/00000000000000000000.jsonl");
        fs::create_dir(&backup).unwrap();
        let copied = |segments: &[&PathBuf]| {
            let segments: Vec<_> = segments.iter().map(|segment| (*segment).clone()).collect();
            copy_segments(&segments, &backup).unwrap().is_some()
        };
        assert!(copied(&[&gone, &segments[1], &segments[2]]));
        assert!(!copied(&[&segments[0], &gone, &segments[2]]));
        assert!(!copied(&[&segments[0], &segments[1], &gone]));
        assert!(!copied(&[&gone]));
    }

    #[test]
    fn a_write_under_way_is_copied_as_far_as_it_is_and_cut_off_when_the_copy_is_opened() {
        let (_dir, [target, backup, ..]) = places();
        let journal = open(&target, false);
        append(&journal, "one");
        journal.close().unwrap();
        let segment = segment_files(&target).unwrap().remove(0);
        let mut content = fs::read(&segment).unwrap();
        content.extend_from_slice(b"{\"word\":\"half");
        fs::write(&segment, content).unwrap();
        copy(&target, &backup).unwrap();
        assert_eq!(verify(&backup, false).unwrap().unfinished_bytes, 13);
        assert_eq!(words(&open(&backup, false)), ["one"]);
    }

    #[test]
    fn what_is_damaged_is_named_and_the_rest_is_copied_and_restored() {
        for chained in [false, true] {
            let (_dir, [target, backup, restoring, old]) = places();
            let journal = open(&target, chained);
            for word in ["one", "two", "three", "four"] {
                append(&journal, word);
            }
            let segments = segment_files(&target).unwrap();
            // A line that is no record any more, and a record that is not there.
            let content = fs::read_to_string(&segments[1]).unwrap();
            fs::write(&segments[1], content.replace("{\"word\":\"two\"", "{\"word\":\"t\u{1}o\"")).unwrap();
            let content = fs::read_to_string(&segments[2]).unwrap();
            fs::write(&segments[2], format!("{}\n", content.lines().next().unwrap())).unwrap();
            let damage = [
                "00000000000000000002.jsonl line 2 (after record 1): the line is damaged",
                "00000000000000000004.jsonl line 1 (after record 2): record 4 stands where 3 belongs",
            ];
            let copied = copy(&target, &backup).unwrap();
            assert_eq!(
                (copied.damage.as_slice(), copied.bytes > 0),
                (damage.map(str::to_owned).as_slice(), true)
            );
            journal.close().unwrap();

            assert_eq!(copy(&backup, &restoring).unwrap(), copied, "it is no less damaged in the backup");
            replace(&restoring, &target, Some(&old)).unwrap();
            let journal = open(&target, chained);
            append(&journal, "anew");
            assert_eq!(words(&journal), ["one", "four", "anew"]);
        }
    }

    #[test]
    fn damage_is_told_from_what_comes_in_between_while_the_journal_is_written() {
        let (_dir, [target, backup, ..]) = places();
        let journal =
            Journal::open(Options { fsync: Fsync::Os, ..Options::new(&target, NEW_EPOCH) }).unwrap();
        append(&journal, "one");
        append(&journal, "two");
        let segment = segment_files(&target).unwrap().remove(0);
        let place = fs::read(&segment).unwrap().windows(3).position(|word| word == b"one").unwrap();
        File::options().write(true).open(&segment).unwrap().write_all_at(&[1], place as u64).unwrap();
        let (stop, stopped) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let journal = &journal;
            scope.spawn(move || {
                while stopped.try_recv() == Err(TryRecvError::Empty) {
                    append(journal, "more");
                }
            });
            // Dropped in the end, also by a panic.
            let _stop = stop;
            for _ in 0..3 {
                let damage = copy(&target, &backup).unwrap().damage;
                assert_eq!(
                    damage,
                    ["00000000000000000001.jsonl line 2 (after record 0): the line is damaged"]
                );
            }
        });
    }

    #[test]
    fn a_journal_of_which_nothing_can_be_read_or_of_a_newer_program_is_not_copied() {
        let (_dir, [target, backup, ..]) = places();
        fs::create_dir(&target).unwrap();
        let segment = target.join("00000000000000000001.jsonl");
        let header = |journal| {
            format!(
                "{{\"journal\":{journal},\"epoch\":1,\"first_seq\":1,\"opened_at\":\"2025-11-06T10:30:00.000Z\"}}\n"
            )
        };
        let refusal = |content: &str| {
            fs::write(&segment, content).unwrap();
            copy(&target, &backup).unwrap_err().to_string()
        };
        assert_eq!(
            refusal("this was a journal once\n"),
            "nothing in it can be read: 00000000000000000001.jsonl line 1 (after record 0): the header is damaged"
        );
        assert_eq!(
            refusal(&format!("{}{{\"seq\":1}}\n", header(9))),
            "it can't be read: 00000000000000000001.jsonl line 1 (after record 0): its form 9 is newer than this program"
        );
        fs::write(&segment, header(1)).unwrap();
        assert_eq!(copy(&target, &backup).unwrap().damage, Vec::<String>::new(), "an empty one is whole");
    }
}
