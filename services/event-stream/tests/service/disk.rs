use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result, ensure};
use pas_testkit::{Process, until};
use pas_types::catalog;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;

use crate::support::{BINARY, Client, log, seqs};

#[tokio::test]
async fn a_full_disk_refuses_events_keeps_what_was_acknowledged_and_recovers_by_itself() -> Result<()> {
    let data = tempfile::tempdir()?;
    // No file can grow past half a megabyte, as on a disk that is full, until the limit is lifted.
    let script = data.path().join("small-disk");
    std::fs::write(&script, format!("#!/bin/sh\ntrap '' XFSZ\nulimit -S -f 1024\nexec {BINARY} \"$@\"\n"))?;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
    let mut stream = Process::start(&catalog::EVENT_STREAM, &script, data.path(), &[])?;
    let client = Client::new(stream.url());
    let mut taken = 0;
    let (status, answer) = loop {
        let (status, answer) = client.post(&json!(vec![log(&"x".repeat(1_000)); 20])).await?;
        if status != 201 {
            break (status, answer);
        }
        taken += 20;
        ensure!(taken < 2_000, "the disk never filled");
    };
    let error = &answer["error"];
    assert_eq!((status, &error["code"], &error["retryable"]), (503, &json!("unavailable"), &json!(true)));
    assert_eq!(client.head().await?.seq, taken, "what was refused is not there, and reading goes on");
    assert_eq!(client.get("/health").await?.1["checks"]["journal"]["status"], "degraded");

    let pid = i32::try_from(stream.pid()).ok().and_then(Pid::from_raw).context("no such pid")?;
    prlimit(Some(pid), Resource::Fsize, Rlimit { current: None, maximum: None })?;
    let next = until("there is room again", async || {
        let (status, answer) = client.post(&log("late")).await.ok()?;
        (status == 201).then_some(answer)
    })
    .await;
    assert_eq!(next["seq"], taken + 1);
    assert_eq!(client.get("/health").await?.1["checks"]["journal"]["status"], "ok");

    stream.kill()?;
    let stream = Process::start(&catalog::EVENT_STREAM, std::path::Path::new(BINARY), data.path(), &[])?;
    let events = Client::new(stream.url()).all("limit=1000").await?;
    assert_eq!(seqs(&events), (1..=taken + 1).collect::<Vec<_>>());
    Ok(())
}
