//! `pas receipts` and `pas explain`, on files that a gateway has written, while it has them open and after.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking; clippy takes only its function for a test"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::mpsc;
use std::time::Duration;

use pas_journal::{Journal, Options, Payload};
use pas_types::receipt::RoutingReceipt;
use pas_types::time::{Now, WireTime};
use serde_json::{Value, json};

/// Some calls: ten answered, and one that was lost.
struct Costs {
    data: tempfile::TempDir,
    journal: Option<Journal>,
}

fn id(number: u64) -> String {
    format!("gw-2025-11-06-10-30-{number:02}-000000")
}

impl Costs {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        // A new file with almost every record.
        let options = Options {
            chained: true,
            segment_bytes: 300,
            ..Options::new(data.path().join("costs/journal"), 1)
        };
        let journal = Journal::open(options).unwrap();
        let costs = Self { data, journal: Some(journal) };
        costs.append(
            json!({"open": {"run_id": id(0), "ts": "2025-11-06T10:30:00.000Z", "route": "/invoke"}})
                .to_string(),
        );
        for number in 0..=10 {
            let lost = number == 0;
            let usd = if lost { Value::Null } else { json!(0.000000001) };
            let receipt: RoutingReceipt = serde_json::from_value(json!({
                "run_id": id(number), "agent": if number % 2 == 0 { "Architect" } else { "Coder" }, "route": "/invoke",
                "timings_ms": {"total": 12.5}, "status": if lost { "lost" } else { "ok" }, "ts": format!("2025-11-06T10:30:{number:02}.000Z"),
                "cost_estimate": {"usd": usd, "state": if lost { "unknown" } else { "confirmed" }},
            }))
            .unwrap();
            // As the gateway writes it, its id first.
            costs.append(serde_json::to_string(&receipt).unwrap());
        }
        costs
    }

    fn append(&self, line: String) {
        let now =
            Now { monotonic: Duration::ZERO, wall: WireTime::from_millis(1_762_425_000_000).timestamp() };
        let (tell, told) = mpsc::channel();
        let payload = Payload::new(line).unwrap();
        let journal = self.journal.as_ref().unwrap();
        journal.append(vec![payload], now, move |result| tell.send(result).unwrap()).unwrap();
        told.recv().unwrap().unwrap();
    }

    fn pas(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pas"));
        let Output { status, stdout, stderr } =
            command.arg("--data-dir").arg(self.data.path()).args(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().unwrap(), text(stdout), text(stderr))
    }

    /// What must succeed.
    fn said(&self, arguments: &[&str]) -> String {
        let (code, out, error) = self.pas(arguments);
        assert_eq!((code, error.as_str()), (0, ""), "{arguments:?}: {out}");
        out
    }
}

fn ids(lines: &str) -> Vec<String> {
    let line =
        |line: &str| serde_json::from_str::<Value>(line).unwrap()["run_id"].as_str().unwrap().to_owned();
    lines.lines().map(line).collect()
}

#[test]
fn a_chain_is_proved_beside_a_gateway_that_runs_and_a_break_is_named_by_file_and_line() {
    let mut costs = Costs::new();
    let said = costs.said(&["receipts", "verify"]);
    assert!(said.starts_with("whole: 12 records in "), "{said}");
    assert!(!said.contains('\u{1b}'), "no colours without a terminal");
    costs.journal = None;
    let segments = pas_journal::segment_files(&costs.data.path().join("costs/journal")).unwrap();
    let broken: &PathBuf = segments.get(3).unwrap();
    let text = std::fs::read_to_string(broken).unwrap();
    std::fs::write(broken, text.replacen("\"total\":12.5", "\"total\":12.6", 1)).unwrap();
    let (code, said, error) = costs.pas(&["receipts", "verify"]);
    assert_eq!((code, error.as_str()), (1, ""));
    let expected = format!("broken\n{} line 2 (after record ", broken.display());
    assert!(said.starts_with(&expected) && said.trim_end().ends_with("the line is damaged"), "{said}");
}

