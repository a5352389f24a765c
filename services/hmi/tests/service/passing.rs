//! What is passed on comes back as the owner answers it, piece by piece.

use pas_service::Swarm;
use pas_testkit::{Fault, Script, http, until};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::support::{World, agent, alone, answered, chat, hmi};

#[tokio::test]
async fn an_answer_is_byte_for_byte_the_owners() {
    let (world, _provider) = World::with_model().await;
    let id = world.register(&agent("one", None)).await;
    world.register(&agent("two", None)).await;
    assert_eq!(world.post("/api/gateway/v1/chat/completions", &chat(false)).await.0, 200);
    let run_id = until("there is a receipt", async || {
        let page = world.get("/api/gateway/receipts").await;
        page["receipts"][0]["run_id"].as_str().map(str::to_owned)
    })
    .await;
    let calls = [
        (&world.registry, "registry", format!("/services/{}", "0".repeat(8))),
        (&world.registry, "registry", "/discover?type=nothing".to_owned()),
        (&world.monitor, "monitor", "/alerts?limit=5".to_owned()),
        (&world.monitor, "monitor", "/alerts/mutes".to_owned()),
        (&world.router, "router", "/prices".to_owned()),
        (&world.router, "router", "/matrix".to_owned()),
        (&world.router, "router", "/policies".to_owned()),
        (world.gateway(), "gateway", format!("/receipts/{run_id}")),
        (world.gateway(), "gateway", "/receipts?limit=1&service=scripted".to_owned()),
        (world.gateway(), "gateway", "/receipts/stats?group_by=model&format=csv&limit=1".to_owned()),
        (world.gateway(), "gateway", "/inflight".to_owned()),
        (world.gateway(), "gateway", "/v1/models".to_owned()),
        (&world.events, "events", "/events?type=registered&limit=1".to_owned()),
        (&world.events, "events", "/events/export?type=registered".to_owned()),
    ];
    for (owner, prefix, path) in calls {
        let here = world.ask(&format!("/api/{prefix}{path}")).send().await.unwrap();
        let there = world.direct(owner, &path).await;
        assert_eq!(here.status(), there.status(), "{path}");
        for name in ["content-type", "content-disposition", "retry-after", "x-should-retry", "x-next-cursor"]
        {
            assert_eq!(here.headers().get(name), there.headers().get(name), "{path}: {name}");
        }
        let is_error = here.status().is_client_error();
        let (here, there) = (here.bytes().await.unwrap(), there.bytes().await.unwrap());
        // An error names its request.
        assert!(is_error || here == there, "{path}: {here:?} is not {there:?}");
    }
    // A query stays as it is, and so does a page.
    let here = world.get("/api/registry/discover?type=agent&status=any&limit=1&name=one").await;
    let ids: Vec<_> =
        here["services"].as_array().unwrap().iter().map(|row| row["service_id"].clone()).collect();
    assert_eq!(ids, [json!(id)]);
    for path in ["/services/x", "/discover?type=nothing"] {
        let here = world.get(&format!("/api/registry{path}")).await;
        let there: Value = world.direct(&world.registry, path).await.json().await.unwrap();
        assert_eq!(here["error"]["message"], there["error"]["message"]);
    }
    world.stop().await;
}

#[tokio::test]
async fn a_call_is_made_for_its_caller_and_his_headers_go_with_it() {
    let (world, provider) = World::with_model().await;
    let sent = world.send("/api/gateway/v1/messages");
    let message =
        json!({"model": "scripted-1", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]});
    let sent = sent.header("anthropic-version", "2023-06-01").header("x-pas-agent", "Tester").json(&message);
    let answer = sent.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let run_id = answer.headers()["x-pas-run-id"].to_str().unwrap().to_owned();
    assert_eq!(answer.headers()["x-pas-served-by"], "scripted");
    assert_eq!(provider.ended(1).await[0].header("anthropic-version"), Some("2023-06-01"));
    let receipt = until("the receipt is there", async || {
        let (status, receipt) = answered(world.ask(&format!("/api/gateway/receipts/{run_id}"))).await;
        (status == 200).then_some(receipt)
    })
    .await;
    assert_eq!(receipt["agent"], "Tester", "{receipt}");

    let target = json!({"target": {"type": "model", "name": "scripted"}, "payload": {}});
    let (status, dry) = world.post("/api/gateway/invoke?dry_run=true", &target).await;
    assert_eq!((status, dry["candidates"].is_array()), (200, true), "{dry}");
    assert_eq!(provider.requests().len(), 1);
    world.stop().await;
}

