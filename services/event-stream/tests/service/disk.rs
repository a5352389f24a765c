use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use pas_proto::events::v1::publish_response::Result as Outcome;
use pas_proto::events::v1::{PublishRequest, Refused};
use pas_service::{Health, Metrics, Running, Sockets, Swarm, clock, publisher};
use pas_testkit::{Process, until};
use pas_types::catalog;
use pas_types::event::Event;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::{BINARY, Client, log, rpc, seqs};

/// An event stream none of whose files can grow past half a megabyte, as on a disk that is full.
fn on_a_small_disk(data: &Path) -> Result<Process> {
    let script = data.join("small-disk");
    std::fs::write(&script, format!("#!/bin/sh\ntrap '' XFSZ\nulimit -S -f 1024\nexec {BINARY} \"$@\"\n"))?;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
    Process::start(&catalog::EVENT_STREAM, &script, data, &[])
}

/// The disk is full no more.
fn make_room(stream: &Process) -> Result<()> {
    let pid = i32::try_from(stream.pid()).ok().and_then(Pid::from_raw).context("no such pid")?;
    prlimit(Some(pid), Resource::Fsize, Rlimit { current: None, maximum: None })?;
    Ok(())
}

#[tokio::test]
async fn a_full_disk_refuses_events_keeps_what_was_acknowledged_and_recovers_by_itself() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut stream = on_a_small_disk(data.path())?;
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

    make_room(&stream)?;
    let next = until("there is room again", async || {
        let (status, answer) = client.post(&log("late")).await.ok()?;
        (status == 201).then_some(answer)
    })
    .await;
    assert_eq!(next["seq"], taken + 1);
    assert_eq!(client.get("/health").await?.1["checks"]["journal"]["status"], "ok");

    stream.kill()?;
    let stream = Process::start(&catalog::EVENT_STREAM, Path::new(BINARY), data.path(), &[])?;
    let events = Client::new(stream.url()).all("limit=1000").await?;
    assert_eq!(seqs(&events), (1..=taken + 1).collect::<Vec<_>>());
    Ok(())
}

#[tokio::test]
async fn nothing_is_taken_behind_a_batch_that_can_not_be_taken_now() -> Result<()> {
    let data = tempfile::tempdir()?;
    let stream = on_a_small_disk(data.path())?;
    let client = Client::new(stream.url());
    // More than the journal writes at once, so that those behind it are never refused along with it.
    let big = vec![log(&"x".repeat(60_000)); 80];
    let batches: Vec<Vec<Value>> =
        std::iter::once(big).chain((1..8).map(|number| vec![log(&number.to_string())])).collect();
    let requests: Vec<PublishRequest> =
        (0..).zip(&batches).map(|(batch, events)| request(batch, events)).collect();
    let mut answers =
        rpc(&stream.url()).await?.publish(tokio_stream::iter(requests.clone())).await?.into_inner();
    let first = answers.message().await?.context("an answer")?;
    let Some(Outcome::Refused(Refused { code, .. })) = first.result else { bail!("{first:?}") };
    assert_eq!((first.batch, &*code), (0, "unavailable"));
    assert_eq!(answers.message().await?, None, "the stream ends, so that the publisher begins anew");
    assert_eq!(client.head().await?.seq, 0);

    make_room(&stream)?;
    let mut answers = rpc(&stream.url()).await?.publish(tokio_stream::iter(requests)).await?.into_inner();
    for batch in 0..8 {
        let answer = answers.message().await?.context("an answer")?;
        assert!(matches!(answer.result, Some(Outcome::Published(_))), "{answer:?}");
        assert_eq!(answer.batch, batch);
    }
    let kept = client.all("").await?;
    let said =
        |events: &[Value]| -> Vec<Value> { events.iter().map(|event| event["message"].clone()).collect() };
    assert_eq!(said(&kept), said(&batches.concat()));
    Ok(())
}

fn request(batch: u64, events: &[Value]) -> PublishRequest {
    PublishRequest { batch, events: events.iter().map(|event| event.to_string().into_bytes()).collect() }
}

#[tokio::test]
async fn what_a_service_publishes_through_a_full_disk_keeps_its_order_and_no_snapshot_goes_backwards()
-> Result<()> {
    let data = tempfile::tempdir()?;
    let stream = on_a_small_disk(data.path())?;
    let client = Client::new(stream.url());
    let swarm = Swarm { events_url: stream.url(), ..Swarm::default() };
    let running = Running::new(&swarm, &Sockets::loopback()?, CancellationToken::new());
    let health = Health::new(&catalog::REGISTRY, clock::now());
    let metrics = Metrics::new(&catalog::REGISTRY);
    let publisher = publisher::spawn(&catalog::REGISTRY, &swarm, &health, &metrics, &running)?;
    // A batch ends with a mebibyte, so these are two, and the second alone finds room.
    for (logs, progress) in [(17, 0.1), (7, 0.2)] {
        let beat =
            json!({"event_type": "heartbeat", "agent": "A", "status": "running", "progress": progress});
        for event in vec![log(&"x".repeat(60_000)); logs].into_iter().chain([beat]) {
            publisher.publish(Event::read(event.to_string().as_bytes(), clock::now().wall.into())?);
        }
    }
    until("it is told that there is no room", async || {
        let check = health.report(clock::now()).checks.remove("events")?;
        check.reason.filter(|reason| reason.contains("can't be written now"))
    })
    .await;
    assert_eq!(client.head().await?.seq, 0);

    make_room(&stream)?;
    let mut seen = vec![];
    until("all of it is there", async || {
        let (_, snapshot) = client.get("/snapshot").await.ok()?;
        seen.extend(snapshot["agents"][0]["heartbeat"]["progress"].as_f64());
        (seen.last() == Some(&0.2) && client.head().await.ok()?.seq == 26).then_some(())
    })
    .await;
    assert!(seen.is_sorted(), "{seen:?}");
    let beats = client.all("type=heartbeat").await?;
    let told: Vec<_> = beats.iter().map(|beat| (beat["seq"].as_u64(), beat["progress"].as_f64())).collect();
    assert_eq!(told, [(Some(18), Some(0.1)), (Some(26), Some(0.2))]);
    running.stop().await?;
    Ok(())
}
