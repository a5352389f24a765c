use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use pas_proto::registry::v1::registry_client::RegistryClient;
use pas_proto::registry::v1::watch_response::Event;
use pas_proto::registry::v1::{Cursor, FollowRequest, WatchRequest, WatchResponse};
use serde_json::json;
use tonic::Streaming;
use tonic::transport::Channel;

use crate::support::{Server, model, with};

async fn client(server: &Server) -> Result<RegistryClient<Channel>> {
    let channel = Channel::from_shared(server.client.url.clone())?.connect().await?;
    Ok(RegistryClient::new(channel))
}

async fn watch(server: &Server, from: Option<Cursor>) -> Result<Streaming<WatchResponse>> {
    Ok(client(server).await?.watch(WatchRequest { from }).await?.into_inner())
}

/// The next message that is not a sign of life.
async fn next(stream: &mut Streaming<WatchResponse>) -> Result<Event> {
    let patience = Duration::from_secs(20);
    loop {
        let message = tokio::time::timeout(patience, stream.message()).await??.context("the stream ended")?;
        match message.event.context("an empty message")? {
            Event::Progress(_) => {}
            event => return Ok(event),
        }
    }
}

fn names(services: &[pas_proto::registry::v1::Service]) -> Vec<&str> {
    services.iter().map(|service| service.name.as_str()).collect()
}

#[tokio::test]
async fn a_watcher_sees_what_exists_then_what_changes_and_resumes_by_its_cursor() -> Result<()> {
    let server = Server::start().await?;
    let a = server.client.register(model("a")).await?;
    let mut stream = watch(&server, None).await?;
    let Event::Snapshot(snapshot) = next(&mut stream).await? else { bail!("no snapshot") };
    let mut found = names(&snapshot.services);
    found.sort_unstable();
    assert_eq!((found, snapshot.last, snapshot.authoritative), (vec!["a", "registry"], true, false));

    server.client.register(model("b")).await?;
    let Event::Changes(changes) = next(&mut stream).await? else { bail!("no changes") };
    assert_eq!((names(&changes.upserted), changes.removed_service_ids), (vec!["b"], vec![]));
    drop(stream);

    server.client.post("/deregister", json!({"service_id": a.service_id})).await?;
    server.client.post("/pause", json!({"name": "b"})).await?;
    let mut resumed = watch(&server, changes.at).await?;
    let Event::Changes(changes) = next(&mut resumed).await? else { bail!("no changes") };
    assert_eq!((names(&changes.upserted), changes.removed_service_ids), (vec!["b"], vec![a.service_id]));
    assert!(changes.upserted[0].paused);
    Ok(())
}

#[tokio::test]
async fn a_cursor_of_an_earlier_start_gets_an_authoritative_snapshot() -> Result<()> {
    let mut server = Server::start().await?;
    server.client.register(model("a")).await?;
    let Event::Snapshot(before) = next(&mut watch(&server, None).await?).await? else { bail!("no snapshot") };
    server.restart().await?;
    let Event::Snapshot(after) = next(&mut watch(&server, before.at).await?).await? else {
        bail!("no snapshot")
    };
    assert_eq!((after.services.len(), after.authoritative), (2, true));
    assert!(after.services.iter().any(|service| service.name == "a" && !service.verified));
    Ok(())
}

#[tokio::test]
async fn a_registry_that_began_with_nothing_sends_a_second_snapshot_when_it_is_sure() -> Result<()> {
    let server = Server::with(pas_registry::Config { boot_grace_s: 1, ..Default::default() }).await?;
    let mut stream = watch(&server, None).await?;
    let Event::Snapshot(first) = next(&mut stream).await? else { bail!("no snapshot") };
    let Event::Snapshot(second) = next(&mut stream).await? else { bail!("no second snapshot") };
    assert_eq!((first.authoritative, second.authoritative), (false, true));
    Ok(())
}

