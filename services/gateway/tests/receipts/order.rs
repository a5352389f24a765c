use std::collections::BTreeSet;
use std::sync::mpsc::{self, Sender};

use anyhow::Result;
use pas_gateway::receipts::{Opened, Receipts};
use pas_gateway::{Config, receipts};
use pas_service::clock;
use pas_types::event::CallStatus;
use tokio_util::task::TaskTracker;

use crate::support::{Gateway, config, lines, opened, receipt};

/// Calls one after the other; those that `long` is told of turn out to be long just when they are over.
async fn call(receipts: Receipts, calls: usize, long: Sender<Opened>) -> Result<()> {
    for number in 0..calls {
        let run_id = receipts.next_id(clock::now());
        receipts.begin(run_id.clone())?;
        if number % 2 == 0 {
            long.send(opened(&run_id))?;
        }
        let settled = receipts.settle(receipt(&run_id, CallStatus::Ok));
        if number % 16 == 0 {
            settled.await?;
        }
    }
    Ok(())
}

/// The calls that are recorded as begun behind their receipts.
fn out_of_order(data: &std::path::Path) -> Vec<String> {
    let id = |line: &str, start: &str| Some(line.strip_prefix(start)?.split('"').next()?.to_owned());
    let mut settled = BTreeSet::new();
    let mut wrong = Vec::new();
    for line in lines(data) {
        settled.extend(id(&line, "{\"run_id\":\""));
        wrong.extend(id(&line, "{\"open\":{\"run_id\":\"").filter(|run_id| settled.contains(run_id)));
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_call_is_never_recorded_as_begun_behind_its_receipt() -> Result<()> {
    let data = tempfile::tempdir()?;
    let receipts = receipts::Config { index: false, files: false, ..config().receipts };
    let gateway = Gateway::start(data.path(), Config { receipts, ..config() }).await?;
    let tasks = TaskTracker::new();
    let (long, heard) = mpsc::channel();
    let receipts = gateway.receipts.clone();
    let teller = std::thread::spawn(move || heard.iter().for_each(|opened| receipts.tell_of(opened)));
    let calls: Vec<_> =
        (0..16).map(|_| tasks.spawn(call(gateway.receipts.clone(), 800, long.clone()))).collect();
    drop(long);
    for call in calls {
        call.await??;
    }
    teller.join().unwrap();
    gateway.stop().await?;
    let begun = lines(data.path()).iter().filter(|line| line.starts_with("{\"open\"")).count();
    assert!((1..6_400).contains(&begun), "{begun} were recorded: the two have not met");
    assert_eq!(out_of_order(data.path()), Vec::<String>::new());
    Ok(())
}
