use pas_journal::{Fsync, Journal, OpenError, Options, Recovered};
use tempfile::TempDir;

use crate::support::{all, append, assert_whole, at, fact, open, options, segments, snapshot};

/// A journal of three records; killed, or closed in order.
fn left(fsync: Fsync, closed: bool) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(Options { fsync, ..options(directory.path()) });
    append(&journal, vec![fact(1), fact(2), fact(3)], at(0));
    if closed {
        journal.close().unwrap();
    }
    snapshot(directory.path())
}

/// As if the machine had been started again since.
fn boot_again(directory: &TempDir) {
    let mark = directory.path().join("mark.json");
    let mut content: serde_json::Value = serde_json::from_slice(&std::fs::read(&mark).unwrap()).unwrap();
    content["boot_id"] = "another".into();
    std::fs::write(mark, content.to_string()).unwrap();
}

fn epoch_of(directory: &TempDir) -> (u64, bool) {
    let journal = open(Options { new_epoch: 7, ..options(directory.path()) });
    let epoch = append(&journal, vec![fact(4)], at(0)).epoch;
    assert_eq!((journal.epoch(), all(&journal).len()), (epoch, 4), "what is there stays");
    let new_epoch = journal.recovered().new_epoch;
    journal.close().unwrap();
    assert_whole(directory.path(), false);
    (epoch, new_epoch)
}

#[test]
fn an_epoch_ends_only_when_something_acknowledged_may_be_lost() {
    for fsync in [Fsync::Always, Fsync::Interval, Fsync::Os] {
        let killed = left(fsync, false);
        assert_eq!(epoch_of(&killed), (1, false), "the kernel lived on");

        let killed = left(fsync, false);
        boot_again(&killed);
        let expected = if fsync == Fsync::Always { (1, false) } else { (7, true) };
        assert_eq!(epoch_of(&killed), expected, "the machine went down: {fsync:?}");

        let closed = left(fsync, true);
        boot_again(&closed);
        assert_eq!(epoch_of(&closed), (1, false), "closed in order");
    }
}

#[test]
fn a_closed_journal_that_has_lost_its_end_begins_a_new_epoch() {
    let closed = left(Fsync::Os, true);
    let segment = &segments(closed.path())[0];
    let content = std::fs::read_to_string(segment).unwrap();
    let header = content.lines().next().unwrap().len() + 1;
    std::fs::write(segment, &content[..header]).unwrap();
    let journal = open(Options { new_epoch: 1, ..options(closed.path()) });
    let expected = Recovered { segments: 1, new_epoch: true, ..Recovered::default() };
    assert_eq!(journal.recovered(), expected);
    assert_eq!(journal.epoch(), 2, "an epoch is greater than those before, whatever the caller says");
}

#[test]
fn without_its_mark_a_journal_trusts_nothing() {
    let closed = left(Fsync::Os, true);
    std::fs::write(closed.path().join("mark.json"), "{").unwrap();
    assert_eq!(epoch_of(&closed), (7, true));
}

#[test]
fn a_journal_is_open_once() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(options(directory.path()));
    let error = Journal::open(options(directory.path())).err().unwrap();
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("is open already"), "{error}");
    journal.close().unwrap();
    open(options(directory.path()));
}

#[test]
fn what_another_kind_of_journal_or_a_newer_program_wrote_is_refused_and_left_alone() {
    let closed = left(Fsync::Os, true);
    let segment = &segments(closed.path())[0];
    let content = std::fs::read_to_string(segment).unwrap();
    let error = Journal::open(Options { chained: true, ..options(closed.path()) }).err().unwrap();
    assert!(matches!(error, OpenError::Chain { chained: false, .. }), "{error}");
    assert!(error.to_string().ends_with("is not chained, and the journal was opened as one that is chained"));

    let newer = content.replacen("\"journal\":1", "\"journal\":2", 1);
    std::fs::write(segment, &newer).unwrap();
    let error = Journal::open(options(closed.path())).err().unwrap();
    assert!(matches!(error, OpenError::Newer { version: 2, .. }), "{error}");
    assert_eq!(std::fs::read_to_string(segment).unwrap(), newer);
}

#[test]
fn data_is_forced_to_the_disk_as_the_policy_says() {
    for (fsync, expected) in [(Fsync::Always, 1 + 5), (Fsync::Os, 0)] {
        let directory = tempfile::tempdir().unwrap();
        let journal = open(Options { fsync, ..options(directory.path()) });
        for number in 0..5 {
            append(&journal, vec![fact(number)], at(0));
        }
        assert_eq!(journal.stats().fsyncs, expected, "{fsync:?}");
    }
    let directory = tempfile::tempdir().unwrap();
    let journal = open(Options { fsync: Fsync::Interval, ..options(directory.path()) });
    for number in 0..50 {
        append(&journal, vec![fact(number)], at(0));
    }
    let begun = journal.stats().fsyncs;
    assert!((1..=2).contains(&begun), "once for the segment, and not for each append: {begun}");
    // No clock but a wait that is never fulfilled, in steps: until the second has passed.
    let synced = (0..300).any(|_| {
        journal.wait_for(u64::MAX, std::time::Duration::from_millis(100));
        journal.stats().fsyncs > begun
    });
    assert!(synced, "the interval passed, and nothing was forced to the disk");
}
