use anyhow::{Context, Result, bail};
use pas_proto::events::v1::publish_response::Result as Outcome;
use pas_proto::events::v1::{PublishRequest, SubscribeRequest};
use pas_service::clock;
use pas_types::time::WireTime;
use serde_json::{Value, json};

use crate::subscribe::Sse;
use crate::support::{Server, log};

/// What an error tells: status, code, field.
type Told = (u16, String, Option<String>);

fn told((status, answer): (u16, Value)) -> Told {
    let word = |key: &str| answer["error"][key].as_str().map(str::to_owned);
    (status, word("code").unwrap_or_default(), word("field"))
}

fn invalid(status: u16, field: &str) -> Told {
    (status, "invalid_argument".to_owned(), Some(field.to_owned()))
}

/// An event stream that has something to lose, and somebody who reads meanwhile.
async fn started() -> Result<(Server, Sse, [Value; 2])> {
    let server = Server::start().await?;
    let beat = json!({"event_type": "heartbeat", "agent": "Coder", "status": "running"});
    server.client.publish(json!([log("one"), log("two"), beat])).await?;
    let at = server.client.head().await?;
    let live = Sse::open(&server, &format!("?since={at}"), None).await?;
    let state = state(&server).await?;
    Ok((server, live, state))
}

/// All that may not change.
async fn state(server: &Server) -> Result<[Value; 2]> {
    Ok([server.client.get("/events").await?.1, server.client.get("/snapshot").await?.1])
}

/// That nothing came to be, and that the next event comes next, to whoever reads.
async fn unchanged(server: &Server, mut live: Sse, before: [Value; 2]) -> Result<()> {
    assert_eq!(state(server).await?, before);
    let head = server.client.head().await?;
    let place = server.client.publish(log("afterwards")).await?;
    let (epoch, seq) = (head.epoch, head.seq + 1);
    assert_eq!(place, json!({"epoch": epoch, "seq": seq, "cursor": format!("{epoch}:{seq}")}));
    let (id, name, event) = live.next().await?;
    let next = format!("{}:{}", head.epoch, head.seq + 1);
    assert_eq!((id, &*name, &event["message"]), (next, "log", &json!("afterwards")));
    Ok(())
}

fn with(key: &str, value: Value) -> Value {
    let mut event = log("bad");
    event[key] = value;
    event
}

fn next_year() -> Value {
    let year_ms = 365 * 24 * 3_600 * 1_000;
    json!(WireTime::from_millis(WireTime::from(clock::now().wall).as_millis() + year_ms))
}

#[tokio::test]
async fn a_bad_event_is_refused_by_code_and_field_and_changes_nothing() -> Result<()> {
    let (server, live, before) = started().await?;
    let untyped = json!({"message": "no type"});
    let of_two_megabytes = log(&"x".repeat(2 << 20));
    let beat = |key: &str, value: Value| json!({"event_type": "heartbeat", "status": "ok", key: value});
    let cases = [
        (untyped.clone(), 400, "event_type"),
        (with("event_type", json!("hearbeat")), 400, "event_type"),
        (with("event_type", json!(7)), 400, "event_type"),
        (of_two_megabytes.clone(), 413, "body"),
        (with("ts", next_year()), 400, "ts"),
        (with("ts", json!("yesterday")), 400, "ts"),
        (with("seq", json!(1)), 400, "seq"),
        (with("colour", json!("red")), 400, "colour"),
        (with("run_id", json!("../etc")), 400, "run_id"),
        (with("idempotency_key", json!("")), 400, "idempotency_key"),
        (beat("progress", json!(0.5)), 400, "agent"),
        (with("message", json!(["a", "b"])), 400, "message"),
        (json!([]), 400, "body"),
        (json!([log("good"), with("ts", next_year())]), 400, "[1].ts"),
        (json!([log("good"), untyped]), 400, "[1].event_type"),
        (json!([log("good"), of_two_megabytes]), 413, "[1]"),
        (json!(vec![log("good"); 5_001]), 400, "body"),
        (json!(vec![log(&"x".repeat(1_000_000)); 9]), 413, "body"),
    ];
    for (event, status, field) in cases {
        let shown: String = event.to_string().chars().take(200).collect();
        assert_eq!(told(server.client.post(&event).await?), invalid(status, field), "{shown}");
    }
    for text in ["", "{\"event_type\":", "\"log\"", "null"] {
        let request = server.client.http.post(format!("{}/events", server.client.url));
        let answer = request.header("content-type", "application/json").body(text).send().await?;
        let (status, code, _) = told((answer.status().as_u16(), answer.json().await?));
        assert_eq!((status, &*code), (400, "invalid_argument"), "{text}");
    }
    unchanged(&server, live, before).await
}

