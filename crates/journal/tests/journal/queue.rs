use std::sync::mpsc;

use pas_journal::{Journal, Options, Payload, Refused};

use crate::support::{PATIENCE, append, at, fact, open, options, seqs};

/// A journal whose writer is held up in the callback of record 1 until the sender is dropped.
fn held(options: Options) -> (Journal, mpsc::Sender<()>) {
    let journal = open(options);
    let (release, released) = mpsc::channel();
    let (entered, enters) = mpsc::channel();
    let hold = move |_| {
        entered.send(()).unwrap();
        let _ended = released.recv();
    };
    journal.append(vec![fact(1)], at(0), hold).unwrap();
    enters.recv_timeout(PATIENCE).unwrap();
    (journal, release)
}

#[test]
fn a_full_queue_refuses_at_once_and_takes_again_when_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, release) = held(Options { queue_records: 3, ..options(directory.path()) });
    let push = |records: u64| journal.append((0..records).map(fact).collect(), at(0), |_| {});
    assert_eq!(
        [push(2), push(2), push(1), push(1)],
        [Ok(()), Err(Refused::Full), Ok(()), Err(Refused::Full)]
    );
    assert_eq!((journal.stats().queued_records, push(0)), (3, Err(Refused::Empty)));
    drop(release);
    assert!(journal.wait_for(4, PATIENCE));
    append(&journal, vec![fact(5)], at(0));
    assert_eq!(seqs(&journal), [1, 2, 3, 4, 5]);
}

#[test]
fn bytes_that_wait_are_bounded_too() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, release) = held(Options { queue_bytes: 100, ..options(directory.path()) });
    let push = |bytes: usize| {
        let payload = Payload::new(format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8))).unwrap();
        journal.append(vec![payload], at(0), |_| {})
    };
    assert_eq!(
        [push(101), push(60), push(41), push(40)],
        [Err(Refused::TooLarge { bytes: 101, records: 1 }), Ok(()), Err(Refused::Full), Ok(())]
    );
    drop(release);
    assert!(journal.wait_for(3, PATIENCE));
    assert_eq!((journal.stats().queued_records, journal.stats().queued_bytes), (0, 0));
}

#[test]
fn a_close_writes_what_waits_and_refuses_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, release) = held(options(directory.path()));
    for number in 2..=5 {
        journal.append(vec![fact(number)], at(0), |_| {}).unwrap();
    }
    drop(release);
    journal.close().unwrap();
    assert_eq!(journal.append(vec![fact(6)], at(0), |_| {}), Err(Refused::Closed));
    assert_eq!(seqs(&journal), [1, 2, 3, 4, 5], "a closed journal can still be read");
    journal.close().unwrap();
}

#[test]
fn whoever_asked_is_told_when_it_can_be_read_and_not_before() {
    let directory = tempfile::tempdir().unwrap();
    let (heads, told) = mpsc::channel();
    let journal = open(Options {
        on_head: Box::new(move |head| heads.send(head).unwrap()),
        ..options(directory.path())
    });
    let mut reader = journal.reader(0);
    let (tell, read) = mpsc::channel();
    journal
        .append(vec![fact(1), fact(2)], at(0), move |result| {
            let appended = result.unwrap();
            tell.send((appended.last_seq, reader.read(10, 1_000).unwrap().len())).unwrap();
        })
        .unwrap();
    assert_eq!(read.recv_timeout(PATIENCE).unwrap(), (2, 2));
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), 2);
}

#[test]
fn a_callback_that_panics_closes_the_journal_and_lets_nobody_wait() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, release) = held(options(directory.path()));
    journal.append(vec![fact(2)], at(0), |_| panic!("on purpose")).unwrap();
    drop(release);
    journal.retain(at(0)).unwrap();
    let closed = (0..1_000).any(|_| {
        journal.wait_for(u64::MAX, std::time::Duration::from_millis(10));
        journal.append(vec![fact(3)], at(0), |_| {}) == Err(Refused::Closed)
    });
    assert!(closed);
    assert!(journal.close().is_err());
}

#[test]
fn retention_after_the_close_waits_for_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(options(directory.path()));
    append(&journal, vec![fact(1)], at(0));
    journal.close().unwrap();
    journal.retain(at(1)).unwrap();
}
