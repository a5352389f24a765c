//! A service's place in the registry, against a registry that does what the test says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::{post, put};
use pas_service::web::{Failure, Json};
use pas_service::{Health, Running, Sockets, Swarm, clock, presence};
use pas_types::health::HealthStatus;
use pas_types::{Error, catalog, limits};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::serve;

/// A registry that tells the test of each call; `known` says whether a beat finds its service.
fn scripted(
    sockets: Sockets,
    calls: mpsc::UnboundedSender<&'static str>,
    known: Arc<Mutex<bool>>,
) -> Running {
    let ids = json!({
        "service_id": "018f0000-0000-7000-8000-000000000001", "lease_id": "018f0000-0000-7000-8000-000000000002",
        "heartbeat_interval_s": 1, "ttl_s": 2, "next_beat_ms": 1, "role": "production",
    });
    let (registered, beaten, left) = (calls.clone(), calls.clone(), calls);
    let known_at_beat = Arc::clone(&known);
    let register = async move |Json(_): Json<Value>| {
        *known.lock().unwrap() = true;
        registered.send("register").unwrap();
        Json(ids)
    };
    let beat = async move |Json(_): Json<Value>| {
        beaten.send("beat").unwrap();
        match *known_at_beat.lock().unwrap() {
            true => Ok(Json(json!({"next_beat_ms": 5}))),
            false => Err(Failure(Error::not_found("register again"))),
        }
    };
    let leave = async move |Json(body): Json<Value>| {
        left.send("deregister").unwrap();
        Json(json!({"service_id": body["service_id"], "ts": "2026-01-01T00:00:00.000Z"}))
    };
    let routes = Router::new()
        .route("/register", post(register))
        .route("/heartbeat", put(beat))
        .route("/deregister", post(leave));
    serve(routes, sockets, 1, limits::CONTROL_BODY_BYTES)
}

async fn next(calls: &mut mpsc::UnboundedReceiver<&'static str>, wanted: &str) {
    let wait = async { while calls.recv().await.unwrap() != wanted {} };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap_or_else(|_| panic!("no {wanted}"));
}

#[tokio::test]
async fn a_service_waits_for_the_registry_comes_back_when_forgotten_and_leaves_at_its_end() {
    // The port is found first and left free, so that the registry can be away at the start.
    let port = Sockets::loopback().unwrap().port();
    let swarm = Swarm { registry_url: format!("http://127.0.0.1:{port}/"), ..Swarm::default() };
    let health = Health::new(&catalog::HEARTBEAT_MONITOR, clock::now());
    let running = Running::new(&swarm, &Sockets::loopback().unwrap(), CancellationToken::new());
    let registration = presence::registration(&catalog::HEARTBEAT_MONITOR, &running.url(), &["manage"]);
    registration.validate().unwrap();
    presence::spawn(&swarm, registration, &health, &running);
    while health.report(clock::now()).status != HealthStatus::Degraded {
        tokio::task::yield_now().await;
    }

    let (sender, mut calls) = mpsc::unbounded_channel();
    let known = Arc::new(Mutex::new(false));
    let bind = Swarm { bind: vec!["127.0.0.1".parse().unwrap()], ..Swarm::default() };
    let registry = scripted(Sockets::bind(&bind, port).unwrap(), sender, Arc::clone(&known));
    next(&mut calls, "register").await;
    next(&mut calls, "beat").await;
    assert_eq!(health.report(clock::now()).status, HealthStatus::Ok);

    *known.lock().unwrap() = false;
    next(&mut calls, "register").await;

    running.stop().await.unwrap();
    next(&mut calls, "deregister").await;
    registry.stop().await.unwrap();
}
