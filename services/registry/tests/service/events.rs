//! What the registry tells the event stream, which a test can take away and bring back.

use anyhow::Result;
use pas_registry::Config;
use pas_service::{Running, Sockets, Swarm};
use pas_testkit::events::Will;
use pas_testkit::{EventStream, until};
use serde_json::{Value, json};

use crate::support::{Server, database, free_port, model, with};

fn serve(stream: &EventStream, port: u16) -> Result<Running> {
    let swarm = Swarm { bind: vec!["127.0.0.1".parse()?], ..Swarm::default() };
    stream.serve(Sockets::bind(&swarm, port)?)
}

async fn telling(port: u16) -> Result<Server> {
    Server::on(tempfile::tempdir()?, Config::default(), format!("http://127.0.0.1:{port}")).await
}

/// Type and service of every event that the stream keeps.
fn in_short(stream: &EventStream) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    stream.events().iter().map(|it| text(&it["event_type"]) + " " + &text(&it["service_name"])).collect()
}

async fn has(stream: &EventStream, count: usize) {
    let wait = async || (stream.events().len() >= count).then_some(());
    until(&format!("{count} events, not {:?}", in_short(stream)), wait).await;
}

#[tokio::test]
async fn what_happens_is_told_once_and_in_order_whoever_stops_and_starts() -> Result<()> {
    let (stream, port) = (EventStream::default(), free_port()?);
    let mut server = telling(port).await?;
    let a = server.client.register(model("a")).await?;
    let stopped = serve(&stream, port)?;
    has(&stream, 2).await;
    stopped.stop().await?;

    let id = json!({"service_id": a.service_id});
    let up = with(id.clone(), json!({"role": "canary", "reason": "passed"}));
    server.client.post("/promote", up).await?;
    server.client.post("/pause", with(id.clone(), json!({"reason": "later"}))).await?;
    server.restart().await?;
    server.client.post("/resume", id.clone()).await?;
    let again = serve(&stream, port)?;
    has(&stream, 6).await;
    server.restart().await?;
    server.client.post("/deregister", id).await?;
    has(&stream, 8).await;

    let told = [
        "registered registry",
        "registered a",
        "promoted a",
        "paused a",
        "registered registry",
        "resumed a",
        "registered registry",
        "deregistered a",
    ];
    assert_eq!((in_short(&stream), stream.doubled()), (told.map(str::to_owned).to_vec(), 0));
    let mut promoted = stream.events().remove(2);
    for varying in ["ts", "seq", "idempotency_key"] {
        promoted[varying].take();
    }
    let wanted = json!({
        "event_type": "promoted", "ts": null, "seq": null, "idempotency_key": null, "service_id": a.service_id,
        "service_name": "a", "service_type": "model", "from_role": "experimental", "to_role": "canary",
        "reason": "passed",
    });
    assert_eq!(promoted, wanted);
    server.stop().await?;
    again.stop().await
}

#[tokio::test]
async fn the_beats_of_agents_are_events_and_those_of_others_are_none() -> Result<()> {
    let (stream, port) = (EventStream::default(), free_port()?);
    let mut server = telling(port).await?;
    let llama = server.client.register(model("llama")).await?;
    let agent = json!({"name": "codex-1", "type": "agent", "role": "production", "caps": []});
    let agent = server.client.register(agent).await?;
    let beat =
        json!({"service_id": agent.service_id, "activity": "running", "progress": 0.5, "run_id": "R-001"});
    // Nobody waits for the stream, which isn't there yet.
    server.client.send(reqwest::Method::PUT, "/heartbeat", &json!({"service_id": llama.service_id})).await?;
    server.client.send(reqwest::Method::PUT, "/heartbeat", &beat).await?;
    let stale = with(beat, json!({"lease_id": "018f0000-0000-7000-8000-000000000001"}));
    assert_eq!(server.client.send(reqwest::Method::PUT, "/heartbeat", &stale).await?.0, 409);
    let running = serve(&stream, port)?;
    has(&stream, 4).await;
    server.stop().await?;

    let beats = stream.events().into_iter().filter(|event| event["event_type"] == "heartbeat");
    let beats: Vec<_> = beats
        .map(|it| json!([it["agent"], it["run_id"], it["status"], it["progress"], it["service_id"]]))
        .collect();
    assert_eq!(beats, [json!(["codex-1", "R-001", "running", 0.5, agent.service_id])]);
    running.stop().await
}

#[tokio::test]
async fn a_database_of_before_is_told_from_its_beginning_except_for_what_it_does_not_say() -> Result<()> {
    let data = tempfile::tempdir()?;
    std::fs::create_dir_all(data.path().join("registry"))?;
    let old = rusqlite::Connection::open(database(data.path()))?;
    old.execute_batch(include_str!("../../migrations/0001_services.sql"))?;
    old.execute_batch(
        "PRAGMA user_version = 1;
         INSERT INTO transitions VALUES
             (7, 1000, 'promoted', '018f0000-0000-7000-8000-000000000001', 'a', 'model', 'ok', 'ok', 0, 900, 'so'),
             (8, 2000, 'paused', '018f0000-0000-7000-8000-000000000001', 'a', 'model', 'ok', 'ok', 0, 900, NULL)",
    )?;
    drop(old);
    let (stream, port) = (EventStream::default(), free_port()?);
    let running = serve(&stream, port)?;
    let mut server = Server::on(data, Config::default(), format!("http://127.0.0.1:{port}")).await?;
    has(&stream, 2).await;
    assert_eq!(in_short(&stream), ["paused a", "registered registry"]);
    server.stop().await?;
    running.stop().await
}

#[tokio::test]
async fn what_the_stream_will_never_take_stops_nothing() -> Result<()> {
    let (stream, port) = (EventStream::default(), free_port()?);
    let running = serve(&stream, port)?;
    let mut server = telling(port).await?;
    has(&stream, 1).await;
    let own = stream.events().remove(0);
    // The stream forgets, the registry publishes again what it has, and its first event is refused now.
    server.stop().await?;
    stream.lose();
    stream.will(Will::Refuses(own["idempotency_key"].as_str().unwrap_or_default().to_owned()));
    rusqlite::Connection::open(server.database())?.execute("UPDATE published SET seq = 0", [])?;
    server.start_again().await?;
    server.client.register(model("a")).await?;
    has(&stream, 2).await;
    assert_eq!(in_short(&stream), ["registered registry", "registered a"]);
    assert_eq!(server.client.metric("pas_registry_events_refused_total").await?, 1.0);
    server.stop().await?;
    running.stop().await
}
