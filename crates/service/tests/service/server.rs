//! The server as its callers meet it, on real sockets.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::FromRequest;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use http::{Method, StatusCode, header};
use pas_service::request::Direct;
use pas_service::server::Server;
use pas_service::web::{Failure, Json, Pairs, Text};
use pas_service::{Health, Metrics, Running, Sockets, Swarm, clock};
use pas_testkit::http;
use pas_types::catalog::REGISTRY;
use pas_types::error::{ErrorBody, ErrorEnvelope};
use pas_types::{ErrorCode, Fault};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::serve;

/// What a handler that waits is told, and tells.
#[derive(Default)]
struct Gate {
    entered: Notify,
    open: Notify,
}

fn start(grace_s: u64, gate: &Arc<Gate>) -> Running {
    let gate = Arc::clone(gate);
    let wait = async move || {
        gate.entered.notify_one();
        gate.open.notified().await;
        "whole"
    };
    let routes = Router::new()
        .route("/echo", post(async |Json(body): Json<Value>| Json(body)))
        .route("/query", get(async |pairs: Pairs| Json(pairs.0)))
        .route("/fails", get(async || Failure(pas_types::Error::unavailable("full").with_retry_after(7))))
        .route("/panics", get(async || -> Json<Value> { panic!("as the test wants it") }))
        .route("/much", get(async || "x".repeat(64 * 1024 * 1024)))
        .route("/wait", get(wait));
    serve(routes, Sockets::loopback().unwrap(), grace_s, 1000)
}

fn service() -> Running {
    start(5, &Arc::default())
}

async fn error_of(response: reqwest::Response) -> (StatusCode, ErrorBody) {
    let status = response.status();
    (status, response.json::<ErrorEnvelope>().await.unwrap().error)
}

async fn get_url(url: String) -> reqwest::Result<reqwest::Response> {
    http().get(url).send().await
}

