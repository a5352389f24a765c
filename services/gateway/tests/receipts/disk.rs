use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout};

use anyhow::Result;
use pas_testkit::{NOBODY, until};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;

use crate::child::{crowded, start};
use crate::support::{Gateway, assert_whole, receipts_in_journal};

/// No file of it can grow past 256 KiB: the kernel refuses the write, as it does when the disk is full, and the limit can
/// be lifted while it runs.
const SMALL_DISK: &str = "trap '' XFSZ; ulimit -S -f 512";

struct Other {
    child: Child,
    input: ChildStdin,
    output: std::io::Lines<BufReader<ChildStdout>>,
}

impl Other {
    fn ask(&mut self, what: &str) -> String {
        writeln!(self.input, "{what}").unwrap();
        self.output.next().expect("it lives").unwrap()
    }

    fn make_room(&self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        prlimit(pid, Resource::Fsize, Rlimit { current: None, maximum: None }).unwrap();
    }
}

fn id(answer: &str) -> String {
    answer.split(' ').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn a_full_disk_takes_no_calls_keeps_what_was_acknowledged_and_what_was_open_and_recovers_by_itself()
-> Result<()> {
    let data = tempfile::tempdir()?;
    let mut child = start("ask", data.path(), NOBODY, SMALL_DISK);
    let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut other = Other { child, input, output: BufReader::new(output).lines() };
    while other.output.next().unwrap()? != "open" {}

    // Some calls are open while the disk fills, and one more is open at each time.
    let open: Vec<String> = (0..3).map(|_| id(&other.ask("begin"))).collect();
    let (mut acknowledged, mut begun) = (Vec::new(), Vec::new());
    let unsettled = loop {
        let answer = other.ask("begin");
        if answer.starts_with("refused") {
            break None;
        }
        begun.push(id(&answer));
        let answer = other.ask("settle");
        match answer.strip_prefix("settled ") {
            Some(run_id) => acknowledged.push(run_id.to_owned()),
            None => break Some(answer),
        }
        assert!(acknowledged.len() < 2_000, "the disk never filled");
    };
    if let Some(answer) = &unsettled {
        assert!(
            answer.ends_with("the gateway can't write receipts now, so it takes no calls: try again"),
            "{answer}"
        );
    }
    assert_eq!(other.ask("state"), "unwritable");
    let refused = other.ask("begin");
    assert_eq!(refused, "refused the gateway can't write receipts now, so it takes no calls: try again");
    let still_open = 3 + begun.len() - acknowledged.len() - usize::from(unsettled.is_some());
    let mut held: Vec<String> = unsettled.iter().map(|answer| id(answer)).collect();
    for _ in 0..still_open {
        let answer = other.ask("settle");
        assert!(answer.starts_with("unsettled"), "{answer}");
        held.push(id(&answer));
    }
    assert!(open.iter().all(|run_id| acknowledged.contains(run_id) || held.contains(run_id)));
    assert_whole(data.path());

    other.make_room();
    until("calls are taken again", async || (other.ask("state") == "writable").then_some(())).await;
    let last = id(&other.ask("begin"));
    assert_eq!(other.ask("settle"), format!("settled {last}"));
    other.child.kill()?;
    other.child.wait()?;

    let gateway = Gateway::start(data.path(), crowded()).await?;
    let journal = receipts_in_journal(data.path());
    assert!(journal.values().all(|statuses| statuses.len() == 1));
    let status = |run_id: &String| journal.get(run_id).map_or("none", |statuses| statuses[0].as_str());
    assert!(acknowledged.iter().chain([&last]).all(|run_id| status(run_id) == "ok"));
    assert!(
        held.iter().all(|run_id| status(run_id) == "error"),
        "their callers were told of an error: {journal:?}"
    );
    assert_eq!(journal.len(), acknowledged.len() + held.len() + 1);
    let path = format!("/receipts/{}", held[0]);
    // Right after the start the index may be some records behind, and say so.
    let receipt: Value = until("the index has it", async || gateway.client.get(&path).await.ok()).await;
    let expected = "the disk took no receipt when the call was over: this was written later, and the caller was told of an error";
    assert_eq!((&receipt["error"]["code"], &receipt["notes"][0]), (&"unavailable".into(), &expected.into()));
    let listed = gateway.client.all("limit=1000").await?;
    assert_eq!(listed.len(), journal.len(), "index and files catch up");
    gateway.stop().await?;
    assert_whole(data.path());
    Ok(())
}
