use std::fs::File;
use std::io::Write;

use pas_journal::{Appended, Journal, Recovered};

use crate::support::{all, append, assert_whole, at, fact, open, options, seqs, snapshot};
use tempfile::TempDir;

/// A journal of two groups, 1 and 2..=4, as a process leaves it that was killed; and where the second group begins.
fn killed(chained: bool) -> (TempDir, usize) {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(pas_journal::Options { chained, ..options(directory.path()) });
    append(&journal, vec![fact(1)], at(0));
    let before = std::fs::read(&crate::support::segments(directory.path())[0]).unwrap().len();
    append(&journal, vec![fact(2), fact(3), fact(4)], at(0));
    (snapshot(directory.path()), before)
}

fn reopened(directory: &TempDir, chained: bool) -> Journal {
    open(pas_journal::Options { chained, new_epoch: 9, ..options(directory.path()) })
}

#[test]
fn a_write_that_ended_anywhere_is_as_if_it_had_never_begun() {
    for chained in [false, true] {
        let (original, before) = killed(chained);
        let content = std::fs::read(&crate::support::segments(original.path())[0]).unwrap();
        for len in before..=content.len() {
            let directory = snapshot(original.path());
            let segment = &crate::support::segments(directory.path())[0];
            File::options().write(true).open(segment).unwrap().set_len(len as u64).unwrap();

            let journal = reopened(&directory, chained);
            let head = if len == content.len() { 4 } else { 1 };
            let torn_bytes = if head == 4 { 0 } else { (len - before) as u64 };
            assert_eq!(
                journal.recovered(),
                Recovered { head, segments: 1, records: head, torn_bytes, ..Recovered::default() },
                "{len} of {} bytes",
                content.len()
            );
            let next = Appended { epoch: 1, first_seq: head + 1, last_seq: head + 1 };
            assert_eq!(append(&journal, vec![fact(9)], at(0)), next);
            assert_eq!(seqs(&journal), (1..=head + 1).collect::<Vec<_>>());
            journal.close().unwrap();
            assert_whole(directory.path(), chained);
        }
    }
}

#[test]
fn garbage_behind_the_last_group_is_cut_off_and_kept_for_a_look() {
    let garbage: [(&[u8], bool); 6] = [
        (&[0; 5_000], false),
        (b"half a li", false),
        (b"{\"fact\":9,\"seq\":5,\"more\":true}\n{\"fa", false),
        // Whole lines that can't be read may have been acknowledged: a number must not be given twice in one epoch.
        (b"garbage\n", true),
        (b"{\"fact\":9,\"seq\":4}\n", true),
        (b"{\"fact\":9,\"seq\":9007199254740991}\n", true),
    ];
    for (garbage, new_epoch) in garbage {
        let (directory, _) = killed(false);
        let segment = &crate::support::segments(directory.path())[0];
        File::options().append(true).open(segment).unwrap().write_all(garbage).unwrap();
        let journal = reopened(&directory, false);
        let torn_bytes = garbage.len() as u64;
        assert_eq!(
            journal.recovered(),
            Recovered { head: 4, segments: 1, records: 4, torn_bytes, damaged_lines: 0, new_epoch },
            "{}",
            garbage.escape_ascii()
        );
        assert_eq!(std::fs::read(directory.path().join("torn")).unwrap(), garbage);
        let epoch = if new_epoch { 9 } else { 1 };
        let next = Appended { epoch, first_seq: 5, last_seq: 5 };
        assert_eq!(append(&journal, vec![fact(5)], at(0)), next);
        assert_eq!(seqs(&journal), [1, 2, 3, 4, 5]);
        journal.close().unwrap();
        assert_whole(directory.path(), false);
    }
}

#[test]
fn damage_with_good_records_behind_it_is_told_and_passed_by_and_never_cut() {
    let (directory, _) = killed(false);
    let segment = &crate::support::segments(directory.path())[0];
    let content = String::from_utf8(std::fs::read(segment).unwrap()).unwrap();
    let damaged = content.replace("{\"fact\":3,", "{\"fact\":\u{1},");
    std::fs::write(segment, &damaged).unwrap();
    let journal = reopened(&directory, false);
    let expected = Recovered { head: 4, segments: 1, records: 3, damaged_lines: 1, ..Recovered::default() };
    assert_eq!(journal.recovered(), expected);
    assert_eq!(seqs(&journal), [1, 2, 4]);
    assert_eq!(journal.stats().skipped_lines, 1);
    assert_eq!(std::fs::read(segment).unwrap(), damaged.as_bytes());
    let broken = pas_journal::verify(directory.path(), false).unwrap().broken.unwrap();
    assert_eq!((broken.line, broken.after, broken.why), (4, 2, pas_journal::Why::Damaged));
}

#[test]
fn a_line_that_was_taken_out_costs_only_itself() {
    let (directory, _) = killed(false);
    let segment = &crate::support::segments(directory.path())[0];
    let content = std::fs::read_to_string(segment).unwrap();
    std::fs::write(segment, content.replace("{\"fact\":3,\"seq\":3,\"more\":true}\n", "")).unwrap();
    let journal = reopened(&directory, false);
    assert_eq!((journal.recovered().torn_bytes, seqs(&journal)), (0, vec![1, 2, 4]));
}

#[test]
fn a_segment_that_was_only_begun_is_as_if_it_had_never_been() {
    for header in [&b""[..], b"{\"journal\":1,\"epoch\":1,\"fir", &[0; 100]] {
        let (directory, _) = killed(true);
        let begun = directory.path().join("00000000000000000005.jsonl");
        std::fs::write(&begun, header).unwrap();
        let journal = reopened(&directory, true);
        let torn_bytes = header.len() as u64;
        let expected = Recovered { head: 4, segments: 1, records: 4, torn_bytes, ..Recovered::default() };
        assert_eq!(journal.recovered(), expected);
        assert!(!begun.exists());
        append(&journal, vec![fact(5)], at(0));
        assert_eq!(seqs(&journal), [1, 2, 3, 4, 5]);
        journal.close().unwrap();
        assert_whole(directory.path(), true);
    }
}

#[test]
fn a_damaged_header_costs_no_record() {
    let (directory, _) = killed(false);
    let segment = &crate::support::segments(directory.path())[0];
    let mut content = std::fs::read(segment).unwrap();
    content[3] = b'?';
    std::fs::write(segment, content).unwrap();
    let journal = reopened(&directory, false);
    let expected = Recovered { head: 4, segments: 1, records: 4, damaged_lines: 1, ..Recovered::default() };
    assert_eq!(journal.recovered(), expected);
    append(&journal, vec![fact(5)], at(0));
    assert_eq!(all(&journal).len(), 5);
}
