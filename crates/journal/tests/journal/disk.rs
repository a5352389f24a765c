use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::child::start;
use crate::support::{all, append, assert_whole, at, fact, open, options, segments, seqs, try_append};

/// No file of it can grow past 64 KiB: the kernel refuses the write, as it does when the disk is full, and the limit can
/// be lifted while it runs.
const SMALL_DISK: &str = "trap '' XFSZ; ulimit -S -f 128";

struct Other {
    child: Child,
    input: ChildStdin,
    output: std::io::Lines<BufReader<ChildStdout>>,
}

impl Other {
    fn append(&mut self, records: u64) -> String {
        writeln!(self.input, "{records}").unwrap();
        loop {
            let line = self.output.next().expect("it lives").unwrap();
            if line.starts_with("ok") || line.starts_with("refused") {
                return line;
            }
        }
    }

    fn make_room(&self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        prlimit(pid, Resource::Fsize, Rlimit { current: None, maximum: None }).unwrap();
    }
}

#[test]
fn a_full_disk_refuses_keeps_what_was_acknowledged_and_needs_no_repair() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = start("append", directory.path(), SMALL_DISK);
    let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut other = Other { child, input, output: BufReader::new(output).lines() };

    // 100 records of about 27 bytes: the last group that is tried fits in part.
    let mut groups = 0;
    let refused = loop {
        let answer = other.append(100);
        if answer.starts_with("refused") {
            break answer;
        }
        groups += 1;
        assert_eq!(answer, format!("ok {} {}", groups * 100 - 99, groups * 100));
        assert!(groups < 1_000, "the disk never filled");
    };
    assert_eq!(refused, "refused the journal can't write now");
    assert_eq!(other.append(100), refused);
    let report = pas_journal::verify(directory.path(), false).unwrap();
    assert_eq!((report.last_seq, report.unfinished_bytes, report.broken), (groups * 100, 0, None));
    let one = other.append(1);
    assert_eq!(one, format!("ok {0} {0}", groups * 100 + 1), "there is room for one, and the numbers go on");

    other.make_room();
    assert_eq!(other.append(100), format!("ok {} {}", groups * 100 + 2, groups * 100 + 101));
    other.child.kill().unwrap();
    other.child.wait().unwrap();
    let expected: Vec<_> =
        (1..=groups * 100 + 101).map(|seq| (seq, format!("{{\"fact\":{seq},\"seq\":{seq}"))).collect();
    let journal = open(options(directory.path()));
    let found: Vec<_> = all(&journal)
        .into_iter()
        .map(|(seq, line)| (seq, line.trim_end_matches('}').trim_end_matches(",\"more\":true").to_owned()))
        .collect();
    assert_eq!(found, expected);
    assert_eq!((journal.recovered().torn_bytes, journal.epoch()), (0, 1));
}

#[test]
fn a_segment_that_can_not_be_begun_refuses_until_it_can_and_the_old_one_stays_closed() {
    let directory = tempfile::tempdir().unwrap();
    let age = std::time::Duration::from_millis(10);
    let journal = open(pas_journal::Options { segment_age: age, ..options(directory.path()) });
    append(&journal, vec![fact(1)], at(0));
    let in_the_way = directory.path().join("00000000000000000002.jsonl");
    std::fs::create_dir(&in_the_way).unwrap();
    try_append(&journal, vec![fact(2)], at(10)).unwrap_err();
    // Also when the time of day jumps back: what was begun of the next segment may lie there, under this number.
    try_append(&journal, vec![fact(2)], at(0)).unwrap_err();
    assert_eq!((journal.head(), journal.stats().write_errors), (1, 2));

    std::fs::remove_dir(&in_the_way).unwrap();
    append(&journal, vec![fact(2)], at(0));
    assert_eq!((seqs(&journal), segments(directory.path()).len()), (vec![1, 2], 2));
    assert_whole(directory.path(), false);
}