#[test]
fn the_newest_are_shown_first_and_filtered() {
    let costs = Costs::new();
    let newest: Vec<String> = (0..=10).rev().map(id).collect();
    assert_eq!(ids(&costs.said(&["receipts", "show", "--json"])), newest);
    assert_eq!(ids(&costs.said(&["receipts", "show", "--json", "-n", "3"])), newest[..3]);
    let coders: Vec<String> = (0..=10).rev().filter(|number| number % 2 == 1).map(id).collect();
    assert_eq!(ids(&costs.said(&["receipts", "show", "--json", "--agent", "Coder"])), coders);
    let table = costs.said(&["receipts", "show", "-n", "1"]);
    let words: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words[1], [&*id(10), "ok", "Architect", "-", "-", "12.5", "ms", "-", "0.000000001"]);
    let one: Value = serde_json::from_str(&costs.said(&["receipts", "show", &id(7)])).unwrap();
    assert_eq!((&one["run_id"], &one["seq"]), (&json!(id(7)), &json!(9)));
}

#[test]
fn sums_are_those_of_the_files() {
    let costs = Costs::new();
    let table = "agent,calls,ok,error,cut,cancelled,refused,lost,input_tokens,output_tokens,cache_read_tokens,\
        cache_write_tokens,reasoning_tokens,usd_confirmed,usd_estimated,unknown_cost_calls\r\n\
        Architect,6,5,0,0,0,0,1,0,0,0,0,0,0.000000005,0.00,1\r\n\
        Coder,5,5,0,0,0,0,0,0,0,0,0,0,0.000000005,0.00,0\n";
    assert_eq!(costs.said(&["receipts", "stats", "--by", "agent", "--csv"]), table);
    let by_day: Value = serde_json::from_str(&costs.said(&["receipts", "stats", "--json"])).unwrap();
    assert_eq!(
        (&by_day["stats"][0]["key"], &by_day["stats"][0]["calls"]),
        (&json!("2025-11-06"), &json!(11))
    );
    let words = costs.said(&["receipts", "stats"]);
    assert!(words.lines().nth(1).unwrap().starts_with("2025-11-06"), "{words}");
}

#[test]
fn all_are_written_out_as_lines_and_those_without_a_file_as_files() {
    let costs = Costs::new();
    let oldest: Vec<String> = (0..=10).map(id).collect();
    assert_eq!(ids(&costs.said(&["receipts", "export"])), oldest);
    let dir = costs.data.path().join("out");
    let file = |number| dir.join(format!("{}.json", id(number)));
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(file(3), "mine").unwrap();
    let path: &Path = &dir;
    assert_eq!(
        costs.said(&["receipts", "export", "--files", path.to_str().unwrap()]),
        format!("10 files in {}\n", dir.display())
    );
    assert_eq!(std::fs::read_to_string(file(3)).unwrap(), "mine");
    assert_eq!(ids(&std::fs::read_to_string(file(4)).unwrap()), [id(4)]);
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 11);
}

#[test]
fn a_call_is_explained_and_one_that_never_was_is_said_not_to_be_there() {
    let costs = Costs::new();
    let said = costs.said(&["explain", &id(0)]);
    assert!(said.starts_with(&format!("{}: lost: the gateway died under it\n  came in ", id(0))), "{said}");
    let (code, _, error) = costs.pas(&["explain", "gw-1"]);
    let journal = costs.data.path().join("costs/journal");
    let expected = format!(
        "error: there is no receipt of gw-1 in {}: `pas receipts show` lists the newest\n",
        journal.display()
    );
    assert_eq!((code, error), (1, expected));
    let (code, _, error) = costs.pas(&["receipts", "show", "--status", "fine"]);
    assert_eq!(code, 1);
    assert!(error.contains("`fine` is not a known status of a call: use one of ok, "), "{error}");
}
