//! What is done to others says why, and leaves an event.

use pas_hmi::Config;
use pas_testkit::{Fault, Provider, Script, http, until};
use serde_json::{Value, json};

use crate::support::{World, agent, alone, chat, hmi};

#[tokio::test]
async fn nothing_is_done_to_others_without_a_reason() {
    let world = World::start().await;
    let id = world.register(&agent("target", None)).await;
    for (path, body) in [
        ("/api/registry/pause", json!({"name": "target"})),
        ("/api/registry/resume", json!({"name": "target", "reason": ""})),
        ("/api/registry/promote", json!({"service_id": id, "role": "staging", "reason": "  "})),
        ("/api/registry/deregister", json!({"service_id": id, "reason": 7})),
        ("/api/gateway/inflight/gw-2025-11-06-10-30-00-123456/cancel", json!({})),
    ] {
        let (status, error) = world.post(path, &body).await;
        let error = &error["error"];
        assert_eq!(
            (status, &error["code"], &error["field"]),
            (400, &json!("invalid_argument"), &json!("reason")),
            "{path}"
        );
        assert!(error["message"].as_str().unwrap().starts_with("say why: "), "{error}");
    }
    let found = world.get("/api/registry/discover?name=target").await;
    assert_eq!(found["services"][0]["paused"], false);
    world.stop().await;
}

#[tokio::test]
async fn a_pause_is_told_with_its_reason_by_the_registry_and_once() {
    let world = World::start().await;
    world.register(&agent("target", None)).await;
    let pause = json!({"name": "target", "reason": "it loops"});
    let (status, outcome) = world.post("/api/registry/pause", &pause).await;
    assert_eq!((status, &outcome["matched"]), (200, &json!(1)));
    let told = until("the pause is told", async || {
        let page = world.get("/api/events/events?type=paused").await;
        page["events"].as_array().filter(|all| !all.is_empty()).cloned()
    })
    .await;
    assert_eq!((told.len(), &told[0]["reason"]), (1, &json!("it loops")), "{told:?}");
    world.stop().await;
}

#[tokio::test]
async fn a_cancelled_call_ends_and_the_log_says_why() {
    let (world, provider) = World::with_model().await;
    provider.script(Script { fault: Some(Fault::Stall), ..Script::default() });
    let sent = world.send("/api/gateway/v1/chat/completions").json(&chat(false)).send();
    let cancelling = async {
        let run_id = until("the call is under way", async || {
            let page = world.get("/api/gateway/inflight").await;
            page["inflight"][0]["run_id"].as_str().map(str::to_owned)
        })
        .await;
        let path = format!("/api/gateway/inflight/{run_id}/cancel");
        let (status, answer) = world.post(&path, &json!({"reason": "too slow", "force": true})).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!("force")), "{answer}");
        let (status, answer) = world.post(&path, &json!({"reason": "too slow"})).await;
        assert_eq!((status, &answer["cancelling"]), (200, &json!(true)), "{answer}");
        run_id
    };
    let (answer, run_id) = tokio::join!(sent, cancelling);
    assert!(!answer.unwrap().status().is_success());
    assert_eq!(world.logged(1).await, [format!("cancelled {run_id} from the HMI: too slow")]);

    // What the owner refuses was not done.
    let path = format!("/api/gateway/inflight/{run_id}/cancel");
    assert_eq!(world.post(&path, &json!({"reason": "again"})).await.0, 404);
    let mute = json!({"match": {"service": "scripted"}, "for_s": 60});
    assert_eq!(world.post("/api/monitor/alerts/mute", &mute).await.0, 200);
    assert_eq!(world.logged(2).await.len(), 2);
    world.stop().await;
}

#[tokio::test]
async fn nothing_but_what_is_named_goes_on_to_an_owner() {
    let owner = Provider::start().unwrap();
    let (swarm, config) = alone();
    let hmi = hmi(&swarm, Config { gateway_url: owner.url(), ..config }).await;
    let post = async |path: &str| {
        let request = http().post(format!("{}{path}", hmi.url())).json(&json!({"reason": "why"}));
        let request = request
            .header("origin", hmi.url())
            .header("cookie", "a=b")
            .header("authorization", "Bearer secret")
            .header("x-pas-agent", "Tester")
            .header("x-request-id", "mine");
        request.send().await.unwrap()
    };
    post("/api/gateway/inflight/gw-1/cancel").await;
    post("/api/gateway/invoke?dry_run=true").await;
    let seen = owner.ended(2).await;
    let ours = |name: &String| !matches!(name.as_str(), "host" | "content-length" | "traceparent");
    let sent = |number: usize| {
        let request = &seen[number];
        let names = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).filter(ours);
        let mut names: Vec<_> = names.collect();
        names.sort();
        (request.path.as_str(), request.query.as_str(), String::from_utf8_lossy(&request.body), names)
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    // Why a call is cancelled is the event stream's to know.
    let wanted = ("/inflight/gw-1/cancel", "", "".into(), names(&["accept", "x-pas-agent", "x-request-id"]));
    assert_eq!(sent(0), wanted);
    let wanted = (
        "/invoke",
        "dry_run=true",
        r#"{"reason":"why"}"#.into(),
        names(&["accept", "content-type", "x-pas-agent", "x-request-id"]),
    );
    assert_eq!(sent(1), wanted);
    // Its log names the request as ours does.
    assert_eq!(seen[1].header("x-request-id"), Some("mine"));
    hmi.stop().await.unwrap();
}

#[tokio::test]
async fn an_alert_that_is_taken_note_of_or_muted_is_logged() {
    let world = World::start().await;
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let alert = json!({
        "event_type": "alert", "alert_id": id, "alert_type": "budget_exhausted", "severity": "critical",
        "service_name": "governor", "missed_beats": 0, "last_seen": null, "action": "none", "acked": false,
        "idempotency_key": id,
    });
    let publish = http().post(format!("{}/events", world.events.url())).json(&alert);
    assert_eq!(publish.send().await.unwrap().status(), 201);
    until("the monitor has it", async || {
        let page: Value = world.get("/api/monitor/alerts").await;
        page["alerts"].as_array()?.iter().any(|alert| alert["alert_id"] == id).then_some(())
    })
    .await;
    let path = format!("/api/monitor/alerts/{id}/ack");
    let (status, acked) = world.post(&path, &json!({"reason": "we know"})).await;
    assert_eq!((status, &acked["acked"]), (200, &json!(true)), "{acked}");
    assert_eq!(world.logged(1).await, [format!("acknowledged the alert {id} from the HMI: we know")]);
    let answer = world.send(&path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let mute = json!({"match": {"severity": "critical"}, "for_s": 60});
    assert_eq!(world.post("/api/monitor/alerts/mute", &mute).await.0, 200);
    let messages = world.logged(3).await;
    assert_eq!(messages[1], format!("acknowledged the alert {id} from the HMI"));
    assert_eq!(messages[2], "muted alerts of severity critical for 60 s from the HMI");
    world.stop().await;
}
