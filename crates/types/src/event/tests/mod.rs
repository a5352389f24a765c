mod any;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::alert::{AlertAction, AlertType, HeartbeatAlert, Severity};
use crate::error::ErrorCode;
use crate::registry::{self, Activity, ResourceUse, Status, TokenUsage};

/// As the first users wrote it.
const HEARTBEAT: &str = r#"{"event_type":"heartbeat","agent":"Architect","run_id":"R-001","ts":"2025-11-06T10:30:00Z","progress":0.4,"status":"running","token_usage":{"ctx_used":4200,"ctx_limit":16000},"resources":{"cpu":0.3,"mem_mb":220}}"#;

fn now() -> WireTime {
    "2025-11-06T10:30:00.123Z".parse().unwrap()
}

fn read(text: &str) -> Result<Event, Error> {
    Event::read(text.as_bytes(), now())
}

fn heartbeat() -> Event {
    let fields = Heartbeat {
        status: AgentStatus::Running,
        progress: Some(0.4),
        token_usage: Some(TokenUsage { ctx_used: 4200, ctx_limit: 16000 }),
        resources: Some(ResourceUse { cpu: 0.3, mem_mb: 220.0 }),
    };
    Event {
        agent: Some("Architect".to_owned()),
        run_id: Some("R-001".parse().unwrap()),
        ..Event::new("2025-11-06T10:30:00Z".parse().unwrap(), fields)
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(event in any::event()) {
        let text = serde_json::to_string(&event).unwrap();
        prop_assert_eq!(read(&text), Ok(event.clone()), "{}", &text);
        let start = format!(r#"{{"event_type":"{}","ts":"{}""#, event.event_type(), event.ts);
        prop_assert!(text.starts_with(&start), "{}", text);
        let header = Header::read(text.as_bytes()).unwrap();
        let told = (header.event_type, header.agent(), header.run_id());
        let run_id = event.run_id.as_ref().map(RunId::as_str);
        prop_assert_eq!(told, (event.event_type(), event.agent.as_deref(), run_id));
    }

    #[test]
    fn the_place_of_a_field_does_not_matter(event in any::event(), shift: prop::sample::Index) {
        let document = serde_json::to_value(&event).unwrap();
        let mut fields: Vec<_> = document.as_object().unwrap().iter().collect();
        let shift = shift.index(fields.len());
        fields.rotate_left(shift);
        let fields: Vec<String> = fields.iter().map(|(key, value)| format!("{}:{value}", json!(key))).collect();
        prop_assert_eq!(read(&format!("{{{}}}", fields.join(","))), Ok(event));
    }

    #[test]
    fn nothing_that_is_sent_makes_it_fall_over(text in ".{0,200}", body in "[\\[{\"}:,a-z0-9\\]]{0,60}") {
        let _ = (read(&text), read(&body), Posted::read(body.as_bytes(), now()));
        let _ = read(&HEARTBEAT.replacen("\"progress\"", &body, 1));
    }
}

#[test]
fn the_heartbeat_of_the_first_users_is_read_as_they_wrote_it() {
    assert_eq!(read(HEARTBEAT), Ok(heartbeat()));
}

#[test]
fn an_event_without_a_time_happened_now() {
    let event = read(r#"{"event_type":"log","message":"hello"}"#).unwrap();
    assert_eq!(event, Event::new(now(), Log { message: "hello".to_owned(), level: None }));
}

#[test]
fn an_event_that_is_none_is_refused_by_field() {
    let types = EventType::ALL.map(EventType::as_str).join(", ");
    let missing = format!("event_type is missing: use one of {types}");
    let nearly =
        format!("`heart_beat` is not a known event type: use one of {types}; did you mean `heartbeat`?");
    let log_fields = "expected one of `event_type`, `ts`, `agent`, `run_id`, `service_id`, `idempotency_key`, \
                      `message`, `level`";
    let colour = format!("unknown field `colour`, {log_fields}");
    let seq = format!("unknown field `seq`, {log_fields}");
    let cases = [
        (r#"{"agent":"A"}"#, "event_type", &*missing),
        (r#"{"event_type":"heart_beat"}"#, "event_type", &nearly),
        (r#"{"event_type":7}"#, "event_type", "event_type: invalid type: integer `7`, expected a string"),
        (r#"{"event_type":"log","message":"x","colour":1}"#, "colour", &colour),
        (r#"{"event_type":"log","message":"x","seq":1}"#, "seq", &seq),
        (r#"{"event_type":"log"}"#, "message", "missing field `message`"),
        (r#"{"event_type":"log","message":"x","message":"y"}"#, "message", "duplicate field `message`"),
        (r#"{"event_type":"log","message":"x","agent":"a","agent":"b"}"#, "agent", "duplicate field `agent`"),
        (
            r#"{"event_type":"log","message":"x","agent":7}"#,
            "agent",
            "agent: invalid type: integer `7`, expected a string",
        ),
        (
            r#"{"event_type":"heartbeat","status":"ok"}"#,
            "agent",
            "agent is missing: an event of type heartbeat is always about one",
        ),
        (
            r#"{"event_type":"heartbeat","agent":"A","status":"ok","progress":2}"#,
            "progress",
            "progress is 2: use a number from 0 to 1",
        ),
        (
            r#"{"event_type":"heartbeat","agent":"A","status":"ok","token_usage":{"ctx_used":-1,"ctx_limit":2}}"#,
            "token_usage.ctx_used",
            "token_usage.ctx_used: invalid value: integer `-1`, expected a whole number, 0 or more",
        ),
        (
            r#"{"event_type":"log","message":"x","ts":"2026-11-06T10:30:00Z"}"#,
            "ts",
            "ts is 2026-11-06T10:30:00.000Z, which is 31535999 s ahead of the clock here: use at most 300 s, or \
             leave it out",
        ),
    ];
    for (text, field, message) in cases {
        assert_eq!(read(text), Err(Error::invalid(field, message)), "{text}");
    }
}

#[test]
fn what_is_no_object_is_refused() {
    let message = |text: &str| read(text).unwrap_err().message;
    assert_eq!(message(""), "the body is empty: send a JSON object");
    assert_eq!(message("[]"), "invalid type: sequence, expected an object");
    assert_eq!(message(r#"["log"]"#), "invalid type: sequence, expected an object");
    assert!(message("{\"event_type\":").starts_with("the body is not valid JSON"));
    assert!(message(&format!("{HEARTBEAT}{HEARTBEAT}")).starts_with("the body goes on"));
}

#[test]
fn an_event_may_be_five_minutes_ahead_and_no_longer() {
    let at = |ms: i64| Event { ts: WireTime::from_millis(now().as_millis() + ms), ..heartbeat() };
    assert_eq!(at(300_000).validate(now()), Ok(()));
    assert_eq!(at(300_001).validate(now()).unwrap_err().field.as_deref(), Some("ts"));
    assert_eq!(at(-1_000_000_000_000).validate(now()), Ok(()));
}

#[test]
fn an_event_that_is_too_long_is_refused() {
    let details = |letters: usize| {
        let told = "x".repeat(letters);
        format!(
            r#"{{"event_type":"status_update","agent":"A","event":"started","details":{{"x":"{told}"}}}}"#
        )
    };
    let rest = details(0).len();
    assert!(read(&details(limits::EVENT_BYTES - rest)).is_ok());
    let message = "the event has 1048577 bytes: use at most 1048576";
    let wanted = Error::invalid("body", message).with_status(413);
    assert_eq!(read(&details(limits::EVENT_BYTES - rest + 1)), Err(wanted));
}

#[test]
fn an_event_that_the_stream_keeps_is_read_with_its_place_whatever_was_added_to_it() {
    let line = HEARTBEAT.replacen('{', r#"{"seq":4711,"hash":{"blake3":"…"},"#, 1);
    assert_eq!(Recorded::read(line.as_bytes()), Ok(Recorded { seq: 4711, event: heartbeat() }));
    let without = Recorded::read(HEARTBEAT.as_bytes()).unwrap_err();
    assert_eq!(without, Error::invalid("seq", "seq is missing: every event of the stream has one"));
}

#[test]
fn a_post_is_one_event_or_a_batch_of_them() {
    let one = Posted::read(HEARTBEAT.as_bytes(), now());
    assert_eq!(one, Ok(Posted::One(Box::new(heartbeat()))));
    let batch = Posted::read(format!(" [{HEARTBEAT}, {HEARTBEAT}]").as_bytes(), now());
    assert_eq!(batch, Ok(Posted::Batch(vec![heartbeat(), heartbeat()])));
}

#[test]
fn one_bad_event_refuses_its_batch_by_its_place() {
    let refused = |body: String| Posted::read(body.as_bytes(), now()).unwrap_err();
    let wrong = refused(format!(r#"[{HEARTBEAT},{{"event_type":"log"}}]"#));
    assert_eq!(wrong, Error::invalid("[1].message", "[1]: missing field `message`"));
    let numbers = refused(format!("[{HEARTBEAT},7]"));
    assert_eq!(numbers.field.as_deref(), Some("[1]"));
    assert_eq!(refused("[]".to_owned()), Error::invalid("body", "the batch has 0 events: use 1 to 5000"));
    let many = vec![r#"{"event_type":"log","message":""}"#; 5001].join(",");
    let too_many = Error::invalid("body", "the batch has 5001 events: use 1 to 5000");
    assert_eq!(refused(format!("[{many}]")), too_many);
    let long = refused(format!("[{}{HEARTBEAT}]", " ".repeat(limits::BATCH_BYTES)));
    assert_eq!((long.field.as_deref(), long.http_status), (Some("body"), Some(413)));
    let texts = [HEARTBEAT, "{}"].map(str::as_bytes);
    let by_rpc = read_batch(texts.into_iter(), now()).unwrap_err();
    assert_eq!((by_rpc.index, by_rpc.error.field.as_deref()), (Some(1), Some("event_type")));
}

#[test]
fn the_fields_of_a_type_are_none_that_every_event_has() {
    for described in body::Body::described() {
        let fields = serde_json::to_value(&described.fields).unwrap();
        let own = fields["properties"].as_object().unwrap();
        let both = flat::COMMON.iter().chain(&["seq"]).find(|name| own.contains_key(**name));
        assert_eq!(both, None, "{}", described.event_type);
    }
}

#[test]
fn a_beat_becomes_the_heartbeat_of_the_first_users() {
    let service_id = "01938f3c-8e1a-7c4d-9f2b-6a5d4c3b2a19".parse().unwrap();
    let beat = registry::Heartbeat {
        status: Some(Status::Degraded),
        progress: Some(0.4),
        run_id: Some("R-001".parse().unwrap()),
        token_usage: Some(TokenUsage { ctx_used: 4200, ctx_limit: 16000 }),
        resources: Some(ResourceUse { cpu: 0.3, mem_mb: 220.0 }),
        ..registry::Heartbeat::plain(service_id, None)
    };
    let of = |beat: &registry::Heartbeat| {
        serde_json::to_value(Event::of_beat("Architect", beat, heartbeat().ts)).unwrap()
    };
    let mut wanted: Value = serde_json::from_str(HEARTBEAT).unwrap();
    wanted["ts"] = json!("2025-11-06T10:30:00.000Z");
    wanted["service_id"] = json!(service_id);
    wanted["resources"]["mem_mb"] = json!(220.0);
    assert_eq!(of(&registry::Heartbeat { activity: Some(Activity::Running), ..beat.clone() }), wanted);
    wanted["status"] = json!("degraded");
    assert_eq!(of(&beat), wanted);
    wanted["status"] = json!("ok");
    assert_eq!(of(&registry::Heartbeat { status: None, ..beat }), wanted);
}

#[test]
fn an_alert_comes_through_the_stream_as_it_was() {
    let alert = HeartbeatAlert {
        alert_id: "01938f3d-1a2b-7e6f-9b4d-8c7f6e5d4c3b".parse().unwrap(),
        alert_type: AlertType::ContextBreach,
        severity: Severity::Warning,
        service_id: None,
        service_name: "Architect".to_owned(),
        missed_beats: 0,
        last_seen: Some(now()),
        action: AlertAction::None,
        ts: now(),
        acked: false,
        message: Some("its context is full".to_owned()),
        details: Some([("ctx_used".to_owned(), json!(12000))].into()),
    };
    let event = Event::from(alert.clone());
    assert_eq!(event.idempotency_key.as_deref(), Some("01938f3d-1a2b-7e6f-9b4d-8c7f6e5d4c3b"));
    let read = read(&serde_json::to_string(&event).unwrap()).unwrap();
    assert_eq!((read.event_type(), read.into_alert()), (EventType::Alert, Some(alert)));
    assert_eq!(heartbeat().into_alert(), None);
}

#[test]
fn a_cost_is_known_or_unknown_and_never_both() {
    let cost = |cost: &str| {
        let text = format!(r#"{{"event_type":"receipt","call_id":"gw-1","status":"ok","cost":{cost}}}"#);
        read(&text).map(|_| ()).map_err(|error| (error.code, error.field))
    };
    let refused = Err((ErrorCode::InvalidArgument, Some("cost.usd".to_owned())));
    assert_eq!(cost(r#"{"usd":0,"state":"confirmed"}"#), Ok(()));
    assert_eq!(cost(r#"{"usd":null,"state":"unknown"}"#), Ok(()));
    assert_eq!(cost(r#"{"state":"estimated"}"#), refused);
    assert_eq!(cost(r#"{"usd":0,"state":"unknown"}"#), refused);
}

#[test]
fn a_type_that_is_said_again_soon_is_kept_for_a_short_time() {
    let short: Vec<&str> = EventType::ALL
        .into_iter()
        .filter(|event_type| event_type.class() == Class::Short)
        .map(EventType::as_str)
        .collect();
    assert_eq!(short, ["heartbeat", "status_update", "context", "step", "log"]);
}