#[tokio::test]
async fn a_bad_cursor_or_filter_is_refused_by_code_and_field_and_changes_nothing() -> Result<()> {
    let (server, live, before) = started().await?;
    let at = server.client.head().await?;
    let cases = [
        (format!("since={}:1", at.epoch + 1), "since"),
        (format!("since={}:{}", at.epoch, at.seq + 1), "since"),
        ("since=yesterday".to_owned(), "since"),
        ("type=hearbeat".to_owned(), "type"),
        ("agent=".to_owned(), "agent"),
        ("run_id=..".to_owned(), "run_id"),
        ("colour=red".to_owned(), "colour"),
    ];
    for (query, field) in &cases {
        for path in ["/events", "/events/stream", "/events/export"] {
            let refused = told(server.client.get(&format!("{path}?{query}")).await?);
            assert_eq!(refused, invalid(400, field), "{path}?{query}");
        }
    }
    for query in ["/events?limit=0", "/events?limit=1001", "/events/stream?limit=1"] {
        assert_eq!(told(server.client.get(query).await?), invalid(400, "limit"), "{query}");
    }
    unchanged(&server, live, before).await
}

#[tokio::test]
async fn a_bad_batch_of_a_service_is_refused_by_code_field_and_place_and_changes_nothing() -> Result<()> {
    let (server, live, before) = started().await?;
    let bytes = |event: Value| event.to_string().into_bytes();
    let cases = [
        (vec![bytes(log("good")), bytes(json!({"message": "no type"}))], Some("event_type"), Some(1)),
        (vec![bytes(with("event_type", json!("hearbeat")))], Some("event_type"), Some(0)),
        (vec![bytes(with("ts", next_year()))], Some("ts"), Some(0)),
        (vec![bytes(log(&"x".repeat(2 << 20)))], Some("body"), Some(0)),
        (vec![b"{".to_vec()], None, Some(0)),
        (vec![], Some("body"), None),
        (vec![bytes(log("good")); 5_001], Some("body"), None),
    ];
    let (events, wanted): (Vec<_>, Vec<_>) =
        cases.into_iter().map(|(events, field, index)| (events, (field, index))).unzip();
    let requests = (0..).zip(events).map(|(batch, events)| PublishRequest { batch, events });
    let requests: Vec<_> = requests.collect();
    let mut answers = server.rpc().await?.publish(tokio_stream::iter(requests)).await?.into_inner();
    for (batch, (field, index)) in (0..).zip(wanted) {
        let answer = answers.message().await?.context("the stream ended")?;
        let Some(Outcome::Refused(refused)) = answer.result else { bail!("{batch}: {answer:?}") };
        let told = (answer.batch, &*refused.code, refused.field.as_deref(), refused.index);
        assert_eq!(told, (batch, "invalid_argument", field, index), "{}", refused.message);
    }
    unchanged(&server, live, before).await
}

#[tokio::test]
async fn a_bad_subscription_of_a_service_is_refused_by_code_and_disturbs_nobody() -> Result<()> {
    let (server, live, before) = started().await?;
    let cases = [
        SubscribeRequest { types: vec!["hearbeat".to_owned()], ..SubscribeRequest::default() },
        SubscribeRequest { agents: vec![String::new()], ..SubscribeRequest::default() },
        SubscribeRequest { run_id: Some("..".to_owned()), ..SubscribeRequest::default() },
    ];
    for request in cases {
        let shown = format!("{request:?}");
        let refused = server.rpc().await?.subscribe(request).await.err().with_context(|| shown.clone())?;
        assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{shown}: {refused}");
    }
    unchanged(&server, live, before).await
}
