use std::time::Duration;

use pas_journal::{Journal, Options, Retained};
use tempfile::TempDir;

use crate::support::{
    BEAT_AGE, all, append, assert_whole, at, beat, fact, open, options, segments, seqs, snapshot,
};

const AGE_MS: u64 = BEAT_AGE.as_millis() as u64;

/// So few bytes that no two segments become one.
fn chained(directory: &std::path::Path) -> Options {
    let segment_age = Duration::from_millis(10);
    Options { chained: true, segment_age, segment_bytes: 4_000, ..options(directory) }
}

/// Three segments: 1..=6 with facts 2, 3 and 6, then 7..=8 with beats alone, then 9 with a fact.
fn mixed() -> (TempDir, Journal) {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(chained(directory.path()));
    append(&journal, vec![beat(1)], at(0));
    append(&journal, vec![fact(2), fact(3), beat(4)], at(0));
    append(&journal, vec![beat(5)], at(0));
    append(&journal, vec![fact(6)], at(0));
    append(&journal, vec![beat(7), beat(8)], at(10));
    append(&journal, vec![fact(9)], at(20));
    assert_eq!(segments(directory.path()).len(), 3);
    (directory, journal)
}

fn tree(directory: &TempDir) -> Vec<(String, Vec<u8>)> {
    let files = segments(directory.path());
    files.into_iter().map(|path| (path.display().to_string(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn what_is_past_its_age_is_taken_out_and_the_chain_stays_provable() {
    let (directory, journal) = mixed();
    assert_eq!(journal.retain(at(AGE_MS + 10)).unwrap(), Retained::default(), "nothing is past its age yet");

    let before: Vec<_> =
        all(&journal).into_iter().filter(|(_, line)| line.starts_with("{\"fact\"")).collect();
    let retained = journal.retain(at(AGE_MS + 11)).unwrap();
    assert_eq!(
        (retained.dropped_segments, retained.compacted_segments),
        (0, 1),
        "only the first is old enough"
    );
    assert_eq!(seqs(&journal), [2, 3, 6, 7, 8, 9]);
    let retained = journal.retain(at(AGE_MS + 1_000)).unwrap();
    assert_eq!((retained.dropped_segments, retained.compacted_segments), (0, 1));
    assert_eq!(all(&journal), before, "what stays, stays as it was written");
    let content = std::fs::read_to_string(&segments(directory.path())[0]).unwrap();
    let marks: Vec<_> = content.lines().filter_map(|line| line.split_once(",\"prev\"")).collect();
    let marks: Vec<_> = marks.into_iter().map(|(start, _)| start).filter(|it| it.contains("gone")).collect();
    assert_eq!(marks, ["{\"gone\":{\"from\":1,\"to\":1}", "{\"gone\":{\"from\":4,\"to\":5}"]);

    let report = pas_journal::verify(directory.path(), true).unwrap();
    assert_eq!((report.records, report.gone, report.last_seq, report.broken), (4, 5, 9, None));
    assert_eq!(journal.retain(at(AGE_MS + 1_000)).unwrap(), Retained::default(), "done once is done");
    journal.close().unwrap();

    let journal = open(chained(directory.path()));
    assert_eq!(journal.retain(at(AGE_MS + 1_000)).unwrap(), Retained::default(), "also after a restart");
    append(&journal, vec![fact(10)], at(AGE_MS + 1_000));
    assert_eq!(seqs(&journal), [2, 3, 6, 9, 10]);
    assert_whole(directory.path(), true);
}

#[test]
fn whole_segments_of_what_is_past_its_age_go_from_the_front_and_the_next_one_is_the_anchor() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(chained(directory.path()));
    for number in 1..=3 {
        append(&journal, vec![beat(number)], at(number * 10));
    }
    append(&journal, vec![fact(4)], at(40));
    append(&journal, vec![beat(5)], at(50));
    let expected = pas_journal::verify(directory.path(), true).unwrap();
    let retained = journal.retain(at(AGE_MS + 10_000)).unwrap();
    assert_eq!((retained.dropped_segments, journal.oldest(), seqs(&journal)), (3, 4, vec![4, 5]));
    let report = pas_journal::verify(directory.path(), true).unwrap();
    assert_eq!((report.records, report.gone, report.broken), (2, 0, None));
    assert_eq!((report.first_seq, report.last_hash), (4, expected.last_hash));
    assert!(report.anchor.is_some() && report.anchor != expected.anchor);
}

#[test]
fn a_reader_inside_a_segment_that_is_compacted_reads_on() {
    let (_directory, journal) = mixed();
    let mut reader = journal.reader(0);
    let mut read = |count| -> Vec<u64> {
        reader.read(count, 1_000_000).unwrap().into_iter().map(|record| record.seq).collect()
    };
    assert_eq!(read(3), [1, 2, 3]);
    journal.retain(at(AGE_MS + 1_000)).unwrap();
    assert_eq!(read(100), [4, 5, 6, 9]);
}

#[test]
fn a_death_at_any_point_of_a_compaction_leaves_the_old_or_the_new() {
    let (before, journal) = mixed();
    let old = snapshot(before.path());
    journal.retain(at(AGE_MS + 1_000)).unwrap();
    let compacted = std::fs::read(&segments(before.path())[0]).unwrap();
    drop(journal);
    // Each is an open and a close, with what they force to the disk: not every byte.
    for len in (0..compacted.len()).step_by(23).chain([compacted.len()]) {
        let died = snapshot(old.path());
        let unfinished = died.path().join("00000000000000000001.jsonl.unfinished");
        std::fs::write(&unfinished, &compacted[..len]).unwrap();
        let journal = open(chained(died.path()));
        assert_eq!(seqs(&journal), (1..=9).collect::<Vec<_>>());
        assert!(!unfinished.exists());
        let names: Vec<_> = tree(&died).into_iter().map(|(_, content)| content).collect();
        let expected: Vec<_> = tree(&old).into_iter().map(|(_, content)| content).collect();
        assert_eq!(names, expected);
    }
    let died = snapshot(old.path());
    std::fs::write(&segments(died.path())[0], &compacted).unwrap();
    let journal = open(chained(died.path()));
    assert_eq!(seqs(&journal), [2, 3, 6, 7, 8, 9]);
    assert_whole(died.path(), true);
    journal.retain(at(AGE_MS + 1_000)).unwrap();
    assert_eq!(seqs(&journal), [2, 3, 6, 9]);
    assert_whole(died.path(), true);
}

#[test]
fn a_death_between_two_drops_leaves_a_shorter_journal() {
    let (directory, journal) = mixed();
    drop(journal);
    std::fs::remove_file(&segments(directory.path())[0]).unwrap();
    let journal = open(chained(directory.path()));
    assert_eq!((journal.oldest(), seqs(&journal)), (7, vec![7, 8, 9]));
    assert_whole(directory.path(), true);
}

#[test]
fn damage_outlives_a_compaction() {
    let (directory, journal) = mixed();
    journal.close().unwrap();
    let segment = &segments(directory.path())[0];
    let content = std::fs::read_to_string(segment).unwrap().replace("{\"fact\":2,", "{\"fact\":\u{1},");
    std::fs::write(segment, content).unwrap();
    let journal = open(chained(directory.path()));
    journal.retain(at(AGE_MS + 1_000)).unwrap();
    assert_eq!(seqs(&journal), [3, 6, 9]);
    assert!(std::fs::read_to_string(segment).unwrap().contains("{\"fact\":\u{1},"));
}
