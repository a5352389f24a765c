use std::path::Path;
use std::time::Duration;

use pas_journal::{Break, Options, Survey, Why, survey, verify};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::support::{BEAT_AGE, append, at, beat, fact, open, options, segments, snapshot};

/// A chained journal of two segments, out of the first of which records 2 and 3 are gone.
fn written() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let journal =
        open(Options { chained: true, segment_age: Duration::from_millis(10), ..options(directory.path()) });
    append(&journal, vec![fact(1), beat(2), beat(3), fact(4), fact(5)], at(0));
    append(&journal, vec![fact(6), fact(7), fact(8)], at(10));
    journal.retain(at(10 + BEAT_AGE.as_millis() as u64 + 5)).unwrap();
    drop(journal);
    directory
}

fn broken(directory: &Path) -> Option<(u64, u64, Why)> {
    let report = verify(directory, true).unwrap();
    report.broken.map(|Break { line, after, why, .. }| (line, after, why))
}

/// Changes the lines of one segment.
fn edit(directory: &TempDir, segment: usize, change: impl FnOnce(&mut Vec<String>)) -> TempDir {
    let copy = snapshot(directory.path());
    let path = &segments(copy.path())[segment];
    let mut lines: Vec<String> = std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect();
    change(&mut lines);
    std::fs::write(path, lines.join("\n") + "\n").unwrap();
    copy
}

#[test]
fn a_whole_journal_is_told_whole() {
    let directory = written();
    let report = verify(directory.path(), true).unwrap();
    assert_eq!((report.segments, report.records, report.gone), (3, 6, 2));
    assert_eq!((report.first_seq, report.last_seq, report.unfinished_bytes, report.broken), (1, 8, 0, None));
}

#[test]
fn any_flipped_byte_of_a_record_is_found() {
    let directory = written();
    for segment in 0..2 {
        let copy = snapshot(directory.path());
        let path = &segments(copy.path())[segment];
        let content = std::fs::read(path).unwrap();
        let header = content.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for at in header..content.len() {
            let mut flipped = content.clone();
            flipped[at] ^= 1;
            std::fs::write(path, &flipped).unwrap();
            let found = broken(copy.path());
            let line = content[..at].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
            // What a mark says of what is gone shows in the line behind it.
            assert!(
                found.is_some_and(|(found, _, _)| (line..=line + 1).contains(&found)),
                "byte {at} in line {line} of segment {segment}: {found:?}"
            );
        }
    }
}

#[test]
fn a_line_that_is_removed_swapped_doubled_or_replaced_is_found_and_named() {
    let directory = written();
    let after = |change: fn(&mut Vec<String>)| broken(edit(&directory, 1, change).path());
    let seq = |expected, found| Why::Seq { expected, found };
    assert_eq!(after(|lines| drop(lines.remove(2))), Some((3, 6, seq(7, 8))));
    assert_eq!(after(|lines| lines.swap(1, 2)), Some((2, 5, seq(6, 7))));
    assert_eq!(after(|lines| lines.insert(2, lines[1].clone())), Some((3, 6, seq(7, 6))));
    assert_eq!(after(|lines| lines[2] = "{\"fact\":7,\"seq\":7}".to_owned()), Some((3, 6, Why::Chained)));
    assert_eq!(after(|lines| lines[0] = "{}".to_owned()), Some((1, 5, Why::Header)));
    assert_eq!(
        after(|lines| lines[0] = lines[0].replace("\"journal\":1", "\"journal\":9")),
        Some((1, 5, Why::Newer(9)))
    );
    assert_eq!(
        after(|lines| lines[0] = lines[0].replace("\"epoch\":1", "\"epoch\":0")),
        Some((1, 5, Why::Epoch))
    );
    let zeros = format!("\"prev\":\"{}\"", "0".repeat(64));
    let forged = edit(&directory, 1, |lines| {
        let prev = lines[0].split_once("\"prev\":").unwrap().0.to_owned();
        lines[0] = format!("{prev}{zeros}}}");
    });
    assert_eq!(broken(forged.path()), Some((1, 5, Why::Link)));
    let last_gone = edit(&directory, 0, |lines| drop(lines.pop()));
    assert_eq!(broken(last_gone.path()), Some((1, 4, seq(5, 6))), "shown where the next segment begins");
}

#[test]
fn a_record_written_anew_with_a_right_hash_of_its_own_is_found_by_the_next() {
    let directory = written();
    let forged = edit(&directory, 1, |lines| {
        let (start, _) = lines[1].split_once("\",\"hash\":\"").unwrap();
        let start = start.replace("{\"fact\":6", "{\"fact\":66");
        let hash = Sha256::digest(format!("{start}\"}}").as_bytes());
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        lines[1] = format!("{start}\",\"hash\":\"{hash}\"}}");
    });
    assert_eq!(broken(forged.path()), Some((3, 6, Why::Link)));
}