#[tokio::test]
async fn a_stream_comes_piece_by_piece() {
    let (world, provider) = World::with_model().await;
    provider.script(Script { chunks: Some(6), gap_ms: 300, ..Script::default() });
    let sent = world.send("/api/gateway/v1/chat/completions").json(&chat(true));
    let mut answer = sent.send().await.unwrap();
    assert_eq!(
        (answer.status(), &answer.headers()["content-type"]),
        (StatusCode::OK, &"text/event-stream; charset=utf-8".parse().unwrap())
    );
    let mut text = answer.chunk().await.unwrap().unwrap().to_vec();
    let seen = provider.requests();
    assert!(seen[0].ended.is_none(), "the provider had sent everything when the first piece came: {seen:?}");
    while let Some(more) = answer.chunk().await.unwrap() {
        text.extend_from_slice(&more);
    }
    assert!(text.ends_with(b"data: [DONE]\n\n"), "{}", String::from_utf8_lossy(&text));
    world.stop().await;
}

#[tokio::test]
async fn who_leaves_ends_the_call_upstream() {
    let (world, provider) = World::with_model().await;
    // Before the head of the answer has come, and after its first piece.
    for (number, after) in [None, Some(1)].into_iter().enumerate() {
        provider.script(Script { chunks: Some(3), fault: Some(Fault::Stall), after, ..Script::default() });
        let sent = world.send("/api/gateway/v1/chat/completions").json(&chat(true));
        let sending = sent.send();
        if after.is_some() {
            let mut answer = sending.await.unwrap();
            answer.chunk().await.unwrap().unwrap();
        } else {
            tokio::select! {
                answer = sending => panic!("it answered: {answer:?}"),
                () = provider.when("it is asked", |all| (!all.is_empty()).then_some(())) => {}
            }
        }
        provider.when("it is left", |all| all.get(number).filter(|one| one.was_left()).map(drop)).await;
    }
    until("nothing is under way", async || {
        let page = world.get("/api/gateway/inflight").await;
        page["inflight"].as_array()?.is_empty().then_some(())
    })
    .await;
    world.stop().await;
}

#[tokio::test]
async fn what_is_not_on_the_list_is_not_reached_and_the_answer_names_what_is() {
    let world = World::start().await;
    let register = agent("sneaks in", None);
    for (path, named) in [
        ("/api/registry/register", "POST /api/registry/pause"),
        ("/api/registry/brake/release", "GET /api/registry/discover"),
        ("/api/registry", "GET /api/registry/services/{service_id}"),
        ("/api/gateway/v1/embeddings", "POST /api/gateway/invoke"),
        ("/api/gateway/health", "GET /api/gateway/receipts/{run_id}"),
        ("/api/registryx/discover", "/api/registry/…"),
        ("/api/nothing", "GET /api/hello"),
        ("/api", "GET /api/tree"),
    ] {
        let (status, error) = world.post(path, &register).await;
        let message = error["error"]["message"].as_str().unwrap().to_owned();
        assert_eq!((status, &error["error"]["code"]), (404, &json!("not_found")), "{path}: {error}");
        assert!(
            message.starts_with(&format!("there is no POST {path} here")) && message.contains(named),
            "{message}"
        );
    }
    assert_eq!(answered(world.ask("/api/events/subscribe")).await.0, 404);
    let found = world.get("/api/registry/discover?type=agent").await;
    assert_eq!(found["services"], json!([]));
    world.stop().await;
}

