//! A service's voice in the event stream, against a stream that does what the test says.

use std::sync::Arc;
use std::time::Duration;

use pas_service::publisher::{self, Publisher, Stopped};
use pas_service::{Health, Metrics, Running, Sockets, Swarm, clock};
use pas_testkit::events::Will;
use pas_testkit::{EventStream, until};
use pas_types::catalog;
use pas_types::event::{Event, Log};
use pas_types::health::{Check, HealthStatus};
use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A service that does nothing but publish: when the test says so, or in a request that takes its time.
struct Speaker {
    running: Running,
    publisher: Publisher,
    health: Health,
    url: String,
    http: reqwest::Client,
    /// Whoever posts to `/say` has come, waits until it goes on, and then publishes [`LAST`].
    reached: Arc<Notify>,
    goes_on: Arc<Notify>,
}

/// What a request publishes last.
const LAST: usize = 1_000_000;

impl Speaker {
    fn start(port: u16) -> Self {
        let swarm = Swarm { events_url: format!("http://127.0.0.1:{port}/"), grace_s: 5, ..Swarm::default() };
        let sockets = Sockets::loopback().unwrap();
        let running = Running::new(&swarm, &sockets, CancellationToken::new());
        let health = Health::new(&catalog::REGISTRY, clock::now());
        let metrics = Metrics::new(&catalog::REGISTRY);
        let publisher = publisher::spawn(&catalog::REGISTRY, &swarm, &health, &metrics, &running).unwrap();
        let (reached, goes_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let answer = {
            let (publisher, reached, goes_on) =
                (publisher.clone(), Arc::clone(&reached), Arc::clone(&goes_on));
            async move || {
                reached.notify_one();
                goes_on.notified().await;
                publisher.publish(said(LAST));
            }
        };
        let server = pas_service::server::Server {
            entry: catalog::REGISTRY,
            routes: axum::Router::new().route("/say", axum::routing::post(answer)),
            rpc: None,
            openapi: utoipa::openapi::OpenApi::default(),
            health: health.clone(),
            metrics,
        };
        server.spawn(&swarm, sockets, &running).unwrap();
        let (url, http) = (running.url(), pas_testkit::http());
        Self { running, publisher, health, url, http, reached, goes_on }
    }

    fn publish(&self, numbers: impl IntoIterator<Item = usize>) {
        numbers.into_iter().for_each(|number| self.publisher.publish(said(number)));
    }

    fn check(&self) -> Check {
        self.health.report(clock::now()).checks.remove("events").unwrap_or(Check {
            status: HealthStatus::Down,
            reason: Some("there is no such check yet".to_owned()),
        })
    }

    async fn is_away(&self) {
        until("the stream is away", async || self.check().reason.filter(|it| it.contains("is away since")))
            .await;
    }

    async fn metric(&self, name: &str) -> u64 {
        let text = self.http.get(format!("{}/metrics", self.url)).send().await.unwrap().text().await.unwrap();
        let name = format!("pas_registry_{name} ");
        text.lines().find_map(|line| line.strip_prefix(&name)).unwrap().parse().unwrap()
    }
}

/// An event that is known by its number.
fn said(number: usize) -> Event {
    Event::new(clock::now().wall.into(), Log { message: number.to_string(), level: None })
}

/// The same, under a key of its own.
fn keyed(number: usize) -> Event {
    Event { idempotency_key: Some(format!("key-{number}")), ..said(number) }
}

/// What the stream keeps, by number.
fn numbers(stream: &EventStream) -> Vec<usize> {
    let events = stream.events();
    let logs = events.iter().filter(|event| event["event_type"] == "log");
    logs.map(|event| event["message"].as_str().unwrap().parse().unwrap()).collect()
}

async fn has(stream: &EventStream, count: usize) {
    until(&format!("{count} events"), async || (numbers(stream).len() >= count).then_some(())).await;
}

fn free_port() -> u16 {
    Sockets::loopback().unwrap().port()
}

fn serve(stream: &EventStream, port: u16) -> Running {
    let swarm = Swarm { bind: vec!["127.0.0.1".parse().unwrap()], ..Swarm::default() };
    stream.serve(Sockets::bind(&swarm, port).unwrap()).unwrap()
}

#[tokio::test]
async fn what_is_published_comes_in_order_and_once_however_often_the_stream_stops_and_starts() {
    let (stream, port) = (EventStream::default(), free_port());
    let speaker = Speaker::start(port);
    speaker.publish(0..1_000);
    speaker.is_away().await;
    for round in 1..=3 {
        let server = serve(&stream, port);
        has(&stream, round * 2_000 - 1_000).await;
        // It takes a part of what follows, is stopped before it has answered, and is sent it again.
        stream.will(Will::Silent);
        speaker.publish(round * 2_000 - 1_000..round * 2_000);
        has(&stream, round * 2_000 - 999).await;
        server.stop().await.unwrap();
        stream.will(Will::Takes);
        speaker.publish(round * 2_000..round * 2_000 + 1_000);
    }
    let server = serve(&stream, port);
    has(&stream, 7_000).await;
    assert_eq!(numbers(&stream), (0..7_000).collect::<Vec<_>>());
    assert!(stream.doubled() > 0, "nothing was sent twice: the test missed what it is about");
    until("all are answered", async || {
        (speaker.metric("events_published_total").await == 7_000).then_some(())
    })
    .await;
    let left = (speaker.metric("events_waiting").await, speaker.metric("events_dropped_total").await);
    assert_eq!((left, speaker.check().reason), ((0, 0), None));
    speaker.running.stop().await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_stream_that_is_away_is_told_in_the_health_and_makes_the_service_no_less_well() {
    let (stream, port) = (EventStream::default(), free_port());
    let speaker = Speaker::start(port);
    speaker.publish(0..3);
    speaker.is_away().await;
    until("the events are counted", async || {
        speaker.check().reason.filter(|reason| reason.ends_with("; 3 events wait"))
    })
    .await;
    assert_eq!(speaker.health.report(clock::now()).status, HealthStatus::Ok);
    let server = serve(&stream, port);
    has(&stream, 3).await;
    assert_eq!(speaker.check(), Check { status: HealthStatus::Ok, reason: None });
    speaker.running.stop().await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_finds_no_room_is_counted_and_the_loss_is_published_once() {
    let (stream, port) = (EventStream::default(), free_port());
    let speaker = Speaker::start(port);
    speaker.publish(0..10_007);
    assert_eq!(speaker.metric("events_dropped_total").await, 7);
    assert_eq!(speaker.metric("events_waiting").await, 10_000);

    let server = serve(&stream, port);
    has(&stream, 10_000).await;
    until("all are answered", async || (speaker.metric("events_waiting").await == 0).then_some(())).await;
    speaker.publish([10_007]);
    has(&stream, 10_001).await;
    assert_eq!(numbers(&stream), (0..10_000).chain([10_007]).collect::<Vec<_>>());
    let events = stream.events();
    let alerts: Vec<_> = events
        .iter()
        .filter(|event| event["event_type"] == "alert")
        .map(|it| (&it["alert_type"], &it["severity"], &it["service_name"], &it["details"]["events"]))
        .collect();
    let wanted = (&json!("events_dropped"), &json!("warning"), &json!("registry"), &json!(7));
    assert_eq!(alerts, [wanted]);
    speaker.running.stop().await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_delivered_is_there_when_the_call_returns_and_doubles_nothing_when_it_is_called_again() {
    let (stream, port) = (EventStream::default(), free_port());
    let speaker = Speaker::start(port);
    speaker.is_away().await;
    let late = async {
        let delivered = speaker.publisher.deliver((0..1_200).map(keyed).collect()).await;
        (delivered, numbers(&stream))
    };
    let start = async { serve(&stream, port) };
    let ((delivered, kept), server) = tokio::join!(late, start);
    assert_eq!((delivered, kept), (Ok(()), (0..1_200).collect::<Vec<_>>()));

    speaker.publisher.deliver((1_000..1_300).map(keyed).collect()).await.unwrap();
    assert_eq!((numbers(&stream), stream.doubled()), ((0..1_300).collect(), 200));
    speaker.running.stop().await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_event_that_is_refused_is_passed_over_and_stops_no_other() {
    let (stream, port) = (EventStream::default(), free_port());
    let server = serve(&stream, port);
    stream.will(Will::Refuses("key-3".to_owned()));
    let speaker = Speaker::start(port);
    let illegal = Event { agent: Some(String::new()), ..keyed(6) };
    let events = (0..6).map(keyed).chain([illegal, keyed(7)]);
    speaker.publisher.deliver(events.clone().collect()).await.unwrap();
    assert_eq!(numbers(&stream), [0, 1, 2, 4, 5, 7]);

    stream.will(Will::Refuses("key-9".to_owned()));
    (8..12).map(keyed).for_each(|event| speaker.publisher.publish(event));
    has(&stream, 9).await;
    assert_eq!(numbers(&stream), [0, 1, 2, 4, 5, 7, 8, 10, 11]);
    until("nothing waits", async || (speaker.metric("events_waiting").await == 0).then_some(())).await;
    assert_eq!(speaker.metric("events_refused_total").await, 3);
    speaker.running.stop().await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_stream_that_can_not_take_events_now_is_sent_them_again() {
    let (stream, port) = (EventStream::default(), free_port());
    let server = serve(&stream, port);
    stream.will(Will::Unavailable);
    let speaker = Speaker::start(port);
    speaker.publish(0..10);
    until("it is said", async || {
        speaker.check().reason.filter(|it| it.contains("unavailable: the disk is full"))
    })
    .await;
    stream.will(Will::Takes);
    has(&stream, 10).await;
    assert_eq!(numbers(&stream), (0..10).collect::<Vec<_>>());
    speaker.running.stop().await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_stop_sends_what_waits_and_ends_what_can_not_be_delivered() {
    let (stream, port) = (EventStream::default(), free_port());
    let server = serve(&stream, port);
    let speaker = Speaker::start(port);
    speaker.publish(0..2_000);
    speaker.running.stop().await.unwrap();
    assert_eq!(numbers(&stream), (0..2_000).collect::<Vec<_>>());

    let silent = Speaker::start(port);
    stream.will(Will::Silent);
    let publisher = silent.publisher.clone();
    let stop = async {
        has(&stream, 2_001).await;
        silent.running.stop().await.unwrap();
    };
    let (delivered, ()) = tokio::join!(publisher.deliver(vec![keyed(2_000)]), stop);
    assert_eq!(delivered, Err(Stopped));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_stream_that_does_not_answer() {
    let (stream, port) = (EventStream::default(), free_port());
    let server = serve(&stream, port);
    stream.will(Will::Silent);
    let speaker = Speaker::start(port);
    speaker.publish(0..10);
    has(&stream, 10).await;
    let begun = clock::monotonic();
    speaker.running.stop().await.unwrap();
    let took = clock::monotonic().saturating_sub(begun);
    assert!(took < Duration::from_secs(4), "of a grace of 5 s it took {took:?}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_the_last_request_publishes_in_the_grace_is_sent_before_the_service_ends() {
    let (stream, port) = (EventStream::default(), free_port());
    let server = serve(&stream, port);
    let speaker = Speaker::start(port);
    speaker.publish([0]);
    has(&stream, 1).await;
    let (http, url, shutdown) =
        (speaker.http.clone(), format!("{}/say", speaker.url), speaker.running.shutdown().clone());
    let (reached, goes_on) = (Arc::clone(&speaker.reached), Arc::clone(&speaker.goes_on));
    let request = async {
        let answer = http.post(url).send().await.unwrap();
        assert!(answer.status().is_success());
    };
    let stop = async {
        reached.notified().await;
        let stopped = speaker.running.stop();
        let late = async {
            shutdown.cancelled().await;
            // It is told to stop, has nothing to send, and its connection is taken away besides.
            server.stop().await.unwrap();
            let server = serve(&stream, port);
            goes_on.notify_one();
            server
        };
        let (stopped, server) = tokio::join!(stopped, late);
        stopped.unwrap();
        assert_eq!(numbers(&stream), [0, LAST]);
        server
    };
    let ((), server) = tokio::join!(request, stop);
    server.stop().await.unwrap();
}
