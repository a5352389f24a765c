use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use anyhow::Result;
use pas_testkit::NOBODY;

use crate::child::{crowded, start};
use crate::support::{Gateway, assert_whole, caught_up, files, lines, receipts_in_journal};

const ROUNDS: usize = 20;

/// What a process said before it was killed.
#[derive(Default)]
struct Said {
    begun: BTreeSet<String>,
    /// By call: the status of the receipt that it was told is safe.
    settled: BTreeMap<String, String>,
}

/// Runs the crowd and kills it once it has said that so many calls are settled.
fn round(data: &Path, settled: usize) -> Said {
    let mut child = start("crowd", data, NOBODY, "");
    let mut said = Said::default();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["begins", run_id] => {
                said.begun.insert(run_id.to_owned());
            }
            ["settled", run_id, status] => {
                said.settled.insert(run_id.to_owned(), status.to_owned());
            }
            _ => {}
        }
        if said.settled.len() == settled {
            // Then what it said before it died is still to be read.
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    said
}

/// Starts it, and kills it while it opens what the one before left; answers whether it was still at it.
fn killed_while_opening(data: &Path) -> bool {
    let mut child = start("crowd", data, NOBODY, "");
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    while output.next().unwrap().unwrap() != "opening" {}
    child.kill().unwrap();
    let opened = output.any(|line| line.unwrap() == "open");
    child.wait().unwrap();
    !opened
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_at_any_moment_loses_no_receipt_and_what_was_open_is_lost_exactly_once() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut settled: BTreeMap<String, String> = BTreeMap::new();
    let mut begun = BTreeSet::new();
    let (mut in_flight, mut while_opening) = (0, 0);
    for number in 0..ROUNDS {
        let said = round(data.path(), 1 + number * number * 5 % 397);
        in_flight += usize::from(said.begun.len() > said.settled.len());
        assert!(said.begun.is_disjoint(&begun), "an id was given twice");
        begun.extend(said.begun);
        settled.extend(said.settled);
        // Some rounds later what was left is left twice.
        while_opening += usize::from(number % 3 == 0 && killed_while_opening(data.path()));
    }
    let gateway = Gateway::start(data.path(), crowded()).await?;
    let journal = receipts_in_journal(data.path());
    for (run_id, statuses) in &journal {
        assert_eq!(statuses.len(), 1, "{run_id} has {statuses:?}");
    }
    for (run_id, status) in &settled {
        assert_eq!(journal.get(run_id), Some(&vec![status.clone()]), "{run_id} was acknowledged");
    }
    let opens: Vec<String> = lines(data.path())
        .iter()
        .filter_map(|line| Some(line.strip_prefix("{\"open\":{\"run_id\":\"")?.split('"').next()?.to_owned()))
        .collect();
    for run_id in &opens {
        assert!(journal.contains_key(run_id), "{run_id} was open, and has no receipt");
    }
    let lost = journal.values().filter(|statuses| **statuses == ["lost"]).count();
    assert!(lost > ROUNDS, "{lost} are lost, of those that are never over in each round");
    assert!(gateway.receipts.is_writable());

    caught_up(&gateway).await;
    let listed: BTreeSet<String> = gateway
        .client
        .all("limit=1000")
        .await?
        .iter()
        .map(|it| it["run_id"].as_str().unwrap().to_owned())
        .collect();
    let differ = |a: &BTreeSet<String>, b: &BTreeSet<String>| {
        a.symmetric_difference(b).take(5).cloned().collect::<Vec<_>>()
    };
    let none = Vec::<String>::new();
    assert_eq!(
        differ(&listed, &journal.keys().cloned().collect()),
        none,
        "the index has what the journal has"
    );
    assert_eq!(differ(&listed, &files(data.path()).into_iter().collect()), none, "each has its file");
    gateway.stop().await?;
    assert_whole(data.path());
    let count = format!(
        "{ROUNDS} kills, {in_flight} with calls in flight, {while_opening} while opening; {} settled, {lost} lost\n",
        settled.len()
    );
    std::io::stdout().write_all(count.as_bytes())?;
    assert!(in_flight * 10 >= ROUNDS * 9, "only {in_flight} of {ROUNDS} kills hit calls in flight");
    Ok(())
}
