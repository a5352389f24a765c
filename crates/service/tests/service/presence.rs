//! A service's place in the registry, against a registry that does what the test says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::{post, put};
use pas_service::web::{Failure, Json};
use pas_service::{Health, Measures, Running, Sockets, Swarm, clock, presence};
use pas_types::health::HealthStatus;
use pas_types::registry::ServiceType;
use pas_types::{Error, catalog, limits};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::serve;

/// A registry that tells the test of each call and what it said; `known` says whether a beat finds its service, and
/// `next_beat_ms` when the next one is wanted.
fn scripted(
    sockets: Sockets,
    calls: mpsc::UnboundedSender<(&'static str, Value)>,
    known: Arc<Mutex<bool>>,
    next_beat_ms: u64,
) -> Running {
    let ids = json!({
        "service_id": "018f0000-0000-7000-8000-000000000001", "lease_id": "018f0000-0000-7000-8000-000000000002",
        "heartbeat_interval_s": 1, "ttl_s": 2, "next_beat_ms": next_beat_ms, "role": "production",
    });
    let (registered, beaten, left) = (calls.clone(), calls.clone(), calls);
    let known_at_beat = Arc::clone(&known);
    let register = async move |Json(body): Json<Value>| {
        *known.lock().unwrap() = true;
        registered.send(("register", body)).unwrap();
        Json(ids)
    };
    let beat = async move |Json(body): Json<Value>| {
        beaten.send(("beat", body)).unwrap();
        match *known_at_beat.lock().unwrap() {
            true => Ok(Json(json!({ "next_beat_ms": next_beat_ms }))),
            false => Err(Failure(Error::not_found("register again"))),
        }
    };
    let leave = async move |Json(body): Json<Value>| {
        let answer = json!({"service_id": body["service_id"], "ts": "2026-01-01T00:00:00.000Z"});
        left.send(("deregister", body)).unwrap();
        Json(answer)
    };
    let routes = Router::new()
        .route("/register", post(register))
        .route("/heartbeat", put(beat))
        .route("/deregister", post(leave));
    serve(routes, sockets, 1, limits::CONTROL_BODY_BYTES)
}

/// What the next call of this name says.
async fn next(calls: &mut mpsc::UnboundedReceiver<(&'static str, Value)>, wanted: &str) -> Value {
    let wait = async {
        loop {
            let (name, body) = calls.recv().await.unwrap();
            if name == wanted {
                return body;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap_or_else(|_| panic!("no {wanted}"))
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
    let registry = scripted(Sockets::bind(&bind, port).unwrap(), sender, Arc::clone(&known), 5);
    next(&mut calls, "register").await;
    next(&mut calls, "beat").await;
    assert_eq!(health.report(clock::now()).status, HealthStatus::Ok);

    *known.lock().unwrap() = false;
    next(&mut calls, "register").await;

    running.stop().await.unwrap();
    next(&mut calls, "deregister").await;
    registry.stop().await.unwrap();
}

#[tokio::test]
async fn a_beat_says_what_is_measured_then() {
    let sockets = Sockets::loopback().unwrap();
    let swarm = Swarm { registry_url: format!("http://127.0.0.1:{}", sockets.port()), ..Swarm::default() };
    let (sender, mut calls) = mpsc::unbounded_channel();
    let registry = scripted(sockets, sender, Arc::new(Mutex::new(true)), 5);
    let health = Health::new(&catalog::HEARTBEAT_MONITOR, clock::now());
    let running = Running::new(&swarm, &Sockets::loopback().unwrap(), CancellationToken::new());
    let mut registration = presence::registration(&catalog::HEARTBEAT_MONITOR, &running.url(), &[]);
    registration.service_type = ServiceType::Model;
    registration.labels.insert("locality".to_owned(), Some("local".to_owned()));
    let measures = Measures::new(1);
    let read = measures.clone();
    presence::spawn_measured(&swarm, registration, &health, &running, move || read.read());

    let registration = next(&mut calls, "register").await;
    assert_eq!(
        (&registration["type"], &registration["labels"]["locality"]),
        (&json!("model"), &json!("local"))
    );
    let beat = next(&mut calls, "beat").await;
    assert_eq!((&beat["p95_ms"], &beat["queue_depth"]), (&Value::Null, &json!(0)));
    drop(measures.wait().begin());
    let _waiting = measures.wait();
    loop {
        let beat = next(&mut calls, "beat").await;
        if beat["p95_ms"].is_number() && beat["queue_depth"] == 1 {
            assert!(beat["load"].is_number(), "{beat}");
            break;
        }
    }
    running.stop().await.unwrap();
    registry.stop().await.unwrap();
}

#[tokio::test]
async fn what_changes_is_told_at_once() {
    let sockets = Sockets::loopback().unwrap();
    let swarm = Swarm { registry_url: format!("http://127.0.0.1:{}", sockets.port()), ..Swarm::default() };
    let (sender, mut calls) = mpsc::unbounded_channel();
    // Nobody is asked to say anything for an hour.
    let registry = scripted(sockets, sender, Arc::new(Mutex::new(true)), 3_600_000);
    let health = Health::new(&catalog::CLASSIFIER, clock::now());
    health.set("model", HealthStatus::Down, "no_weights: none");
    let running = Running::new(&swarm, &Sockets::loopback().unwrap(), CancellationToken::new());
    let mut registration = presence::registration(&catalog::CLASSIFIER, &running.url(), &[]);
    registration.service_type = ServiceType::Model;
    let (said, registrations) = watch::channel(Some(registration.clone()));
    presence::spawn_changing(&swarm, registrations, &health, &running, Default::default);
    next(&mut calls, "register").await;
    let beat = next(&mut calls, "beat").await;
    assert_eq!((&beat["status"], &beat["reason"]), (&json!("down"), &json!("no_weights: none")));

    health.ok("model");
    assert_eq!(next(&mut calls, "beat").await["status"], json!("ok"));

    registration.labels.insert("models".to_owned(), Some("a,b".to_owned()));
    said.send_replace(Some(registration));
    assert_eq!(next(&mut calls, "register").await["labels"]["models"], json!("a,b"));
    running.stop().await.unwrap();
    registry.stop().await.unwrap();
}
