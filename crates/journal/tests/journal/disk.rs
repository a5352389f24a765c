use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::child::start;
use crate::support::{all, assert_whole, open, options};

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
    assert_whole(directory.path(), false);
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
