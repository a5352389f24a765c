use anyhow::{Context, Result, bail};
use pas_proto::events::v1::publish_response::Result as Outcome;
use pas_proto::events::v1::{PublishRequest, PublishResponse, Published, Refused};
use serde_json::{Value, json};
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use crate::support::{Server, log, seqs};

#[tokio::test]
async fn what_is_published_has_a_place_and_is_there_after_a_restart() -> Result<()> {
    let mut server = Server::start().await?;
    let first = server.client.publish(log("one")).await?;
    assert_eq!(first["seq"], 1);
    let batch = server.client.publish(json!([log("two"), log("three")])).await?;
    assert_eq!(
        batch,
        json!({"epoch": first["epoch"], "first_seq": 2, "last_seq": 3, "cursor": format!("{}:3", first["epoch"])})
    );

    server.restart().await?;
    let events = server.client.all("").await?;
    let said: Vec<_> = events.iter().map(|event| (event["seq"].clone(), event["message"].clone())).collect();
    let said_before = ["one", "two", "three"].into_iter().zip(1..).map(|(it, seq)| (json!(seq), json!(it)));
    assert_eq!(said, said_before.collect::<Vec<_>>());
    assert!(events.iter().all(|event| event.get("more").is_none()), "{events:?}");
    let next = server.client.publish(log("four")).await?;
    assert_eq!(next, json!({"epoch": first["epoch"], "seq": 4, "cursor": format!("{}:4", first["epoch"])}));
    Ok(())
}

#[tokio::test]
async fn a_batch_with_one_bad_event_is_refused_whole() -> Result<()> {
    let server = Server::start().await?;
    let (status, answer) = server.client.post(&json!([log("a"), {"event_type": "log"}, log("c")])).await?;
    let error = &answer["error"];
    assert_eq!(
        (status, &error["code"], &error["field"]),
        (400, &json!("invalid_argument"), &json!("[1].message"))
    );
    assert_eq!(server.client.head().await?.seq, 0);
    Ok(())
}

#[tokio::test]
async fn the_same_key_again_answers_the_same_place_also_after_a_restart() -> Result<()> {
    let mut server = Server::start().await?;
    let keyed = |key: &str| json!({"event_type": "log", "message": "x", "idempotency_key": key});
    let first = server.client.publish(keyed("a")).await?;
    assert_eq!(server.client.post(&keyed("a")).await?, (200, first.clone()));
    // One that is known among new ones.
    let mixed = server.client.publish(json!([keyed("b"), keyed("a"), keyed("c")])).await?;
    assert_eq!((&mixed["first_seq"], &mixed["last_seq"]), (&json!(2), &json!(3)));
    server.restart().await?;
    assert_eq!(server.client.post(&keyed("a")).await?, (200, first));
    assert_eq!(server.client.post(&json!([keyed("c"), keyed("b")])).await?.0, 200);
    assert_eq!(seqs(&server.client.all("").await?), [1, 2, 3]);
    Ok(())
}

#[tokio::test]
async fn a_key_that_is_in_a_batch_twice_is_refused_and_may_come_again() -> Result<()> {
    let server = Server::start().await?;
    let keyed = json!({"event_type": "log", "message": "x", "idempotency_key": "a"});
    let (status, answer) = server.client.post(&json!([keyed, keyed])).await?;
    assert_eq!((status, &answer["error"]["field"]), (400, &json!("[1].idempotency_key")));
    server.client.publish(keyed).await?;
    Ok(())
}

#[tokio::test]
async fn of_many_who_publish_the_same_at_once_one_is_taken() -> Result<()> {
    let server = Server::start().await?;
    let keyed = json!({"event_type": "log", "message": "x", "idempotency_key": "a"});
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (client, body) = (server.client.clone(), keyed.clone());
        calls.spawn(async move { client.post(&body).await });
    }
    let mut places = std::collections::BTreeSet::new();
    for answered in calls.join_all().await {
        match answered? {
            (201 | 200, answer) => drop(places.insert(answer["seq"].as_u64())),
            (503, answer) => assert_eq!(answer["error"]["retryable"], true),
            other => bail!("{other:?}"),
        }
    }
    assert_eq!(places, [Some(1)].into());
    assert_eq!(server.client.head().await?.seq, 1);
    Ok(())
}

/// A publisher's stream.
struct Publisher {
    out: Sender<PublishRequest>,
    answers: Streaming<PublishResponse>,
}

impl Publisher {
    async fn new(server: &Server) -> Result<Self> {
        let (out, requests) = channel(4);
        let answers = server.rpc().await?.publish(ReceiverStream::new(requests)).await?.into_inner();
        Ok(Self { out, answers })
    }

    async fn publish(&mut self, batch: u64, events: &[Value]) -> Result<Outcome> {
        let events = events.iter().map(|event| event.to_string().into_bytes()).collect();
        self.out.send(PublishRequest { batch, events }).await?;
        let answer = self.answers.message().await?.context("the stream ended")?;
        assert_eq!(answer.batch, batch);
        answer.result.context("an empty answer")
    }
}

#[tokio::test]
async fn services_publish_by_a_stream_that_a_refusal_does_not_end() -> Result<()> {
    let server = Server::start().await?;
    let mut publisher = Publisher::new(&server).await?;
    let keyed = json!({"event_type": "log", "message": "x", "idempotency_key": "a"});
    let Outcome::Published(Published { epoch, .. }) =
        publisher.publish(7, &[log("a"), keyed.clone()]).await?
    else {
        bail!("refused")
    };
    assert_eq!(epoch, server.client.head().await?.epoch);
    let refused = publisher.publish(8, &[log("b"), json!({"event_type": "log", "message": 1})]).await?;
    let Outcome::Refused(Refused { code, field, index, .. }) = refused else { bail!("{refused:?}") };
    assert_eq!((&*code, field.as_deref(), index), ("invalid_argument", Some("message"), Some(1)));
    let again = publisher.publish(9, &[keyed.clone(), log("c")]).await?;
    assert_eq!(again, Outcome::Published(Published { epoch, first_seq: 3, last_seq: 3, duplicates: 1 }));
    let nothing_new = publisher.publish(10, &[keyed]).await?;
    assert_eq!(
        nothing_new,
        Outcome::Published(Published { epoch, first_seq: 0, last_seq: 0, duplicates: 1 })
    );
    assert_eq!(server.client.head().await?.seq, 3);
    Ok(())
}
