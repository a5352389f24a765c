//! The web interface as a browser gets it, and whose pages may call.

use pas_hmi::assets;
use pas_service::Running;
use pas_testkit::http;
use reqwest::Response;
use serde_json::Value;

use crate::support::{alone, answered, hmi, status_of};

async fn get(service: &Running, path: &str) -> Response {
    http().get(format!("{}{path}", service.url())).send().await.unwrap()
}

#[tokio::test]
async fn every_page_is_the_web_interface_or_says_how_to_build_it() {
    let (swarm, config) = alone();
    let hmi = hmi(&swarm, config).await;
    let page = assets::page(assets::BUILT).bytes;
    for path in [
        "/",
        "/tree",
        "/tree/",
        "/costs",
        "/alerts",
        "/receipts",
        "/receipts/gw-1",
        "/services/a/b",
        "/playground?target=x",
    ] {
        let answer = get(&hmi, path).await;
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(
            (answer.status().as_u16(), header("content-type")),
            (200, "text/html; charset=utf-8".to_owned()),
            "{path}"
        );
        assert_eq!(header("cache-control"), "no-cache");
        assert_eq!(answer.bytes().await.unwrap(), page, "{path}");
    }
    for asset in assets::BUILT {
        let answer = get(&hmi, asset.path).await;
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let keep = if asset.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
        assert_eq!(
            (header("content-type"), header("cache-control")),
            (asset.content_type.to_owned(), keep.to_owned())
        );
        assert_eq!(answer.bytes().await.unwrap(), asset.bytes, "{}", asset.path);
    }
    hmi.stop().await.unwrap();
}

#[tokio::test]
async fn nothing_but_the_files_of_the_web_build_is_served() {
    let (swarm, config) = alone();
    let hmi = hmi(&swarm, config).await;
    for path in [
        "/assets/../../Cargo.toml",
        "/assets/..%2f..%2fCargo.toml",
        "/assets/%2e%2e/%2e%2e/Cargo.toml",
        "/..%5c..%5cCargo.toml",
        "/../Cargo.toml",
        "//etc/passwd",
        "/assets/",
        "/assets/none.js",
        "/Cargo.toml",
        "/sequencer",
    ] {
        assert_eq!(status_of(&hmi, path).await, 404, "{path}");
    }
    hmi.stop().await.unwrap();
}

#[tokio::test]
async fn a_browser_is_told_to_load_and_call_nothing_else() {
    let (swarm, config) = alone();
    let swarm = pas_service::Swarm { events_url: "http://localhost:7102".to_owned(), ..swarm };
    let hmi = hmi(&swarm, config).await;
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
        connect-src 'self' http://127.0.0.1:7102 ws://127.0.0.1:7102 http://localhost:7102 ws://localhost:7102; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    for path in ["/", "/receipts/gw-1", "/api/hello", "/api/nothing", "/api/gateway/receipts"] {
        let answer = get(&hmi, path).await;
        for (name, value) in [
            ("content-security-policy", policy),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.headers()[name], value, "{path}");
        }
    }
    hmi.stop().await.unwrap();
}

#[tokio::test]
async fn its_own_pages_may_call_it_on_any_port_and_no_others_may() {
    let (swarm, config) = alone();
    let swarm = pas_service::Swarm { hosts: vec!["swarm.example".to_owned()], ..swarm };
    let hmi = hmi(&swarm, config).await;
    let status = async |origin: &str| {
        let request = http().get(format!("{}/api/hello", hmi.url())).header("origin", origin);
        let (status, answer): (u16, Value) = answered(request).await;
        assert_eq!(status == 403, answer["error"]["code"] == "permission_denied", "{answer}");
        status
    };
    let port = hmi.port();
    for host in ["127.0.0.1", "localhost", "[::1]", "swarm.example"] {
        assert_eq!(status(&format!("http://{host}:{port}")).await, 200, "{host}");
    }
    for origin in [
        "http://evil.example",
        "null",
        &format!("http://127.0.0.1:{}", port ^ 1),
        &format!("https://localhost:{port}"),
    ] {
        assert_eq!(status(origin).await, 403, "{origin}");
    }
    hmi.stop().await.unwrap();
}