#[tokio::test]
async fn another_method_is_refused_as_such_and_the_answer_names_the_right_one() {
    let world = World::start().await;
    let get = |path| (world.ask(path), "GET", path);
    let post = |path| (world.send(path).json(&agent("sneaks in", None)), "POST", path);
    for ((request, method, path), right) in [
        (get("/api/registry/pause"), "POST"),
        (get("/api/gateway/inflight/gw-1/cancel"), "POST"),
        (post("/api/events/events"), "GET"),
        (post("/api/registry/discover"), "GET"),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 405, "{path}");
        assert!(answer.headers()["allow"].to_str().unwrap().contains(right), "{path}: {answer:?}");
        let error: Value = answer.json().await.unwrap();
        let (code, field) = (&error["error"]["code"], &error["error"]["field"]);
        assert_eq!((code, field), (&json!("invalid_argument"), &json!("method")), "{error}");
        let message = error["error"]["message"].as_str().unwrap();
        let told = format!("there is no {method} {path} here; there is ");
        let named = path.replace("gw-1", "{run_id}");
        assert!(message.starts_with(&told) && message.contains(&format!("{right} {named}")), "{message}");
    }
    world.stop().await;
}

#[tokio::test]
async fn what_an_owner_took_and_did_not_answer_is_not_to_be_sent_again() {
    // It takes a request, and hangs up.
    let owner = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", owner.local_addr().unwrap());
    let hang_up = async || loop {
        let (mut stream, _) = owner.accept().await.unwrap();
        assert_ne!(stream.read(&mut [0; 4096]).await.unwrap(), 0);
    };
    let answered = async |request| {
        tokio::select! {
            answer = answered(request) => answer,
            () = hang_up() => unreachable!(),
        }
    };
    let (swarm, config) = alone();
    let hmi = hmi(&Swarm { registry_url: url.clone(), ..swarm }, config).await;
    let here = |path: &str| format!("{}/api/registry{path}", hmi.url());
    let pause = json!({"all": true, "reason": "lunch"});
    let (status, error) = answered(http().post(here("/pause")).json(&pause)).await;
    let error = &error["error"];
    assert_eq!((status, &error["code"], &error["retryable"]), (502, &json!("upstream_error"), &json!(false)));
    let message = error["message"].as_str().unwrap();
    let told = "): it may have been carried out; look before you send it again";
    assert!(
        message.starts_with("the registry took it and broke off ") && message.ends_with(told),
        "{message}"
    );
    // Who only looks may look again.
    let (status, error) = answered(http().get(here("/discover"))).await;
    let error = &error["error"];
    assert_eq!((status, &error["code"], &error["retryable"]), (503, &json!("unavailable"), &json!(true)));
    hmi.stop().await.unwrap();
}

#[tokio::test]
async fn an_owner_that_is_away_is_named_and_is_back_when_it_is_back() {
    let mut world = World::start().await;
    assert_eq!(world.ask("/api/gateway/inflight").send().await.unwrap().status(), 200);
    let port = world.stop_gateway().await;
    let url = format!("http://127.0.0.1:{port}");
    for (path, body) in [("/api/gateway/inflight", None), ("/api/gateway/invoke", Some(json!({})))] {
        let request = body.map_or_else(|| world.ask(path), |body| world.send(path).json(&body));
        let (status, error) = answered(request).await;
        let error = &error["error"];
        assert_eq!((status, &error["code"], &error["retryable"]), (503, &json!("unavailable"), &json!(true)));
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("the gateway can't be reached at {url}: ")), "{message}");
    }
    world.start_gateway(port).await;
    assert_eq!(world.ask("/api/gateway/inflight").send().await.unwrap().status(), 200);
    world.stop().await;
}

#[tokio::test]
async fn a_body_may_be_larger_to_the_gateway_than_to_others() {
    let (world, provider) = World::with_model().await;
    let mut large = chat(false);
    large["messages"][0]["content"] = "x".repeat(3 * 1024 * 1024).into();
    assert_eq!(world.post("/api/gateway/v1/chat/completions", &large).await.0, 200);
    assert!(provider.requests()[0].body.len() > 3 * 1024 * 1024);
    for (path, bytes) in [("/api/gateway/v1/chat/completions", 4 << 20), ("/api/router/route", 1 << 20)] {
        large["messages"][0]["content"] = "x".repeat(bytes).into();
        let (status, error) = world.post(path, &large).await;
        assert_eq!((status, &error["error"]["field"]), (413, &json!("body")), "{path}");
    }
    world.stop().await;
}
