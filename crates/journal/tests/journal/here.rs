//! Writing in the thread of whoever appends.

use std::sync::mpsc;
use std::time::Duration;

use pas_journal::{Fsync, Journal, Options, Refused};

use crate::support::{PATIENCE, append, assert_whole, at, fact, open, options, segments, seqs};

/// Hands in a record, and answers what tells its number and the thread that told it.
fn hand_in(journal: &Journal, number: u64, ms: u64) -> mpsc::Receiver<(u64, std::thread::ThreadId)> {
    let (tell, told) = mpsc::channel();
    let done = move |result: Result<pas_journal::Appended, _>| {
        // Who asked may not want to know.
        let _ = tell.send((result.unwrap().last_seq, std::thread::current().id()));
    };
    journal.append_soon(vec![fact(number)], at(ms), done).unwrap();
    told
}

/// The journal's own thread may still be awake when something is handed in, and be faster.
const TRIES: u64 = 1_000;

#[test]
fn what_is_handed_in_is_written_by_whoever_comes_or_by_the_journals_thread_when_it_is_woken() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(options(directory.path()));
    append(&journal, vec![fact(1)], at(0));
    let here = std::thread::current().id();
    let written_here = (1..TRIES).any(|round| {
        let told = [2 * round, 2 * round + 1].map(|number| (number, hand_in(&journal, number, 0)));
        journal.write_here(at(0));
        let told = told.map(|(number, told)| {
            let (seq, thread) = told.recv_timeout(PATIENCE).unwrap();
            assert_eq!(seq, number);
            thread
        });
        told == [here, here]
    });
    assert!(written_here);
    let head = journal.head();
    assert_eq!(seqs(&journal), (1..=head).collect::<Vec<_>>());
    // Nothing waits: nothing is written.
    journal.write_here(at(0));
    assert_eq!(journal.head(), head);

    let told = hand_in(&journal, head + 1, 0);
    journal.wake();
    assert_ne!(told.recv_timeout(PATIENCE).unwrap().1, here);
}

#[test]
fn what_takes_more_than_one_write_is_left_to_the_journals_own_thread() {
    let here = std::thread::current().id();
    let written_elsewhere = |options: Options, ms: u64| {
        let journal = open(options);
        append(&journal, vec![fact(1)], at(0));
        let told = hand_in(&journal, 2, ms);
        journal.write_here(at(ms));
        told.recv_timeout(PATIENCE).unwrap().1 != here
    };
    let directory = || tempfile::tempdir().unwrap();
    let (always, full, old) = (directory(), directory(), directory());
    let of = |directory: &tempfile::TempDir| options(directory.path());
    assert!(written_elsewhere(Options { fsync: Fsync::Always, ..of(&always) }, 0));
    assert!(written_elsewhere(Options { segment_bytes: 1, ..of(&full) }, 0));
    assert!(written_elsewhere(of(&old), 3_600_001));
    assert_eq!([&always, &full, &old].map(|it| segments(it.path()).len()), [1, 2, 2]);

    // The first record of all makes a segment.
    let new = directory();
    let journal = open(of(&new));
    let told = hand_in(&journal, 1, 0);
    journal.write_here(at(0));
    assert!(told.recv_timeout(PATIENCE).unwrap().1 != here);
}

#[test]
fn many_threads_that_write_for_each_other_write_each_record_once_and_in_one_order() {
    const THREADS: u64 = 4;
    const EACH: u64 = 500;
    let directory = tempfile::tempdir().unwrap();
    let journal = open(Options { chained: true, segment_bytes: 20_000, ..options(directory.path()) });
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let journal = &journal;
            scope.spawn(move || {
                let mut last = 0;
                for number in 0..EACH {
                    let told = hand_in(journal, thread * EACH + number, 0);
                    journal.write_here(at(0));
                    let (seq, _) = told.recv_timeout(PATIENCE).unwrap();
                    assert!(seq > last);
                    last = seq;
                }
            });
        }
    });
    assert_eq!(seqs(&journal), (1..=THREADS * EACH).collect::<Vec<_>>());
    journal.close().unwrap();
    assert_whole(directory.path(), true);
}

#[test]
fn a_callback_that_panics_closes_the_journal_also_in_the_thread_of_another() {
    let panicked_here = (0..TRIES).any(|_| {
        let directory = tempfile::tempdir().unwrap();
        let journal = open(options(directory.path()));
        append(&journal, vec![fact(1)], at(0));
        journal.append_soon(vec![fact(2)], at(0), |_| panic!("on purpose")).unwrap();
        let handed = journal.append_soon(vec![fact(3)], at(0), |_| {});
        let here = std::thread::scope(|scope| scope.spawn(|| journal.write_here(at(0))).join().is_err());
        journal.wake();
        let closed = (0..1_000).any(|_| {
            let closed = journal.append(vec![fact(4)], at(0), |_| {}) == Err(Refused::Closed);
            closed || journal.wait_for(u64::MAX, Duration::from_millis(10))
        });
        assert!(closed, "{handed:?}");
        journal.write_here(at(0));
        assert!(journal.close().is_err());
        here
    });
    assert!(panicked_here);
}
