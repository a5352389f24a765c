//! The files change while the router runs.

use std::fs;

use pas_provider_router::core::SHIPPED;
use pas_testkit::{NOBODY, until};
use pas_types::health::HealthStatus;
use reqwest::StatusCode;

use crate::router::{Router, event_stream};

/// The shipped matrix with one model's context halved.
fn changed() -> String {
    SHIPPED.0.replacen("\"ctx_limit\": 128000", "\"ctx_limit\": 64000", 1)
}

/// The shipped matrix with a capability that nobody knows.
fn broken() -> String {
    SHIPPED.0.replace("\"embed\"]", "\"embed\", \"fly\"]")
}

#[tokio::test]
async fn a_change_is_in_force_soon_whichever_way_an_editor_makes_it() {
    let router = Router::start().await;
    let before = router.version().await;
    // In place.
    fs::write(router.matrix(), changed()).unwrap();
    let after = until("the change", async || Some(router.version().await).filter(|it| *it != before)).await;
    // A new file in the place of the old one.
    let beside = router.matrix().with_extension("new");
    fs::write(&beside, SHIPPED.0).unwrap();
    fs::rename(&beside, router.matrix()).unwrap();
    until("the change back", async || Some(router.version().await).filter(|it| *it == before)).await;
    // A link that is turned elsewhere.
    let elsewhere = router.matrix().with_extension("elsewhere");
    fs::write(&elsewhere, changed()).unwrap();
    fs::remove_file(router.matrix()).unwrap();
    std::os::unix::fs::symlink(&elsewhere, router.matrix()).unwrap();
    until("the link", async || Some(router.version().await).filter(|it| *it == after)).await;
    // Gone: what is shipped.
    fs::remove_file(router.matrix()).unwrap();
    until("what is shipped", async || Some(router.version().await).filter(|it| *it == before)).await;
    router.stop().await;
}

#[tokio::test]
async fn a_file_with_a_fault_changes_nothing_and_is_named_by_path_until_it_is_repaired() {
    let (stream, events) = event_stream();
    let router = Router::start_with(NOBODY, &events.url(), SHIPPED).await;
    let before = router.version().await;
    fs::write(router.matrix(), broken()).unwrap();
    let reason = router.files_are(HealthStatus::Degraded).await;
    assert!(reason.contains("providers.matrix.json: providers[1].models[11].caps[1]: `fly`"), "{reason}");
    assert!(reason.ends_with("what was in force before still is"), "{reason}");
    assert_eq!(router.version().await, before);
    // The alert says the same, once, however often the file is looked at.
    let alert = until("the alert", async || {
        stream.events().into_iter().find(|event| event["alert_type"] == "config_rejected")
    })
    .await;
    assert_eq!(alert["service_name"], "provider-router");
    assert!(alert["details"]["faults"][0].as_str().unwrap().contains("providers[1].models[11].caps[1]"));
    fs::write(router.policies(), "default: [").unwrap();
    until("both are named", async || {
        let reason = router.files_are(HealthStatus::Degraded).await;
        (reason.contains("policies.yaml: ")).then_some(())
    })
    .await;
    fs::write(router.policies(), SHIPPED.1).unwrap();
    fs::write(router.matrix(), changed()).unwrap();
    router.files_are(HealthStatus::Ok).await;
    assert_ne!(router.version().await, before);
    let alerts = stream.events().iter().filter(|event| event["event_type"] == "alert").count();
    assert!((2..=3).contains(&alerts), "one for each content that was found, not for each look: {alerts}");
    router.stop().await;
    events.stop().await.unwrap();
}

#[tokio::test]
async fn files_with_faults_from_the_start_are_said_and_waited_for() {
    let router = Router::start_with(NOBODY, NOBODY, ("{}", SHIPPED.1)).await;
    let reason = router.files_are(HealthStatus::Down).await;
    assert!(reason.contains("providers: missing field `providers`"), "{reason}");
    let (status, error) = router.get("/matrix").await;
    assert_eq!((status, &error["error"]["code"]), (StatusCode::SERVICE_UNAVAILABLE, &"unavailable".into()));
    let target = serde_json::json!({"target": {"type": "model"}});
    assert_eq!(router.route(&target).await.0, StatusCode::SERVICE_UNAVAILABLE);
    fs::write(router.matrix(), SHIPPED.0).unwrap();
    router.files_are(HealthStatus::Ok).await;
    until("it routes", async || (router.route(&target).await.0 == StatusCode::OK).then_some(())).await;
    router.stop().await;
}
