use anyhow::Result;
use pas_testkit::until;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Lease, Server, model, with};

#[tokio::test]
async fn a_promotion_survives_the_next_registration() -> Result<()> {
    let server = Server::start().await?;
    let Lease { service_id, .. } = server.client.register(model("a")).await?;
    let up = json!({"service_id": service_id, "role": "production", "reason": "passed its tests"});
    assert_eq!(server.client.post("/promote", up).await?["role"], "production");
    let again = server.client.post("/register", with(model("a"), json!({"boot_id": "2"}))).await?;
    assert_eq!(again["role"], "production");
    let detail = server.client.get(&format!("/services/{service_id}")).await?;
    let promoted = &detail["history"][1];
    assert_eq!(
        (&promoted["from_role"], &promoted["to_role"], &promoted["reason"]),
        (&json!("experimental"), &json!("production"), &json!("passed its tests"))
    );
    Ok(())
}

#[tokio::test]
async fn a_subtree_is_paused_and_resumed_as_a_whole() -> Result<()> {
    let server = Server::start().await?;
    let client = &server.client;
    let under = |name: &str, parent: Value| json!({"name": name, "type": "agent", "role": "execution", "labels": {"parent": parent}});
    for (name, parent) in [
        ("root", json!(null)),
        ("child", json!("root")),
        ("grandchild", json!("child")),
        ("other", json!(null)),
    ] {
        client.register(under(name, parent)).await?;
    }
    let outcome = client.post("/pause", json!({"subtree": "root", "reason": "too expensive"})).await?;
    assert_eq!((&outcome["matched"], outcome["changed"].as_array().map(Vec::len)), (&json!(3), Some(3)));
    let page = client.get("/discover?type=agent").await?;
    let paused: Vec<_> = page["services"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| (it["name"].as_str(), it["paused"].as_bool()))
        .collect();
    assert_eq!(
        paused,
        [("child", true), ("grandchild", true), ("other", false), ("root", true)]
            .map(|(name, paused)| (Some(name), Some(paused)))
    );
    let outcome = client.post("/resume", json!({"all": true})).await?;
    assert_eq!((&outcome["matched"], outcome["changed"].as_array().map(Vec::len)), (&json!(4), Some(3)));
    Ok(())
}

#[tokio::test]
async fn the_brake_holds_a_mass_eviction_until_it_is_released() -> Result<()> {
    let server = Server::with(pas_registry::Config { sweep_ms: 100, ..Default::default() }).await?;
    let client = &server.client;
    for n in 0..20 {
        let brief = json!({"heartbeat_interval_s": 1, "ttl_s": 1});
        client.register(with(model(&format!("m{n:02}")), brief)).await?;
    }
    until("the brake holds all but those that may go at once", async || {
        (client.metric("pas_registry_brake_held").await.ok()? == 17.0).then_some(())
    })
    .await;
    assert_eq!(client.metric("pas_registry_brake_on").await?, 1.0);
    assert_eq!(client.names("status=any").await?.len(), 17, "3 of 21 may go at once");
    assert_eq!(client.names("status=down").await?.len(), 17, "but all are marked");
    let released = client.post("/brake/release", json!({"reason": "they are gone for good"})).await?;
    assert_eq!(released, json!({"released": true, "held": 17}));
    until("everybody is gone", async || client.names("status=any").await.ok()?.is_empty().then_some(()))
        .await;
    let (_, again) = client.raw(Method::POST, "/brake/release", "").await?;
    assert_eq!(again, json!({"released": false, "held": 0}));
    Ok(())
}

#[tokio::test]
async fn what_a_probe_found_is_one_voice_of_the_status() -> Result<()> {
    let server = Server::start().await?;
    let Lease { service_id, .. } = server.client.register(model("a")).await?;
    let found = |reachable: bool, reason: Option<&str>| json!({"service_id": service_id, "reachable": reachable, "latency_ms": reachable.then_some(1.5), "reason": reason});
    let unprobed = server.client.post("/reachability", found(false, None)).await?;
    assert_eq!(unprobed["reachability"], "unprobed");
    server.client.post("/reachability", found(true, None)).await?;
    server.client.post("/reachability", found(false, Some("connection refused"))).await?;
    let service = server.client.get("/discover?name=a").await?["services"][0].clone();
    assert_eq!(
        (&service["status"], &service["status_reasons"], &service["reported_status"]),
        (&json!("degraded"), &json!(["probe: connection refused"]), &json!("ok"))
    );
    Ok(())
}
