use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use pas_service::Running;
use pas_testkit::{NOBODY, Process, Provider, http, until};
use pas_types::catalog;
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{chat, message, register, registry, run_id, scripted, swarm};

/// Clients of each kind.
const CLIENTS: usize = 2;

/// How a client calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Whole,
    Events,
    Messages,
    Invoke,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Whole, Self::Events, Self::Messages, Self::Invoke];

    fn request(self) -> (&'static str, Value) {
        let target =
            json!({"target": {"type": "model", "require_caps": ["plan"]}, "payload": {"text": "hello"}});
        match self {
            Self::Whole => ("/v1/chat/completions", chat(false)),
            Self::Events => ("/v1/chat/completions", chat(true)),
            Self::Messages => ("/v1/messages", message(true)),
            Self::Invoke => ("/invoke", target),
        }
    }

    fn is_whole(self, text: &str) -> bool {
        match self {
            Self::Whole | Self::Invoke => serde_json::from_str::<Value>(text).is_ok(),
            Self::Events => text.contains("data: [DONE]"),
            Self::Messages => text.contains("event: message_stop"),
        }
    }
}

/// What clients know of their calls.
#[derive(Default)]
struct Known {
    /// Those whose answer came to its end.
    answered: Vec<String>,
    /// Those whose answer had begun, in this order.
    begun: Vec<String>,
    /// So many of `begun` had begun before another call did that was answered: what the journal has of that one comes
    /// behind what it has of these.
    certain: usize,
}

/// What those who call, and the one who kills, know of each other.
#[derive(Clone)]
struct Round {
    url: String,
    killed: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    known: Arc<Mutex<Known>>,
}

