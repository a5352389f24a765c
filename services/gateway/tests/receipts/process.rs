use std::path::Path;

use anyhow::Result;
use pas_testkit::Process;
use pas_types::catalog::GATEWAY;
use rustix::process::Signal;

use crate::support::{Client, assert_whole};

const BINARY: &str = env!("CARGO_BIN_EXE_pas-gateway");

#[tokio::test]
async fn the_binary_serves_ends_on_sigterm_and_starts_again_after_a_kill() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut gateway = Process::start(&GATEWAY, Path::new(BINARY), data.path(), &[])?;
    let client = |gateway: &Process| Client { http: pas_testkit::http(), url: gateway.url() };
    assert_eq!(client(&gateway).get("/receipts").await?["next_cursor"], serde_json::Value::Null);
    gateway.signal(Signal::TERM)?;
    assert!(gateway.wait()?.success());
    gateway.restart()?;
    gateway.kill()?;
    gateway.restart()?;
    assert_eq!(client(&gateway).get("/receipts").await?["receipts"], serde_json::json!([]));
    gateway.signal(Signal::TERM)?;
    assert!(gateway.wait()?.success());
    assert_whole(data.path());
    Ok(())
}

#[tokio::test]
async fn two_gateways_never_write_one_journal() -> Result<()> {
    let data = tempfile::tempdir()?;
    let _first = Process::start(&GATEWAY, Path::new(BINARY), data.path(), &[])?;
    let output = std::process::Command::new(BINARY)
        .arg("--data-dir")
        .arg(data.path())
        .args(["--port", "0"])
        .output()?;
    let said = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("the journal of receipts can't be opened"), "{said}");
    Ok(())
}
