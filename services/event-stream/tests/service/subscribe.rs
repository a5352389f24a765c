use std::time::Duration;

use anyhow::{Context, Result, bail};
use pas_event_stream::Config;
use pas_proto::events::v1::subscribe_response::Message;
use pas_proto::events::v1::{Cursor, SubscribeRequest, SubscribeResponse};
use pas_testkit::until;
use serde_json::{Value, json};
use tonic::Streaming;

use crate::support::{Server, log};

/// A reader of server-sent events.
pub(crate) struct Sse {
    response: reqwest::Response,
    text: String,
}

/// One of them: id, name, data.
pub(crate) type Sent = (String, String, Value);

impl Sse {
    pub(crate) async fn open(server: &Server, query: &str, last_event_id: Option<&str>) -> Result<Self> {
        let mut request = server.client.http.get(format!("{}/events/stream{query}", server.client.url));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await?.error_for_status()?;
        Ok(Self { response, text: String::new() })
    }

    pub(crate) async fn next(&mut self) -> Result<Sent> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                if !event.contains("data:") {
                    continue;
                }
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                    line.map(str::to_owned).with_context(|| format!("no {name} in {event}"))
                };
                return Ok((field("id")?, field("event")?, serde_json::from_str(&field("data")?)?));
            }
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.response.chunk()).await??;
            self.text.push_str(std::str::from_utf8(&chunk.context("the stream ended")?)?);
        }
    }
}

#[tokio::test]
async fn a_reader_of_server_sent_events_takes_up_where_it_left_off() -> Result<()> {
    let mut server = Server::start().await?;
    server.client.publish(log("before")).await?;
    let mut reader = Sse::open(&server, "?type=log", None).await?;
    until("it is connected", async || {
        let text = server
            .client
            .http
            .get(format!("{}/metrics", server.client.url))
            .send()
            .await
            .ok()?
            .text()
            .await
            .ok()?;
        text.contains("pas_event_stream_subscribers{kind=\"sse\"} 1").then_some(())
    })
    .await;
    server
        .client
        .publish(json!([{"event_type": "status_update", "agent": "A", "event": "started"}, log("one")]))
        .await?;
    let (id, name, data) = reader.next().await?;
    let epoch = server.client.head().await?.epoch;
    assert_eq!((&*id, &*name, &data["message"]), (&*format!("{epoch}:3"), "log", &json!("one")));

    server.client.publish(json!([log("two"), log("three")])).await?;
    drop(reader);
    server.restart().await?;
    server.client.publish(log("four")).await?;
    let mut reader = Sse::open(&server, "", Some(&id)).await?;
    for message in ["two", "three", "four"] {
        assert_eq!(reader.next().await?.2["message"], message);
    }
    Ok(())
}

#[tokio::test]
async fn a_reader_that_was_sent_no_event_yet_can_resume_as_well() -> Result<()> {
    let mut server = Server::start().await?;
    server.client.publish(log("before")).await?;
    let mut reader = Sse::open(&server, "?type=alert", None).await?;
    let place = tokio::time::timeout(Duration::from_secs(20), reader.response.chunk()).await??;
    let place = String::from_utf8(place.context("the stream ended")?.to_vec())?;
    let id = place.trim().strip_prefix("id: ").context("an id without an event")?.to_owned();
    assert_eq!(id, server.client.head().await?.to_string());
    drop(reader);
    server.restart().await?;
    server.client.publish(log("meanwhile")).await?;
    let mut reader = Sse::open(&server, "", Some(&id)).await?;
    assert_eq!(reader.next().await?.2["message"], "meanwhile");
    Ok(())
}

#[tokio::test]
async fn a_reader_whose_place_is_unknown_is_told_so_and_goes_on_from_now() -> Result<()> {
    let server = Server::start().await?;
    server.client.publish(log("before")).await?;
    let head = server.client.head().await?;
    let mut reader = Sse::open(&server, "", Some("1:1")).await?;
    let (id, name, data) = reader.next().await?;
    let reset = json!({"epoch": head.epoch, "head": 1, "oldest": 1, "mode": "reset"});
    assert_eq!((id, &*name, data), (head.to_string(), "reset", reset));
    server.client.publish(log("after")).await?;
    assert_eq!(reader.next().await?.2["message"], "after");
    Ok(())
}

/// The events of the next message that has some, and where to resume.
async fn delivery(stream: &mut Streaming<SubscribeResponse>) -> Result<(Vec<Value>, Cursor)> {
    loop {
        let message = tokio::time::timeout(Duration::from_secs(20), stream.message()).await??;
        match message.context("the stream ended")?.message.context("an empty message")? {
            Message::Delivery(delivery) => {
                let events = delivery.events.iter().map(|event| serde_json::from_slice(event));
                return Ok((events.collect::<Result<_, _>>()?, delivery.to.context("a cursor")?));
            }
            Message::Hello(_) | Message::Progress(_) => {}
        }
    }
}