impl Round {
    /// Calls until the gateway is gone; answers whether a call was open then.
    async fn call(self, kind: Kind) -> bool {
        let client = http();
        loop {
            let open = !self.killed.load(Ordering::SeqCst);
            let before = self.known.lock().unwrap().begun.len();
            let (path, body) = kind.request();
            let asked = client.post(format!("{}{path}", self.url)).json(&body);
            let Ok(answer) = asked.header("x-scripted", "head_ms=8,gap_ms=1").send().await else {
                return open;
            };
            let (status, id) = (answer.status(), run_id(&answer));
            self.known.lock().unwrap().begun.push(id.clone());
            let Ok(text) = answer.text().await else { return open };
            assert!(
                status == 200 && kind.is_whole(&text),
                "{kind:?} ends as if it were whole: {status} {text}"
            );
            let mut known = self.known.lock().unwrap();
            known.answered.push(id);
            known.certain = known.certain.max(before);
            drop(known);
            self.answered.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Loads it until so many calls are answered, and kills it. Answers what was known then, and the calls that were open.
async fn load_and_kill(gateway: &mut Process, enough: usize) -> (Known, usize) {
    let round =
        Round { url: gateway.url(), killed: Arc::default(), answered: Arc::default(), known: Arc::default() };
    let mut clients = JoinSet::new();
    for kind in Kind::ALL.into_iter().cycle().take(CLIENTS * Kind::ALL.len()) {
        clients.spawn(round.clone().call(kind));
    }
    until("enough is answered", async || (round.answered.load(Ordering::SeqCst) >= enough).then_some(()))
        .await;
    // In this order: a call that begins between the two may count for one that was open, but never the other way round.
    gateway.signal(Signal::KILL).unwrap();
    round.killed.store(true, Ordering::SeqCst);
    gateway.wait().unwrap();
    let open = clients.join_all().await.into_iter().filter(|open| *open).count();
    let known = std::mem::take(&mut *round.known.lock().unwrap());
    (known, open)
}

/// What the journal says of each call, read from its files.
#[derive(Default)]
struct Journal {
    opened: BTreeSet<String>,
    receipts: BTreeMap<String, String>,
}

impl Journal {
    fn read(directory: &Path) -> Self {
        let report = pas_journal::verify(directory, true).unwrap();
        assert_eq!(report.broken, None);
        let mut journal = Self::default();
        for file in segments(directory) {
            for line in fs::read_to_string(file).unwrap().lines() {
                let line: Value = serde_json::from_str(line).unwrap();
                if let Some(opened) = line["open"]["run_id"].as_str() {
                    journal.opened.insert(opened.to_owned());
                } else if let Some(id) = line["run_id"].as_str() {
                    let status = line["status"].as_str().unwrap().to_owned();
                    let before = journal.receipts.insert(id.to_owned(), status);
                    assert_eq!(before, None, "{id} has two receipts: {line}");
                }
            }
        }
        journal
    }
}

fn segments(directory: &Path) -> BTreeSet<PathBuf> {
    let files = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|it| it == "jsonl")).collect()
}

/// Leaves what a write that was cut leaves, which a kill alone hardly ever does: half a line at the end.
fn tear(directory: &Path) {
    let newest = segments(directory).pop_last().unwrap();
    let mut newest = fs::File::options().append(true).open(newest).unwrap();
    newest.write_all(br#"{"run_id":"gw-torn","#).unwrap();
}

/// What holds after a restart, of what was known before. Answers how many calls were lost.
async fn check(url: &str, known: &Known, journal: &Journal) -> usize {
    for id in &known.answered {
        // Until the index has caught up it may say that it can't tell yet, but never that there is none.
        let receipt = until("the receipt can be told", async || {
            let answer = http().get(format!("{url}/receipts/{id}")).send().await.unwrap();
            let status = answer.status();
            let receipt: Value = answer.json().await.unwrap();
            (status != 503).then_some(receipt)
        })
        .await;
        assert_eq!((&receipt["status"], &receipt["run_id"]), (&json!("ok"), &json!(id)), "{receipt}");
        assert_eq!(journal.receipts.get(id).map(String::as_str), Some("ok"), "{id}");
    }
    // What had begun to be answered is either lost, or its end was on its way.
    for id in &known.begun[..known.certain] {
        let status = journal.receipts.get(id).map(String::as_str);
        assert!(matches!(status, Some("ok" | "lost")), "{id} had begun, and is {status:?}");
    }
    let unsettled: Vec<_> = journal.opened.iter().filter(|id| !journal.receipts.contains_key(*id)).collect();
    assert!(unsettled.is_empty(), "they were open, and have no receipt: {unsettled:?}");
    let lost: Vec<_> = journal.receipts.iter().filter(|(_, status)| *status == "lost").collect();
    assert!(lost.iter().all(|(id, _)| journal.opened.contains(*id)), "only what was open is lost");
    lost.len()
}

/// All that the list shows, once it shows as much as the journal has.
async fn listed(url: &str, journal: &Journal) {
    until("the index has caught up", async || {
        let (mut ids, mut cursor) = (BTreeSet::new(), String::new());
        loop {
            let page = http().get(format!("{url}/receipts?limit=1000{cursor}")).send().await.ok()?;
            let page: Value = page.json().await.ok()?;
            ids.extend(
                page["receipts"].as_array()?.iter().map(|it| it["run_id"].as_str().unwrap().to_owned()),
            );
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        journal.receipts.keys().all(|id| ids.contains(id)).then_some(())
    })
    .await;
}

/// Waits until it can be called.
async fn ready(url: &str) {
    until("it knows whom to call", async || {
        let asked = json!({"target": {"type": "model"}, "payload": {"text": "hello"}});
        let receipt =
            http().post(format!("{url}/invoke?dry_run=true")).json(&asked).send().await.ok()?.json::<Value>();
        (receipt.await.ok()?["status"] == "ok").then_some(())
    })
    .await;
}

async fn start(registry: &Running, provider: &Provider, data: &Path) -> Process {
    register(registry, &scripted("local", "scripted", provider)).await;
    let arguments = ["--registry-url", &registry.url(), "--router-url", NOBODY];
    Process::start(&catalog::GATEWAY, Path::new(env!("CARGO_BIN_EXE_pas-gateway")), data, &arguments).unwrap()
}

#[expect(
    clippy::disallowed_macros,
    reason = "whoever reads the test's output wants to know how hard it tried"
)]
async fn kill(rounds: usize) {
    let (data, provider) = (tempfile::tempdir().unwrap(), Provider::start().unwrap());
    let registry = registry(&swarm(data.path(), NOBODY.to_owned())).await;
    let mut gateway = start(&registry, &provider, data.path()).await;
    let receipts = data.path().join("costs/journal");
    let (mut hard, mut all, mut lost) = (0, Known::default(), 0);
    for number in 0..rounds {
        ready(&gateway.url()).await;
        let (known, open) = load_and_kill(&mut gateway, 1 + number * number * 5 % 47).await;
        hard += usize::from(open > 0);
        if number % 2 == 1 {
            tear(&receipts);
        }
        gateway.restart().unwrap();
        lost = check(&gateway.url(), &known, &Journal::read(&receipts)).await;
        all.answered.extend(known.answered);
    }
    let journal = Journal::read(&receipts);
    check(&gateway.url(), &all, &journal).await;
    listed(&gateway.url(), &journal).await;
    let answered = all.answered.len();
    println!("{rounds} kills, {hard} with calls in flight; {answered} answered, {lost} lost");
    assert!(hard * 10 >= rounds * 9, "only {hard} of {rounds} kills met a call in flight");
    assert!(lost > 0, "no kill met a call that had gone on upstream");
    registry.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_loses_no_receipt_of_an_answered_call_and_settles_the_open_ones_as_lost() {
    kill(10).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: scripts/test.sh --long runs it"]
async fn fifty_kills_lose_no_receipt_of_an_answered_call_and_settle_the_open_ones_as_lost() {
    kill(50).await;
}

/// A gateway whose writes can be made to fail, as on a full disk, while it runs.
async fn start_on_a_disk_that_fills(registry: &Running, provider: &Provider, data: &Path) -> Process {
    register(registry, &scripted("local", "scripted", provider)).await;
    let program = data.join("gateway.sh");
    let script = format!("#!/bin/sh\ntrap '' XFSZ\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_pas-gateway"));
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let arguments = ["--registry-url", &registry.url(), "--router-url", NOBODY];
    Process::start(&catalog::GATEWAY, &program, data, &arguments).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_whose_receipt_cannot_be_written_ends_with_an_error_and_no_end_mark() {
    let (data, provider) = (tempfile::tempdir().unwrap(), Provider::start().unwrap());
    let registry = registry(&swarm(data.path(), NOBODY.to_owned())).await;
    let gateway = start_on_a_disk_that_fills(&registry, &provider, data.path()).await;
    ready(&gateway.url()).await;
    let room = |current| {
        let pid = Pid::from_raw(i32::try_from(gateway.pid()).unwrap());
        prlimit(pid, Resource::Fsize, Rlimit { current, maximum: None }).unwrap();
    };
    // It has begun; the disk is full long before it ends.
    let asked = http().post(format!("{}/v1/chat/completions", gateway.url())).json(&chat(true));
    let mut answer = asked.header("x-scripted", "chunks=3,gap_ms=2000").send().await.unwrap();
    let id = run_id(&answer);
    let mut text = String::from_utf8(answer.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    room(Some(1));
    while let Some(piece) = answer.chunk().await.unwrap() {
        text.push_str(std::str::from_utf8(&piece).unwrap());
    }
    assert!(text.contains("\"error\"") && !text.contains("[DONE]"), "{text}");
    room(None);
    let receipt = until("its receipt is written", async || {
        let answer = http().get(format!("{}/receipts/{id}", gateway.url())).send().await.ok()?;
        if answer.status() == 200 { answer.json::<Value>().await.ok() } else { None }
    })
    .await;
    assert_eq!(receipt["status"], "error", "its caller was told so: {receipt}");
    registry.stop().await.unwrap();
}