/// Sends bytes as they are and reads until the server closes.
async fn raw(service: &Running, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", service.port())).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A reset after the answer is a close, too.
    drop(stream.read_to_end(&mut answer).await);
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn every_error_comes_in_the_envelope_with_the_callers_request_id() {
    let service = service();
    let client = http();
    let response =
        client.get(service.url() + "/fails").header("x-request-id", "mine-1").send().await.unwrap();
    assert_eq!(response.headers()["x-request-id"], "mine-1");
    assert_eq!(response.headers()["x-should-retry"], "true");
    assert_eq!(response.headers()["retry-after"], "7");
    let expected = ErrorBody {
        code: ErrorCode::Unavailable,
        message: "full".into(),
        retryable: true,
        fault: Fault::Pas,
        field: None,
        request_id: "mine-1".into(),
        run_id: None,
    };
    assert_eq!(error_of(response).await, (StatusCode::SERVICE_UNAVAILABLE, expected));
}

#[tokio::test]
async fn a_path_or_method_that_does_not_exist_is_refused_in_the_envelope() {
    let service = service();
    let (status, error) = error_of(get_url(service.url() + "/nothing").await.unwrap()).await;
    assert_eq!((status, error.code), (StatusCode::NOT_FOUND, ErrorCode::NotFound));
    let response = http().delete(service.url() + "/echo").send().await.unwrap();
    assert_eq!(response.headers()[header::ALLOW], "POST");
    let (status, error) = error_of(response).await;
    assert_eq!((status, error.field.as_deref()), (StatusCode::METHOD_NOT_ALLOWED, Some("method")));
}

#[tokio::test]
async fn a_web_page_or_a_rebound_name_does_not_get_in() {
    let service = service();
    let client = http();
    for (name, value) in [("host", "evil.example"), ("origin", "http://evil.example")] {
        let response = client.get(service.url() + "/health").header(name, value).send().await.unwrap();
        let (status, error) = error_of(response).await;
        assert_eq!((status, error.field.as_deref()), (StatusCode::FORBIDDEN, Some(name)));
    }
}

#[tokio::test]
async fn a_page_of_an_admitted_origin_may_ask_and_see_what_is_answered() {
    let service = service();
    let (client, page) = (http(), "http://localhost:6101");
    let asks = client
        .request(Method::OPTIONS, service.url() + "/echo")
        .header("origin", page)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,x-pas-agent");
    let allowed = asks.send().await.unwrap();
    assert_eq!(allowed.status(), StatusCode::NO_CONTENT);
    let headers = allowed.headers();
    assert!(headers["access-control-allow-methods"].to_str().unwrap().contains("POST"));
    assert_eq!(headers["access-control-allow-headers"], "content-type,x-pas-agent");
    assert_eq!(headers["access-control-allow-origin"], page);
    // What goes wrong is to be seen, too.
    for path in ["/health", "/nothing"] {
        let answer = client.get(service.url() + path).header("origin", page).send().await.unwrap();
        assert_eq!(
            (&answer.headers()["access-control-allow-origin"], &answer.headers()["vary"]),
            (&page.parse().unwrap(), &"origin".parse().unwrap())
        );
    }
    let nobodys = client.get(service.url() + "/health").send().await.unwrap();
    assert!(nobodys.headers().get("access-control-allow-origin").is_none());
    let other =
        client.request(Method::OPTIONS, service.url() + "/echo").header("origin", "http://evil.example");
    let refused = other.header("access-control-request-method", "POST").send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(refused.headers().get("access-control-allow-origin").is_none());
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_the_next_one_is_served() {
    let service = service();
    let client = http();
    for size in [1001, 5_000_000] {
        let body = format!("\"{}\"", "x".repeat(size - 2));
        let sent = client.post(service.url() + "/echo").header("content-type", "application/json").body(body);
        let (status, error) = error_of(sent.send().await.unwrap()).await;
        assert_eq!((status, error.field.as_deref()), (StatusCode::PAYLOAD_TOO_LARGE, Some("body")), "{size}");
    }
    let kept = json!({"a": "x".repeat(900)});
    let echoed: Value =
        client.post(service.url() + "/echo").json(&kept).send().await.unwrap().json().await.unwrap();
    assert_eq!(echoed, kept);
}

#[tokio::test]
async fn a_body_that_announces_far_more_than_the_limit_is_refused_unread() {
    let service = service();
    let request = "POST /echo HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                   content-type: application/json\r\ncontent-length: 100000000000\r\n\r\n[";
    assert!(raw(&service, request).await.starts_with("HTTP/1.1 413 "));
}

#[tokio::test]
async fn a_body_that_is_not_json_by_its_type_or_content_is_refused() {
    let service = service();
    let client = http();
    let form =
        client.post(service.url() + "/echo").header("content-type", "application/x-www-form-urlencoded");
    let (status, error) = error_of(form.body("{}").send().await.unwrap()).await;
    assert_eq!((status, error.field.as_deref()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, Some("content-type")));
    let cut = client.post(service.url() + "/echo").body("{\"a\":");
    let (status, error) = error_of(cut.send().await.unwrap()).await;
    assert_eq!((status, error.code), (StatusCode::BAD_REQUEST, ErrorCode::InvalidArgument));
}

#[tokio::test]
async fn too_long_a_url_and_too_many_headers_are_refused_in_the_envelope() {
    let service = service();
    let client = http();
    let long = format!("{}/query?{}", service.url(), "x".repeat(9000));
    let (status, error) = error_of(client.get(long).send().await.unwrap()).await;
    assert_eq!((status, error.field.as_deref()), (StatusCode::URI_TOO_LONG, Some("url")));
    let mut many = client.get(service.url() + "/query");
    for number in 0..101 {
        many = many.header(format!("x-{number}"), "1");
    }
    let (status, error) = error_of(many.send().await.unwrap()).await;
    assert_eq!(
        (status, error.field.as_deref()),
        (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, Some("headers"))
    );
    let large = client.get(service.url() + "/query").header("x-large", "y".repeat(70_000));
    let (status, _) = error_of(large.send().await.unwrap()).await;
    assert_eq!(status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
}

#[tokio::test]
async fn a_query_is_decoded_in_order() {
    let service = service();
    let pairs: Value =
        get_url(service.url() + "/query?b=%C3%A9+1&a&b=2").await.unwrap().json().await.unwrap();
    assert_eq!(pairs, json!([["b", "é 1"], ["a", ""], ["b", "2"]]));
}

#[tokio::test]
async fn http2_is_served_on_the_same_port_even_when_its_preface_comes_in_pieces() {
    let service = service();
    let mut stream = TcpStream::connect(("127.0.0.1", service.port())).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in [&b"P"[..], b"RI * HTTP/2.0\r\n", b"\r\nSM\r\n\r\n"] {
        stream.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    // An empty SETTINGS frame; the server answers with its own.
    stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], 4, "the first frame of an HTTP/2 server is SETTINGS");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_never_sends_its_request_is_closed() {
    let service = service();
    for start in ["", "P", "GET / HTTP/1.1\r\nhost: loc"] {
        // The paused clock jumps to the time limit as soon as nothing else can happen.
        let answer = raw(&service, start).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_kept_connection_may_rest_for_longer_than_a_head_may_take() {
    let service = service();
    let mut stream = TcpStream::connect(("127.0.0.1", service.port())).await.unwrap();
    let mut exchange = async |head: &str| {
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let read = stream.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..read]).into_owned()
    };
    let request = "GET /query HTTP/1.1\r\nhost: localhost\r\n\r\n";
    for _ in 0..2 {
        let answer = exchange(request).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        tokio::time::sleep(Duration::from_secs(pas_types::limits::IDLE_S - 1)).await;
    }
    let before = tokio::time::Instant::now();
    let answer = exchange("GET /query HTTP/1.1\r\nhost: loc").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    let took = before.elapsed().as_secs();
    assert!((9..=11).contains(&took), "a head that is begun gets its own time, not {took} s");
}

#[tokio::test(start_paused = true)]
async fn a_kept_connection_that_rests_too_long_is_closed_counted_from_its_last_answer() {
    let service = service();
    let mut stream = TcpStream::connect(("127.0.0.1", service.port())).await.unwrap();
    let mut answer = vec![0; 4096];
    for rest in [0, pas_types::limits::IDLE_S / 2] {
        tokio::time::sleep(Duration::from_secs(rest)).await;
        stream.write_all(b"GET /query HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        assert!(stream.read(&mut answer).await.unwrap() > 0);
    }
    let before = tokio::time::Instant::now();
    while stream.read(&mut answer).await.unwrap() > 0 {}
    let took = before.elapsed().as_secs();
    assert!(took.abs_diff(pas_types::limits::IDLE_S) <= 1, "{took} s");
}

#[tokio::test(start_paused = true)]
async fn a_second_head_that_comes_at_once_has_no_more_time_than_the_first() {
    let service = service();
    let mut stream = TcpStream::connect(("127.0.0.1", service.port())).await.unwrap();
    let mut answer = vec![0; 4096];
    stream.write_all(b"GET /query HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    assert!(stream.read(&mut answer).await.unwrap() > 0);
    let before = tokio::time::Instant::now();
    stream.write_all(b"GET /query HTTP/1.1\r\nhost: loc").await.unwrap();
    while stream.read(&mut answer).await.unwrap() > 0 {}
    let took = before.elapsed().as_secs();
    assert!((9..=11).contains(&took), "{took} s");
}

#[tokio::test]
async fn a_route_before_the_router_is_answered_counted_and_refused_as_any_other() {
    let (sockets, swarm) = (Sockets::loopback().unwrap(), Swarm::default());
    let running = Running::new(&swarm, &sockets, CancellationToken::new());
    let server = Server {
        entry: REGISTRY,
        routes: Router::new().route("/said", post(async |Text(body): Text<64>| body)),
        rpc: None,
        openapi: utoipa::openapi::OpenApi::default(),
        health: Health::new(&REGISTRY, clock::now()),
        metrics: Metrics::new(&REGISTRY),
    };
    let direct = Direct::post("/said", |request| async {
        match Text::<64>::from_request(request, &()).await {
            Ok(Text(body)) => format!("directly {}", String::from_utf8_lossy(&body)).into_response(),
            Err(failure) => failure.into_response(),
        }
    });
    server.spawn_on_threads(2, vec![direct], &swarm, sockets, &running).unwrap();
    let url = format!("{}/said", running.url());

    let say = |text: String| http().post(&url).header("content-type", "application/json").body(text).send();
    let answer = say("1".to_owned()).await.unwrap();
    assert!(answer.headers().contains_key("x-request-id"));
    assert_eq!(answer.text().await.unwrap(), "directly 1");
    let (status, error) = error_of(say("1".repeat(65)).await.unwrap()).await;
    assert_eq!(
        (status, error.code, error.field.as_deref()),
        (StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::InvalidArgument, Some("body"))
    );
    let other = http().get(&url).send().await.unwrap();
    assert_eq!(other.status(), 405, "another method is the router's business");
    let metrics = get_url(running.url() + "/metrics").await.unwrap().text().await.unwrap();
    for status in [200, 413, 405] {
        let counted = format!("http_requests_total{{route=\"/said\",status=\"{status}\"}} 1");
        assert!(metrics.contains(&counted), "{counted} is not in {metrics}");
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_stop_lets_an_open_request_finish_and_takes_no_new_one() {
    let gate = Arc::<Gate>::default();
    let service = start(30, &gate);
    let url = service.url();
    let open = tokio::task::spawn_blocking({
        let url = url.clone();
        let handle = tokio::runtime::Handle::current();
        move || handle.block_on(async { get_url(url + "/wait").await?.text().await })
    });
    gate.entered.notified().await;
    let stop = service.stop();
    tokio::pin!(stop);
    let refused = async {
        while http().get(url.clone() + "/health").send().await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = refused => {}
        _ = &mut stop => panic!("the stop did not wait for the open request"),
    }
    gate.open.notify_one();
    assert_eq!(open.await.unwrap().unwrap(), "whole");
    stop.await.unwrap();
}

#[tokio::test]
async fn a_request_that_outlasts_the_grace_is_cut() {
    let gate = Arc::<Gate>::default();
    let service = start(0, &gate);
    let url = service.url() + "/wait";
    let call = async { get_url(url).await?.error_for_status() };
    let stop = async {
        gate.entered.notified().await;
        service.stop().await.unwrap();
    };
    let (called, ()) = tokio::join!(call, stop);
    assert!(called.is_err());
}

#[tokio::test]
async fn requests_are_counted_by_route_and_status() {
    let service = service();
    get_url(service.url() + "/fails").await.unwrap();
    let text = get_url(service.url() + "/metrics").await.unwrap().text().await.unwrap();
    let line = r#"pas_registry_http_requests_total{route="/fails",status="503"} 1"#;
    assert!(text.lines().any(|found| found == line), "{text}");
    assert!(text.contains("pas_registry_process_resident_bytes "), "{text}");
}

#[tokio::test]
async fn a_handler_that_panics_is_an_internal_error_and_the_connection_is_counted_down() {
    let service = service();
    let (status, error) = error_of(get_url(service.url() + "/panics").await.unwrap()).await;
    assert_eq!((status, error.code), (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Internal));
    let text = get_url(service.url() + "/metrics").await.unwrap().text().await.unwrap();
    let counted = r#"pas_registry_http_requests_total{route="/panics",status="500"} 1"#;
    assert!(text.lines().any(|line| line == counted), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_of_its_answer_is_cut_off() {
    let service = service();
    let mut stream = TcpStream::connect(("127.0.0.1", service.port())).await.unwrap();
    stream.write_all(b"GET /much HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    // The paused clock passes the time limit as soon as nothing else can happen: the peer's buffers are full.
    tokio::time::sleep(Duration::from_secs(40)).await;
    let mut taken = Vec::new();
    drop(stream.read_to_end(&mut taken).await);
    assert!(taken.len() < 64 * 1024 * 1024, "all of it was kept for a peer that did not read");
}

#[tokio::test]
async fn two_hosts_are_refused() {
    let service = service();
    let answer = raw(
        &service,
        "GET /query HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}