#[tokio::test]
async fn a_large_snapshot_comes_in_parts_of_one_cursor() -> Result<()> {
    let server = Server::start().await?;
    let register = |n: usize| {
        let client = server.client.clone();
        async move { client.register(model(&format!("m{n}"))).await }
    };
    for chunk in (0..600).collect::<Vec<_>>().chunks(100) {
        let mut all = tokio::task::JoinSet::new();
        chunk.iter().for_each(|n| drop(all.spawn(register(*n))));
        all.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    }
    let mut stream = watch(&server, None).await?;
    let (Event::Snapshot(first), Event::Snapshot(second)) =
        (next(&mut stream).await?, next(&mut stream).await?)
    else {
        bail!("no snapshot in two parts")
    };
    assert_eq!((first.services.len(), first.last), (500, false));
    assert_eq!((second.services.len(), second.last, second.at), (101, true, first.at));
    Ok(())
}

#[tokio::test]
async fn the_heaviest_services_fit_into_the_messages_that_a_reader_takes_by_default() -> Result<()> {
    let server = Server::start().await?;
    let labels: BTreeMap<String, String> = (0..64).map(|n| (format!("l{n}"), "x".repeat(4096))).collect();
    let Event::Snapshot(empty) = next(&mut watch(&server, None).await?).await? else { bail!("no snapshot") };
    for n in 0..20 {
        server.client.register(with(model(&format!("m{n:02}")), json!({"labels": labels}))).await?;
    }
    let wanted: Vec<String> = (0..20).map(|n| format!("m{n:02}")).collect();
    for from in [None, empty.at] {
        let mut stream = watch(&server, from).await?;
        let mut found = BTreeSet::new();
        while found.len() < wanted.len() {
            let services = match next(&mut stream).await? {
                Event::Snapshot(snapshot) => snapshot.services,
                Event::Changes(changes) => changes.upserted,
                Event::Progress(_) => continue,
            };
            found.extend(services.into_iter().map(|service| service.name).filter(|name| name != "registry"));
        }
        assert_eq!(Vec::from_iter(found), wanted);
    }
    Ok(())
}

#[tokio::test]
async fn a_follower_reads_every_transition_once_across_a_restart() -> Result<()> {
    let mut server = Server::start().await?;
    server.client.register(model("a")).await?;
    let read = async |server: &Server, after: u64, wanted: usize| -> Result<Vec<(u64, String)>> {
        let mut stream = client(server).await?.follow(FollowRequest { after }).await?.into_inner();
        let mut read = Vec::new();
        while read.len() < wanted {
            let message = tokio::time::timeout(Duration::from_secs(20), stream.message()).await??;
            let transitions = message.context("the stream ended")?.transitions;
            read.extend(
                transitions.into_iter().map(|it| (it.seq, format!("{} {}", it.kind, it.service_name()))),
            );
        }
        Ok(read)
    };
    let before = read(&server, 0, 2).await?;
    let last = before.last().context("nothing")?.0;
    server.restart().await?;
    server.client.register(model("b")).await?;
    let after = read(&server, last, 2).await?;
    let told: Vec<&str> = before.iter().chain(&after).map(|(_, told)| told.as_str()).collect();
    assert_eq!(told, ["registered registry", "registered a", "reregistered registry", "registered b"]);
    assert!(before.iter().chain(&after).is_sorted_by(|a, b| a.0 < b.0));
    Ok(())
}

#[tokio::test]
async fn streams_end_as_unavailable_when_the_registry_stops() -> Result<()> {
    let mut server = Server::start().await?;
    let mut stream = watch(&server, None).await?;
    next(&mut stream).await?;
    server.stop().await?;
    let ended = loop {
        match stream.message().await {
            Ok(Some(_)) => {}
            other => break other,
        }
    };
    assert_eq!(ended.map_err(|status| status.code()).err(), Some(tonic::Code::Unavailable));
    Ok(())
}
