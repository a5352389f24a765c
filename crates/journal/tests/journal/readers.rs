use std::time::Duration;

use pas_journal::{Journal, Options, ReadError};

use crate::support::{append, at, fact, open, options, segments};
use tempfile::TempDir;

/// 100 facts, ten to a segment.
fn hundred() -> (TempDir, Journal) {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(Options {
        segment_age: Duration::from_millis(10),
        max_bytes: 1_600,
        // So few that no two segments become one.
        segment_bytes: 1_000,
        ..options(directory.path())
    });
    for number in 1..=100 {
        append(&journal, vec![fact(number)], at(number - 1));
    }
    assert_eq!(segments(directory.path()).len(), 10);
    (directory, journal)
}

fn next(reader: &mut pas_journal::Reader, max_records: usize, max_bytes: usize) -> Vec<u64> {
    reader.read(max_records, max_bytes).unwrap().into_iter().map(|record| record.seq).collect()
}

#[test]
fn a_reader_finds_any_cursor_and_follows_from_there_to_the_tail() {
    let (_directory, journal) = hundred();
    for after in 0..=100 {
        let mut reader = journal.reader(after);
        assert_eq!(next(&mut reader, 1_000, 1_000_000), (after + 1..=100).collect::<Vec<_>>());
        assert_eq!(reader.after(), 100);
    }
    let mut reader = journal.reader(98);
    assert_eq!(next(&mut reader, 1, 1_000_000), [99]);
    append(&journal, vec![fact(101), fact(102)], at(99));
    assert_eq!(next(&mut reader, 1_000, 1_000_000), [100, 101, 102]);
    assert_eq!(next(&mut reader, 1_000, 1_000_000), [0; 0]);
    append(&journal, vec![fact(103)], at(99));
    assert_eq!(next(&mut reader, 1_000, 1_000_000), [103]);
    assert_eq!(
        next(&mut journal.reader(500), 1_000, 1_000_000),
        [0; 0],
        "a cursor that is not reached yet waits"
    );
}

#[test]
fn a_read_has_as_much_as_is_asked_for_and_never_less_than_one_record() {
    let (_directory, journal) = hundred();
    let mut reader = journal.reader(0);
    assert_eq!(next(&mut reader, 3, 1_000_000), [1, 2, 3]);
    // A line has 20 bytes, `{"fact":4,"seq":4}`; the limit is crossed by the second.
    assert_eq!(next(&mut reader, 100, 20), [4, 5]);
    assert_eq!(next(&mut reader, 100, 0), [6]);
    assert_eq!(next(&mut reader, 0, 100), [0; 0]);
}

#[test]
fn a_reader_behind_retention_is_told_where_to_go_on() {
    let (directory, journal) = hundred();
    let mut inside = journal.reader(0);
    assert_eq!(next(&mut inside, 5, 1_000_000), [1, 2, 3, 4, 5]);
    assert!(journal.bytes() > 1_600);
    let retained = journal.retain(at(100)).unwrap();
    assert!(retained.dropped_segments > 1 && journal.bytes() <= 1_600, "{retained:?}");
    let left = 10 - retained.dropped_segments;
    let oldest = retained.dropped_segments * 10 + 1;
    // The last is closed by its age too, and a new one begun.
    assert_eq!((segments(directory.path()).len() as u64, journal.oldest()), (left + 1, oldest));

    // What it reads already is still there for it; then it is told.
    assert_eq!(next(&mut inside, 5, 1_000_000), [6, 7, 8, 9, 10]);
    for mut reader in [inside, journal.reader(0), journal.reader(oldest - 2)] {
        let gone = reader.read(100, 1_000_000);
        assert!(matches!(gone, Err(ReadError::Gone { oldest: told }) if told == oldest), "{gone:?}");
    }
    assert_eq!(next(&mut journal.reader(oldest - 1), 1_000, 1_000_000), (oldest..=100).collect::<Vec<_>>());
}

#[test]
fn a_thousand_readers_of_one_segment_share_one_file() {
    let (_directory, journal) = hundred();
    let open_files = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open_files();
    let mut readers: Vec<_> = (0..1_000).map(|_| journal.reader(0)).collect();
    for reader in &mut readers {
        assert_eq!(next(reader, 3, 1_000_000), [1, 2, 3]);
    }
    // Other tests of this process open files too, where all run in one.
    assert!(open_files() < before + 500);
}

#[test]
fn one_who_waits_is_woken_by_the_head() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(options(directory.path()));
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| journal.wait_for(2, crate::support::PATIENCE));
        append(&journal, vec![fact(1)], at(0));
        append(&journal, vec![fact(2)], at(0));
        assert!(waits.join().unwrap());
    });
    assert!(!journal.wait_for(3, Duration::ZERO));
}
