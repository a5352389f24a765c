//! The other process: this executable again, running the one test below, which does nothing unless it is told to.

use std::io::{BufRead, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use pas_gateway::receipts::Receipts;
use pas_gateway::{Config, receipts};
use pas_service::clock;
use pas_testkit::NOBODY;
use pas_types::event::CallStatus;
use tokio_util::task::TaskTracker;

use crate::support::{begin, config, receipt, wire};

const TASK: &str = "PAS_GATEWAY_TEST_TASK";
const DATA: &str = "PAS_GATEWAY_TEST_DATA";
const EVENTS: &str = "PAS_GATEWAY_TEST_EVENTS";

/// Starts it; `sh` runs `before`, then becomes it.
pub(crate) fn start(task: &str, data: &Path, events_url: &str, before: &str) -> Child {
    let executable = std::env::current_exe().unwrap();
    Command::new("sh")
        .args(["-c", &format!("{before}\nexec \"$0\" --exact child::child --ignored --nocapture --quiet")])
        .arg(executable)
        .env(TASK, task)
        .env(DATA, data)
        .env(EVENTS, events_url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by other tests, as another process"]
#[expect(clippy::disallowed_methods, reason = "how the test that starts it tells it what to do")]
async fn child() {
    let Ok(data) = std::env::var(DATA) else { return };
    let events_url = std::env::var(EVENTS).unwrap_or_else(|_| NOBODY.to_owned());
    let task = std::env::var(TASK).unwrap();
    say("opening");
    let (receipts, _running) = wire(Path::new(&data), crowded(), &events_url).unwrap();
    say("open");
    match task.as_str() {
        "crowd" => settle_until_killed(&receipts).await,
        "ask" => do_what_is_asked_for(&receipts).await,
        task => panic!("{task:?}"),
    }
}

/// The settings of the other process, and of whoever comes after it.
pub(crate) fn crowded() -> Config {
    let config = config();
    Config { receipts: receipts::Config { segment_mb: 1, ..config.receipts }, ..config }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // In one write, so that a kill never leaves half a line.
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Several tasks call, each in its own way, until somebody ends it.
async fn settle_until_killed(receipts: &Receipts) {
    let tasks = TaskTracker::new();
    for number in 0..8 {
        tasks.spawn(call_for_ever(receipts.clone(), number));
    }
    tasks.close();
    tasks.wait().await;
}

/// Calls; says what it is about to do, and what is known to be done.
async fn call_for_ever(receipts: Receipts, number: usize) {
    for round in 0.. {
        let run_id = receipts.next_id(clock::now());
        let status = CallStatus::ALL[round % 4];
        say(&format!("begins {run_id}"));
        begin(&receipts, &run_id).unwrap();
        if (round + number).is_multiple_of(7) {
            // This one is never over.
            continue;
        }
        let settled = receipts.settle(receipt(&run_id, status));
        if (round + number).is_multiple_of(5) {
            // Nobody waits for this one: its client has left.
            drop(settled);
            continue;
        }
        settled.await.unwrap();
        say(&format!("settled {run_id} {status}"));
    }
}

/// For each line of input does as it says: `begin`, `settle` (of the calls that are open the oldest), `state`.
async fn do_what_is_asked_for(receipts: &Receipts) {
    let mut open = std::collections::VecDeque::new();
    let (lines, mut asked) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            if lines.send(line.unwrap()).is_err() {
                break;
            }
        }
    });
    while let Some(line) = asked.recv().await {
        match line.as_str() {
            "begin" => {
                let run_id = receipts.next_id(clock::now());
                match begin(receipts, &run_id) {
                    Ok(()) => {
                        say(&format!("begun {run_id}"));
                        open.push_back(run_id);
                    }
                    Err(why) => say(&format!("refused {why}")),
                }
            }
            "settle" => {
                let run_id = open.pop_front().unwrap();
                match receipts.settle(receipt(&run_id, CallStatus::Ok)).await {
                    Ok(_) => say(&format!("settled {run_id}")),
                    Err(why) => say(&format!("unsettled {run_id} {why}")),
                }
            }
            "state" => say(if receipts.is_writable() { "writable" } else { "unwritable" }),
            other => panic!("{other:?}"),
        }
    }
}
