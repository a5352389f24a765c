//! The other process: this executable again, running the one test below, which does nothing unless it is told to.

use std::io::{BufRead, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use pas_journal::{Appended, Fsync, Journal, Options, Payload, Refused};

use crate::support::{append, at, fact, open, options, try_append};

const TASK: &str = "PAS_JOURNAL_TEST_TASK";
const DIRECTORY: &str = "PAS_JOURNAL_TEST_DIRECTORY";

/// Starts it; `sh` runs `before`, then becomes it.
pub(crate) fn start(task: &str, directory: &Path, before: &str) -> Child {
    let executable = std::env::current_exe().unwrap();
    Command::new("sh")
        .args(["-c", &format!("{before}\nexec \"$0\" --exact child::child --ignored --nocapture --quiet")])
        .arg(executable)
        .env(TASK, task)
        .env(DIRECTORY, directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "started by other tests, as another process"]
#[expect(clippy::disallowed_methods, reason = "how the test that starts it tells it what to do")]
fn child() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    match std::env::var(TASK).as_deref() {
        Ok("append") => append_what_is_asked_for(Path::new(&directory)),
        Ok("crowd") => append_until_killed(Path::new(&directory)),
        task => panic!("{task:?}"),
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // In one write, so that a kill never leaves half a line.
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// For each line of input, `N`, appends a group of N records, and says what became of it.
fn append_what_is_asked_for(directory: &Path) {
    let journal = open(options(directory));
    for line in std::io::stdin().lock().lines() {
        let count = line.unwrap().parse().unwrap();
        let head = journal.head();
        match try_append(&journal, (1..=count).map(|number| fact(head + number)).collect(), at(0)) {
            Ok(Appended { first_seq, last_seq, .. }) => say(&format!("ok {first_seq} {last_seq}")),
            Err(error) => say(&format!("refused {error}")),
        }
    }
}

/// The journal in which the crowd writes.
pub(crate) fn crowded(directory: &Path) -> Options {
    Options {
        chained: true,
        segment_bytes: 64 * 1024,
        // Short, so that there is always something to merge.
        segment_age: std::time::Duration::from_millis(500),
        queue_records: 50,
        fsync: Fsync::Interval,
        ..options(directory)
    }
}

/// Several threads append groups, one follows, one retains, until somebody ends it.
fn append_until_killed(directory: &Path) {
    let journal = open(crowded(directory));
    let run = append(&journal, vec![fact(0)], at(0)).first_seq;
    let time = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (journal, time) = (&journal, &time);
            scope.spawn(move || {
                for number in 0.. {
                    send(journal, time, run, thread, number);
                }
            });
        }
        scope.spawn(|| {
            let mut reader = journal.reader(journal.head());
            loop {
                journal.wait_for(reader.after() + 1, crate::support::PATIENCE);
                for record in reader.read(100, 100_000).unwrap() {
                    say(&format!("saw {} {}", record.seq, String::from_utf8(record.line).unwrap()));
                }
            }
        });
        scope.spawn(|| {
            loop {
                let retained = journal.retain(at(time.load(Ordering::Relaxed))).unwrap();
                if retained.merged_segments > 0 {
                    say("merged");
                }
            }
        });
    });
}

/// Says that it will, appends a group, and says so when it is acknowledged. The time moves a little with each.
fn send(journal: &Journal, time: &AtomicU64, run: u64, thread: u64, number: u64) {
    let kind = if number.is_multiple_of(3) { "beat" } else { "fact" };
    let (id, of) = (format!("{run}-{thread}-{number}"), number % 4 + 1);
    let payload = |part| format!("{{\"{kind}\":\"{id}\",\"part\":{part},\"of\":{of}}}");
    let now = at(time.fetch_add(50, Ordering::Relaxed));
    say(&format!("sent {id}"));
    loop {
        let payloads = (1..=of).map(|part| Payload::new(payload(part)).unwrap()).collect();
        let id = id.clone();
        let taken = journal.append(payloads, now, move |result| {
            say(&format!("acknowledged {} {id} {of} {kind}", result.unwrap().first_seq));
        });
        match taken {
            Ok(()) => return,
            Err(Refused::Full) => std::thread::yield_now(),
            Err(refused) => panic!("{refused}"),
        }
    }
}
