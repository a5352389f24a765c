use std::path::Path;
use std::time::Duration;

use pas_journal::{Journal, Options, Reader, Retained};
use tempfile::TempDir;

use crate::support::{
    BEAT_AGE, all, append, assert_whole, at, beat, fact, open, options, segments, seqs, snapshot,
};

const AGE_MS: u64 = BEAT_AGE.as_millis() as u64;
/// Late enough for every beat to go.
const LATE: u64 = AGE_MS + 10_001;

fn small(directory: &Path, chained: bool) -> Options {
    Options { chained, segment_age: Duration::from_millis(1_000), ..options(directory) }
}

/// Ten segments of a second, each a beat, a fact and a beat; and the one that grows, with number 31.
fn ten(chained: bool) -> (TempDir, Journal) {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(small(directory.path(), chained));
    for number in 0..10 {
        append(&journal, vec![beat(number), fact(number), beat(number)], at(number * 1_000));
    }
    append(&journal, vec![fact(10)], at(10_000));
    assert_eq!(segments(directory.path()).len(), 11);
    (directory, journal)
}

/// What is there when they have become one: the one that grew is closed by then, and another begun.
const NAMES: [&str; 3] = ["1", "31", "32"];

/// The numbers of the facts.
fn facts() -> Vec<u64> {
    (0..10).map(|number| 3 * number + 2).chain([31]).collect()
}

fn names(directory: &TempDir) -> Vec<String> {
    let names = segments(directory.path())
        .into_iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    names.map(|name| name.trim_start_matches('0').to_owned()).collect()
}

fn read(reader: &mut Reader, count: usize) -> Vec<u64> {
    reader.read(count, 1_000_000).unwrap().into_iter().map(|record| record.seq).collect()
}

#[test]
fn what_is_left_of_many_segments_becomes_one_and_is_as_it_was() {
    for chained in [false, true] {
        let (directory, journal) = ten(chained);
        let before: Vec<_> =
            all(&journal).into_iter().filter(|(_, line)| line.starts_with("{\"fact\"")).collect();
        let expected = pas_journal::verify(directory.path(), chained).unwrap();
        let retained = journal.retain(at(LATE)).unwrap();
        let counts = (retained.dropped_segments, retained.compacted_segments, retained.merged_segments);
        assert_eq!((counts, names(&directory)), ((0, 10, 9), NAMES.map(str::to_owned).to_vec()));
        assert_eq!(all(&journal), before);
        let report = pas_journal::verify(directory.path(), chained).unwrap();
        assert_eq!((report.records, report.gone, report.broken), (11, 20, None));
        assert_eq!(
            (report.anchor, report.last_hash),
            (expected.anchor, expected.last_hash),
            "the chain is the same"
        );
        let content = std::fs::read_to_string(&segments(directory.path())[0]).unwrap();
        let holes = content.lines().filter(|line| line.starts_with("{\"gone\"")).count();
        assert_eq!(holes, 11, "two beats that are neighbours now are one hole");
        assert_eq!(journal.retain(at(LATE)).unwrap(), Retained::default(), "done once is done");

        // It ages with the last of those that are in it, and goes on after a restart.
        journal.close().unwrap();
        let journal = open(small(directory.path(), chained));
        assert_eq!(journal.retain(at(LATE)).unwrap(), Retained::default());
        append(&journal, vec![fact(11)], at(LATE));
        assert_eq!(seqs(&journal), [facts(), vec![32]].concat());
        assert_whole(directory.path(), chained);
    }
}

#[test]
fn a_merged_segment_holds_little_and_stands_for_a_small_part_of_the_age_of_what_is_in_it() {
    // A fact takes 20 bytes, a header 100 or so: of ten segments no more than three have 500 bytes.
    let directory = tempfile::tempdir().unwrap();
    let journal =
        open(Options { segment_bytes: 2_000, classes: Vec::new(), ..small(directory.path(), false) });
    for number in 0..10 {
        append(&journal, vec![fact(number)], at(number * 1_000));
    }
    journal.retain(at(10_000)).unwrap();
    let largest = segments(directory.path()).iter().map(|path| path.metadata().unwrap().len()).max().unwrap();
    assert!(
        largest <= 500 && journal.stats().merged_segments >= 5,
        "{largest} bytes in {:?}",
        names(&directory)
    );
    assert_eq!(seqs(&journal), (1..=10).collect::<Vec<_>>());

    // Beats are kept for ten seconds, so a third of a second is the most that may go together while they are there.
    let directory = tempfile::tempdir().unwrap();
    let age = Duration::from_millis(100);
    let journal = open(Options { segment_age: age, ..small(directory.path(), false) });
    for number in 0..10 {
        append(&journal, vec![beat(number)], at(number * 100));
    }
    journal.retain(at(1_000)).unwrap();
    assert_eq!(names(&directory), ["1", "4", "7", "10", "11"]);
    // Each goes when its last is past its age.
    journal.retain(at(AGE_MS + 300)).unwrap();
    assert_eq!(seqs(&journal)[0], 1);
    journal.retain(at(AGE_MS + 301)).unwrap();
    assert_eq!(seqs(&journal)[0], 4);
}

