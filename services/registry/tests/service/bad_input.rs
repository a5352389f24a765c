use anyhow::Result;
use pas_types::error::ErrorCode;
use pas_types::error::ErrorCode::{Conflict, FailedPrecondition, InvalidArgument, NotFound};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Server, model, with};

const NOBODY: &str = "0199aaaa-0000-7000-8000-000000000000";

type Request = (Method, &'static str, Value);

#[tokio::test]
async fn bad_input_is_answered_by_name_and_changes_nothing() -> Result<()> {
    let server = Server::start().await?;
    let client = &server.client;
    let known = client.register(model("known")).await?;
    let agent = json!({"name": "agent", "type": "agent", "role": "system"});
    let agent = client.register(agent).await?;
    let before = client.get("/discover?status=any").await?;

    let registration = |fields: Value| (Method::POST, "/register", with(model("new"), fields));
    let labels = |bytes: usize| json!({"labels": {"long": "x".repeat(bytes)}});
    let words = |count: usize| (0..count).map(|n| format!("cap{n}")).collect::<Vec<_>>();
    let beat =
        |fields: Value| (Method::PUT, "/heartbeat", with(json!({"service_id": known.service_id}), fields));
    let get = |path: &'static str| (Method::GET, path, Value::Null);
    let cases: Vec<(Request, u16, ErrorCode, Option<&str>)> = vec![
        (registration(json!({"colour": "red"})), 400, InvalidArgument, Some("colour")),
        (registration(json!({"caps": "infer"})), 400, InvalidArgument, Some("caps")),
        (
            registration(json!({"heartbeat_interval_s": -5})),
            400,
            InvalidArgument,
            Some("heartbeat_interval_s"),
        ),
        (
            registration(json!({"heartbeat_interval_s": 0})),
            400,
            InvalidArgument,
            Some("heartbeat_interval_s"),
        ),
        (registration(json!({"ttl_s": 30})), 400, InvalidArgument, Some("ttl_s")),
        (registration(json!({"url": "not a url"})), 400, InvalidArgument, Some("url")),
        (registration(json!({"url": null})), 400, InvalidArgument, Some("url")),
        (registration(json!({"role": "boss"})), 400, InvalidArgument, Some("role")),
        (registration(json!({"role": "coordinator"})), 400, InvalidArgument, Some("role")),
        (registration(json!({"name": ""})), 400, InvalidArgument, Some("name")),
        (registration(json!({"ctx_limit": 0})), 400, InvalidArgument, Some("ctx_limit")),
        (registration(labels(5_000)), 400, InvalidArgument, Some("labels.long")),
        (registration(labels(1 << 20)), 413, InvalidArgument, Some("body")),
        (registration(json!({"caps": words(10_001)})), 400, InvalidArgument, Some("caps")),
        (registration(json!({"service_id": known.service_id})), 409, Conflict, Some("service_id")),
        (
            registration(json!({"name": "known", "url": "http://127.0.0.1:8888/known", "type": "tool"})),
            409,
            Conflict,
            Some("type"),
        ),
        (beat(json!({"lease_id": NOBODY})), 409, Conflict, Some("lease_id")),
        (beat(json!({"service_id": NOBODY})), 404, NotFound, Some("service_id")),
        (beat(json!({"status": "fine"})), 400, InvalidArgument, Some("status")),
        (beat(json!({"progress": 1.5})), 400, InvalidArgument, Some("progress")),
        (beat(json!({"service_id": "x"})), 400, InvalidArgument, Some("service_id")),
        (get("/discover?cursor=nobodys"), 400, InvalidArgument, Some("cursor")),
        (get("/discover?limit=1001"), 400, InvalidArgument, Some("limit")),
        (get("/discover?role=boss"), 400, InvalidArgument, Some("role")),
        (get("/discover?colour=red"), 400, InvalidArgument, Some("colour")),
        (get("/services/nobody"), 400, InvalidArgument, Some("service_id")),
        (get("/services/0199aaaa-0000-7000-8000-000000000000"), 404, NotFound, Some("service_id")),
        (
            (Method::POST, "/promote", json!({"service_id": known.service_id, "role": "system"})),
            400,
            InvalidArgument,
            Some("role"),
        ),
        (
            (Method::POST, "/promote", json!({"service_id": agent.service_id, "role": "staging"})),
            422,
            FailedPrecondition,
            Some("service_id"),
        ),
        (
            (Method::POST, "/promote", json!({"service_id": NOBODY, "role": "staging"})),
            404,
            NotFound,
            Some("service_id"),
        ),
        ((Method::POST, "/pause", json!({})), 400, InvalidArgument, Some("service_id")),
        ((Method::POST, "/pause", json!({"name": "nobody"})), 404, NotFound, Some("name")),
        (
            (Method::POST, "/pause", json!({"name": "known", "all": true})),
            400,
            InvalidArgument,
            Some("service_id"),
        ),
        (
            (Method::POST, "/deregister", json!({"service_id": known.service_id, "lease_id": NOBODY})),
            409,
            Conflict,
            Some("lease_id"),
        ),
        (
            (
                Method::POST,
                "/reachability",
                json!({"service_id": known.service_id, "reachable": true, "latency_ms": -1}),
            ),
            400,
            InvalidArgument,
            Some("latency_ms"),
        ),
        ((Method::DELETE, "/register", Value::Null), 405, InvalidArgument, Some("method")),
    ];
    for ((method, path, body), status, code, field) in cases {
        let shown: String = format!("{method} {path} {body}").chars().take(200).collect();
        let refused = client.refused(method, path, &body).await?;
        assert_eq!(refused, (status, code, field.map(str::to_owned)), "{shown}");
    }
    let (status, answer) = client.raw(Method::POST, "/register", "{\"name\": ").await?;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!("invalid_argument")));

    let after = client.get("/discover?status=any").await?;
    let lasting = |page: &Value| {
        let mut page = page.clone();
        for service in page["services"].as_array_mut().into_iter().flatten() {
            service["last_heartbeat_age_ms"] = json!(0);
        }
        page
    };
    assert_eq!(lasting(&after), lasting(&before));
    Ok(())
}

#[tokio::test]
async fn an_error_says_what_would_be_accepted() -> Result<()> {
    let server = Server::start().await?;
    let body = with(model("a"), json!({"role": "coordinator"}));
    let (_, answer) = server.client.send(Method::POST, "/register", &body).await?;
    assert_eq!(
        answer["error"]["message"],
        "a model can't have the role coordinator: use one of experimental, staging, canary, production"
    );
    Ok(())
}
