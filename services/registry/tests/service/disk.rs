use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use pas_testkit::{Process, until};
use pas_types::catalog;
use pas_types::error::ErrorCode;
use reqwest::Method;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;

use crate::support::{BINARY, Client, Lease, Server, database, model, process};

/// A start script under which no file of the registry can grow past a megabyte: the kernel refuses the write, as it
/// does when the disk is full, and the limit can be lifted while the process runs.
fn on_a_small_disk(directory: &Path) -> Result<PathBuf> {
    let script = directory.join("small-disk");
    std::fs::write(&script, format!("#!/bin/sh\ntrap '' XFSZ\nulimit -S -f 2048\nexec {BINARY} \"$@\"\n"))?;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
    Ok(script)
}

fn make_room(process: &Process) -> Result<()> {
    let pid = i32::try_from(process.pid()).ok().and_then(Pid::from_raw).context("no such pid")?;
    prlimit(Some(pid), Resource::Fsize, Rlimit { current: None, maximum: None })?;
    Ok(())
}

#[tokio::test]
async fn a_full_disk_refuses_commands_keeps_what_was_acknowledged_and_recovers_by_itself() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut small = Process::start(&catalog::REGISTRY, &on_a_small_disk(data.path())?, data.path(), &[])?;
    let client = Client::new(small.url());
    let mut acknowledged: Vec<Lease> = Vec::new();
    let refused = loop {
        let (status, answer) =
            client.send(Method::POST, "/register", &model(&format!("m{:04}", acknowledged.len()))).await?;
        match (status, answer["service_id"].as_str(), answer["lease_id"].as_str()) {
            (201, Some(service_id), Some(lease_id)) => {
                acknowledged.push(Lease { service_id: service_id.to_owned(), lease_id: lease_id.to_owned() });
            }
            _ => break (status, answer),
        }
        anyhow::ensure!(acknowledged.len() < 3_000, "the disk never filled");
    };
    let envelope = &refused.1["error"];
    assert_eq!(
        (refused.0, &envelope["code"], &envelope["retryable"], &envelope["message"]),
        (
            503,
            &json!("unavailable"),
            &json!(true),
            &json!("the registry can't write now: nothing was changed; try again")
        )
    );
    let names: Vec<String> = (0..acknowledged.len()).map(|n| format!("m{n:04}")).collect();
    let first = acknowledged.first().context("nobody could register")?;
    assert_eq!(client.names("status=any").await?, names, "what was refused is not there");
    assert_eq!(client.beat(first).await?.0, 200, "beats go on");
    let promote = json!({"service_id": first.service_id, "role": "production"});
    assert_eq!(client.refused(Method::POST, "/promote", &promote).await?.1, ErrorCode::Unavailable);
    let health = client.get("/health").await?;
    assert_eq!(
        (&health["status"], &health["checks"]["store"]["status"]),
        (&json!("degraded"), &json!("degraded"))
    );

    make_room(&small)?;
    until("the store is well", async || {
        let health = client.get("/health").await.ok()?;
        (health["checks"]["store"]["status"] == "ok").then_some(())
    })
    .await;
    client.post("/promote", promote).await?;
    client.register(model("late")).await?;
    small.kill()?;
    let registry = process(data.path(), &[])?;
    let client = Client::new(registry.url());
    assert_eq!(client.names("status=any").await?.len(), acknowledged.len() + 1);
    let promoted = client.get(&format!("/services/{}", first.service_id)).await?;
    assert_eq!(promoted["service"]["role"], "production");
    Ok(())
}

#[tokio::test]
async fn a_database_newer_than_the_program_is_refused_by_name() -> Result<()> {
    let mut server = Server::start().await?;
    server.stop().await?;
    let path = server.database();
    rusqlite::Connection::open(&path)?.pragma_update(None, "user_version", 99)?;
    let data = path.ancestors().nth(2).context("a data directory")?;
    let output =
        std::process::Command::new(BINARY).arg("--data-dir").arg(data).args(["--port", "0"]).output()?;
    let said = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("has version 99, this program knows up to 2"), "{said}");
    Ok(())
}

#[tokio::test]
async fn the_table_is_the_contract_of_the_first_users() -> Result<()> {
    let data = tempfile::tempdir()?;
    let registry = process(data.path(), &[])?;
    Client::new(registry.url()).register(model("a")).await?;
    let database = rusqlite::Connection::open(database(data.path()))?;
    let columns = database.prepare("SELECT * FROM services")?.column_names().collect::<Vec<_>>().join(", ");
    assert!(
        columns.starts_with(
            "service_id, name, type, role, url, caps, labels, ctx_limit, cost_hint_usd_per_1k, heartbeat_interval_s, \
             ttl_s, status, last_heartbeat_ts, registered_at, p95_ms, queue_depth, load, "
        ),
        "{columns}"
    );
    let mut indexes = database.prepare(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'idx_services%' ORDER BY name",
    )?;
    let indexes: Vec<String> = indexes.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    assert_eq!(indexes, ["idx_services_name_role", "idx_services_status", "idx_services_type_role"]);
    let row = database.query_row(
        "SELECT name, type, role, caps, labels, status FROM services WHERE name = 'a'",
        [],
        |row| (0..6).map(|column| row.get::<_, String>(column)).collect::<Result<Vec<_>, _>>(),
    )?;
    assert_eq!(row, ["a", "model", "experimental", "[\"infer\"]", "{}", "ok"]);
    Ok(())
}