#[tokio::test]
async fn who_is_far_behind_reads_the_files_and_misses_nothing() -> Result<()> {
    let server = Server::with(Config { segment_mb: 1, ..Config::default() }).await?;
    // Twice what is held in memory.
    let big = log(&"x".repeat(5_000));
    for _ in 0..24 {
        server.client.publish(json!(vec![big.clone(); 100])).await?;
    }
    let head = server.client.head().await?;
    let after = Some(Cursor { epoch: head.epoch, seq: 0 });
    let mut stream =
        server.rpc().await?.subscribe(SubscribeRequest { after, ..Default::default() }).await?.into_inner();
    let mut next = 1;
    while next <= head.seq {
        let (events, to) = delivery(&mut stream).await?;
        for event in &events {
            assert_eq!(event["seq"], next);
            next += 1;
        }
        assert_eq!(to.seq + 1, next);
    }
    server.client.publish(log("now")).await?;
    assert_eq!(delivery(&mut stream).await?.0[0]["message"], "now");
    Ok(())
}

#[tokio::test]
async fn the_health_says_how_far_behind_each_subscriber_is() -> Result<()> {
    let server = Server::start().await?;
    let reason = async || {
        let (_, health) = server.client.get("/health").await.ok()?;
        health["checks"]["subscribers"]["reason"].as_str().map(str::to_owned)
    };
    let mut reader = Sse::open(&server, "?type=alert", None).await?;
    // It takes nothing.
    let _slow = server.rpc().await?.subscribe(SubscribeRequest::default()).await?.into_inner();
    until("both are at the head", async || {
        reason().await.filter(|words| words == "2 read; behind by events: sse 1 by 0, grpc 2 by 0")
    })
    .await;
    for _ in 0..40 {
        server.client.publish(json!(vec![log(&"x".repeat(50_000)); 5])).await?;
    }
    let words = until("the one that takes nothing is behind", async || {
        reason().await.filter(|words| words.ends_with(", sse 1 by 0") && !words.contains("grpc 2 by 0"))
    })
    .await;
    let lag =
        words.strip_prefix("2 read; behind by events: grpc 2 by ").and_then(|rest| rest.split(',').next());
    assert!((1..=200).contains(&lag.context("a number")?.parse::<u64>()?), "{words}");
    reader.response.chunk().await?;
    Ok(())
}

#[tokio::test]
async fn what_can_not_be_read_is_said_to_whoever_asks_for_it_and_is_there_again_when_it_can() -> Result<()> {
    let server = Server::with(Config { segment_mb: 1, ..Config::default() }).await?;
    // More than is held in memory.
    for _ in 0..24 {
        server.client.publish(json!(vec![log(&"x".repeat(50_000)); 10])).await?;
    }
    let epoch = server.client.head().await?.epoch;
    let segment = server.data().join("hmi/events/00000000000000000001.jsonl");
    let taken = segment.with_extension("taken");
    std::fs::rename(&segment, &taken)?;
    std::fs::create_dir(&segment)?;
    let (status, answer) = server.client.get("/events?limit=1").await?;
    let error = &answer["error"];
    assert_eq!((status, &error["code"], &error["retryable"]), (503, &json!("unavailable"), &json!(true)));
    let request = SubscribeRequest { after: Some(Cursor { epoch, seq: 0 }), ..Default::default() };
    let mut rpc = server.rpc().await?;
    let refused = delivery(&mut rpc.subscribe(request.clone()).await?.into_inner()).await.unwrap_err();
    let status = refused.downcast_ref::<tonic::Status>().context("a status")?;
    assert_eq!(status.code(), tonic::Code::Unavailable);
    let mut reader = Sse::open(&server, "", Some(&format!("{epoch}:0"))).await?;
    assert_eq!(reader.next().await.unwrap_err().to_string(), "the stream ended");
    server.client.publish(log("meanwhile")).await?;

    std::fs::remove_dir(&segment)?;
    std::fs::rename(&taken, &segment)?;
    assert_eq!(server.client.all("limit=1000").await?.len(), 241);
    let (events, _) = delivery(&mut rpc.subscribe(request).await?.into_inner()).await?;
    assert_eq!(events[0]["seq"], 1);
    Ok(())
}

#[tokio::test]
async fn a_service_follows_what_it_wants_and_is_told_when_it_may_have_missed_something() -> Result<()> {
    let server = Server::start().await?;
    server
        .client
        .publish(json!([log("a"), {"event_type": "status_update", "agent": "A", "event": "done"}]))
        .await?;
    let epoch = server.client.head().await?.epoch;
    let subscribe = |after, types: &[&str]| SubscribeRequest {
        after,
        types: types.iter().map(|it| (*it).to_owned()).collect(),
        ..Default::default()
    };
    let mut rpc = server.rpc().await?;
    let request = subscribe(Some(Cursor { epoch: epoch - 1, seq: 2 }), &["status_update"]);
    let mut stream = rpc.subscribe(request).await?.into_inner();
    let first = stream.message().await?.context("a message")?.message;
    let Some(Message::Hello(hello)) = first else { bail!("{first:?}") };
    assert_eq!((hello.epoch, hello.head, hello.oldest, hello.reset), (epoch, 2, 1, true));
    let (events, to) = delivery(&mut stream).await?;
    assert_eq!((events[0]["seq"].clone(), to), (json!(2), Cursor { epoch, seq: 2 }));

    let refused = rpc.subscribe(subscribe(None, &["stats_update"])).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    assert!(refused.message().contains("did you mean `status_update`"), "{refused}");
    Ok(())
}