#[test]
fn a_missing_segment_is_found_unless_it_is_the_oldest() {
    let directory = written();
    let copy = snapshot(directory.path());
    std::fs::remove_file(&segments(copy.path())[1]).unwrap();
    assert_eq!(broken(copy.path()), Some((1, 5, Why::Seq { expected: 6, found: 9 })));
    let copy = snapshot(directory.path());
    std::fs::remove_file(&segments(copy.path())[0]).unwrap();
    let report = verify(copy.path(), true).unwrap();
    assert_eq!((report.first_seq, report.records, report.broken), (6, 3, None));
}

#[test]
fn a_write_under_way_is_no_break() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(options(directory.path()));
    append(&journal, vec![fact(1)], at(0));
    let path = &segments(directory.path())[0];
    let begun = b"{\"fact\":2,\"seq\":2,\"more\":true}\n{\"fact\"";
    let content = [std::fs::read(path).unwrap().as_slice(), begun].concat();
    std::fs::write(path, content).unwrap();
    let report = verify(directory.path(), false).unwrap();
    assert_eq!((report.records, report.last_seq, report.broken), (1, 1, None));
    assert_eq!(report.unfinished_bytes, begun.len() as u64);
}

#[test]
fn a_chain_that_was_taken_off_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(options(directory.path()));
    append(&journal, vec![fact(1)], at(0));
    drop(journal);
    assert_eq!(broken(directory.path()), Some((1, 0, Why::Chained)));
}

/// What a survey finds: the segment, the line, the last number before it, and what is wrong.
fn found(directory: &TempDir) -> (u64, Vec<(usize, u64, u64, Why)>) {
    let Survey { records, breaks, more } = survey(directory.path()).unwrap();
    assert_eq!(more, 0);
    let files = segments(directory.path());
    let place = |path: &Path| files.iter().position(|file| file == path).unwrap();
    (records, breaks.iter().map(|it| (place(&it.segment), it.line, it.after, it.why)).collect())
}

#[test]
fn a_survey_names_everything_that_is_wrong_and_reads_what_is_behind_it() {
    let directory = written();
    assert_eq!(found(&directory), (6, vec![]));
    let flip = |line: &mut String| *line = line.replace("fact", "fict");
    let damaged = edit(&directory, 0, |lines| flip(&mut lines[1]));
    assert_eq!(found(&damaged), (5, vec![(0, 2, 0, Why::Damaged)]), "one line is one place");
    let damaged = edit(&damaged, 1, |lines| drop(lines.remove(2)));
    let missing = (1, 3, 6, Why::Seq { expected: 7, found: 8 });
    assert_eq!(found(&damaged), (4, vec![(0, 2, 0, Why::Damaged), missing]));
    let damaged = edit(&damaged, 1, |lines| lines[0] = "{".to_owned());
    let header = (1, 1, 5, Why::Header);
    assert_eq!(found(&damaged), (4, vec![(0, 2, 0, Why::Damaged), header, missing]));
    let headless = edit(&directory, 0, |lines| lines[0] = "{".to_owned());
    assert_eq!(found(&headless), (6, vec![(0, 1, 0, Why::Header)]), "chained is what the others are");
    let doubled = edit(&directory, 1, |lines| lines.insert(2, lines[1].clone()));
    assert_eq!(found(&doubled), (6, vec![(1, 3, 6, Why::Seq { expected: 7, found: 6 })]));
    std::fs::remove_file(&segments(doubled.path())[1]).unwrap();
    assert_eq!(found(&doubled), (3, vec![(1, 1, 5, Why::Seq { expected: 6, found: 9 })]));
}

#[test]
fn a_survey_finds_nothing_wrong_where_and_only_where_a_journal_is_whole() {
    let directory = written();
    for segment in 0..2 {
        let copy = snapshot(directory.path());
        let path = &segments(copy.path())[segment];
        let content = std::fs::read(path).unwrap();
        for at in (0..content.len()).step_by(5) {
            let mut flipped = content.clone();
            flipped[at] ^= 1;
            std::fs::write(path, &flipped).unwrap();
            let (verified, surveyed) = (verify(copy.path(), true).unwrap(), survey(copy.path()).unwrap());
            assert_eq!(surveyed.breaks.first(), verified.broken.as_ref(), "byte {at} of segment {segment}");
            assert!(surveyed.records >= 4 && surveyed.breaks.len() <= 2, "{surveyed:?}");
        }
    }
}

#[test]
fn a_survey_names_a_hundred_places_and_counts_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(options(directory.path()));
    append(&journal, (1..=250).map(fact).collect(), at(0));
    drop(journal);
    let path = &segments(directory.path())[0];
    let content = std::fs::read_to_string(path).unwrap();
    let damaged = content.lines().enumerate().map(|(number, line)| match number {
        1..=240 if number % 2 == 0 => "damage\n".to_owned(),
        _ => format!("{line}\n"),
    });
    std::fs::write(path, damaged.collect::<String>()).unwrap();
    let Survey { records, breaks, more } = survey(directory.path()).unwrap();
    assert_eq!((records, breaks.len(), more), (130, 100, 20));
}
