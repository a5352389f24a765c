use std::collections::BTreeMap;

use anyhow::{Context, Result};
use pas_types::error::ErrorCode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Server, model, with};

#[tokio::test]
async fn the_first_users_steps_work_word_for_word() -> Result<()> {
    let server = Server::start().await?;
    let body = json!({"name":"test-service","type":"model","role":"experimental","url":"http://127.0.0.1:8888",
        "caps":["infer"],"ctx_limit":32768});
    let (status, registered) = server.client.send(Method::POST, "/register", &body).await?;
    assert_eq!(status, 201);
    assert_eq!(
        (&registered["heartbeat_interval_s"], &registered["ttl_s"], &registered["role"]),
        (&json!(60), &json!(90), &json!("experimental"))
    );
    let found = server.client.get("/discover?role=experimental").await?;
    let service = &found["services"][0];
    assert_eq!(
        (&service["service_id"], &service["name"], &service["status"], &service["caps"]),
        (&registered["service_id"], &json!("test-service"), &json!("ok"), &json!(["infer"]))
    );
    let beat = json!({"service_id": registered["service_id"], "lease_id": registered["lease_id"]});
    assert_eq!(
        server.client.send(Method::PUT, "/heartbeat", &beat).await?,
        (200, json!({"next_beat_ms": 60000}))
    );
    Ok(())
}

#[tokio::test]
async fn a_registration_said_twice_is_one_and_another_process_fences_the_first() -> Result<()> {
    let server = Server::start().await?;
    let boot = |id: &str| with(model("a"), json!({ "boot_id": id }));
    let (first_status, first) = server.client.send(Method::POST, "/register", &boot("1")).await?;
    let (again_status, again) = server.client.send(Method::POST, "/register", &boot("1")).await?;
    assert_eq!((first_status, again_status, &first), (201, 200, &again));
    let (second_status, second) = server.client.send(Method::POST, "/register", &boot("2")).await?;
    assert_eq!((second_status, &second["service_id"]), (200, &first["service_id"]));
    let stale = json!({"service_id": first["service_id"], "lease_id": first["lease_id"]});
    assert_eq!(
        server.client.refused(Method::PUT, "/heartbeat", &stale).await?,
        (409, ErrorCode::Conflict, Some("lease_id".to_owned()))
    );
    Ok(())
}

#[tokio::test]
async fn a_restart_keeps_everything() -> Result<()> {
    let mut server = Server::start().await?;
    let client = server.client.clone();
    let a = client
        .register(with(model("a"), json!({"labels": {"tier": "1", "parent": null}, "boot_id": "x"})))
        .await?;
    let b = client.register(model("b")).await?;
    client.register(model("c")).await?;
    client
        .post("/promote", json!({"service_id": a.service_id, "role": "production", "reason": "good"}))
        .await?;
    client.post("/pause", json!({"name": "a"})).await?;
    client.post("/deregister", json!({"service_id": b.service_id, "reason": "moved away"})).await?;
    let told = json!({"service_id": a.service_id, "status": "degraded", "reason": "warming up", "load": 0.5, "queue_depth": 3});
    client.send(Method::PUT, "/heartbeat", &told).await?;
    let before = client.get(&format!("/services/{}", a.service_id)).await?;
    let page = client.get("/discover?status=any").await?;

    server.restart().await?;
    let client = server.client.clone();
    let after = client.get(&format!("/services/{}", a.service_id)).await?;
    let lasting = |detail: &Value| {
        let mut service = detail["service"].clone();
        service.as_object_mut().map(|fields| fields.remove("last_heartbeat_age_ms"));
        with(service, json!({"verified": false}))
    };
    assert_eq!(lasting(&after), lasting(&before));
    let kinds = |detail: &Value| -> Option<Vec<Value>> {
        Some(detail["history"].as_array()?.iter().map(|it| it["kind"].clone()).collect())
    };
    assert_eq!(
        kinds(&after).context("no history")?,
        [json!("reported"), json!("paused"), json!("promoted"), json!("registered")]
    );
    let gone = client.get(&format!("/services/{}", b.service_id)).await?;
    assert_eq!(gone["deregistered"]["reason"], "moved away");
    let again = client.get("/discover?status=any").await?;
    assert!(again["registry_epoch"].as_u64() > page["registry_epoch"].as_u64());
    assert_eq!(client.names("status=any").await?, ["a", "c"]);
    assert_eq!(client.get("/health").await?["status"], "recovering");
    client.beat(&a).await?;
    let (_, back) =
        client.send(Method::POST, "/register", &with(model("b"), json!({"role": "staging"}))).await?;
    assert_eq!((&back["service_id"], &back["role"]), (&json!(b.service_id), &json!("experimental")));
    Ok(())
}

#[tokio::test]
async fn the_registry_is_on_its_own_list_under_one_id() -> Result<()> {
    let mut server = Server::start().await?;
    let own = server.client.get("/discover?type=service").await?["services"].clone();
    assert_eq!((&own[0]["name"], &own[0]["url"]), (&json!("registry"), &json!(server.client.url)));
    server.restart().await?;
    let again = server.client.get("/discover?type=service&status=any").await?["services"].clone();
    assert_eq!(again.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&again[0]["service_id"], &again[0]["url"]),
        (&own[0]["service_id"], &json!(server.client.url))
    );
    Ok(())
}

#[tokio::test]
async fn pages_follow_one_another() -> Result<()> {
    let server = Server::start().await?;
    for n in 0..7 {
        server.client.register(model(&format!("m{n}"))).await?;
    }
    let mut names = Vec::new();
    let mut path = "/discover?cap=infer&limit=3".to_owned();
    loop {
        let page = server.client.get(&path).await?;
        names.extend(page["services"].as_array().context("a page")?.iter().map(|it| it["name"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/discover?cap=infer&limit=3&cursor={cursor}");
    }
    assert_eq!(names, (0..7).map(|n| json!(format!("m{n}"))).collect::<Vec<_>>());
    Ok(())
}

#[tokio::test]
async fn a_page_of_heavy_services_ends_before_it_is_too_large_and_goes_on_from_its_cursor() -> Result<()> {
    let server = Server::start().await?;
    let labels: BTreeMap<String, String> = (0..64).map(|n| (format!("l{n}"), "x".repeat(4096))).collect();
    for n in 0..12 {
        server.client.register(with(model(&format!("m{n:02}")), json!({"labels": labels}))).await?;
    }
    let mut names = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server.client.get(&format!("/discover?type=model&limit=1000{cursor}")).await?;
        let services = page["services"].as_array().context("no services")?;
        assert!(services.len() < 12, "all of it came in one answer of {} bytes", page.to_string().len());
        names.extend(services.iter().map(|service| service["name"].to_string()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(names, Vec::from_iter((0..12).map(|n| format!("\"m{n:02}\""))));
    Ok(())
}