#[test]
fn a_reader_anywhere_in_what_is_merged_reads_on_and_misses_nothing() {
    for chained in [false, true] {
        let (_directory, journal) = ten(chained);
        // In the middle of each segment, at the end of each, and at its beginning.
        let mut readers: Vec<_> = (0..=31).map(|after| journal.reader(after)).collect();
        let mut first = vec![0; readers.len()];
        for (reader, first) in readers.iter_mut().zip(&mut first).take(31) {
            *first = read(reader, 1)[0];
        }
        journal.retain(at(LATE)).unwrap();
        for (after, (reader, first)) in readers.iter_mut().zip(first).enumerate().take(31) {
            let wanted: Vec<_> = facts().into_iter().filter(|fact| *fact > first).collect();
            let left = read(reader, 100);
            let facts: Vec<_> = left.iter().copied().filter(|seq| facts().contains(seq)).collect();
            assert_eq!((facts, left.is_sorted()), (wanted, true), "after {after}");
        }
    }
}

#[test]
fn a_death_at_any_point_of_a_merge_leaves_the_old_or_the_new() {
    let (before, journal) = ten(true);
    journal.retain(at(10_500)).unwrap();
    journal.retain(at(11_000)).unwrap();
    let old = snapshot(before.path());
    journal.retain(at(LATE)).unwrap();
    let merged = std::fs::read(&segments(before.path())[0]).unwrap();
    drop(journal);
    let first = "00000000000000000001.jsonl";
    for len in [0, merged.len() / 2, merged.len()] {
        let died = snapshot(old.path());
        std::fs::write(died.path().join(format!("{first}.unfinished")), &merged[..len]).unwrap();
        let journal = open(small(died.path(), true));
        assert_eq!((seqs(&journal), segments(died.path()).len()), ((1..=31).collect(), 12));
    }
    // It has its name, and so many of the others are not removed yet.
    for left in 0..=9 {
        let died = snapshot(old.path());
        std::fs::write(died.path().join(first), &merged).unwrap();
        for path in &segments(died.path())[1..10 - left] {
            std::fs::remove_file(path).unwrap();
        }
        assert_whole(died.path(), true);
        let journal = open(small(died.path(), true));
        assert_eq!(seqs(&journal), facts(), "{left} are left");
        assert_eq!((names(&died), journal.recovered().torn_bytes), (NAMES.map(str::to_owned).to_vec(), 0));
        append(&journal, vec![fact(11)], at(LATE));
        journal.close().unwrap();
        assert_whole(died.path(), true);
    }
}

#[test]
fn damage_outlives_a_merge_and_what_is_missing_is_not_called_gone() {
    let (directory, journal) = ten(false);
    journal.close().unwrap();
    let files = segments(directory.path());
    let edit = |segment: usize, from: &str, to: &str| {
        let content = std::fs::read_to_string(&files[segment]).unwrap();
        assert!(content.contains(from), "{content}");
        std::fs::write(&files[segment], content.replace(from, to)).unwrap();
    };
    edit(1, "{\"fact\":1,", "{\"fact\":\u{1},");
    // Between two beats, which go.
    edit(3, "{\"fact\":3,\"seq\":11,\"more\":true}\n", "");
    let journal = open(small(directory.path(), false));
    assert_eq!(journal.retain(at(LATE)).unwrap().merged_segments, 9);
    assert_eq!(
        seqs(&journal),
        facts().into_iter().filter(|fact| ![5, 11].contains(fact)).collect::<Vec<_>>()
    );
    let content = std::fs::read_to_string(&files[0]).unwrap();
    for kept in ["{\"fact\":\u{1},", "{\"from\":9,\"to\":10}", "{\"from\":12,\"to\":13}"] {
        assert!(content.contains(kept), "{kept} is not in {content}");
    }
}
