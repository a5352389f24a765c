//! What the HMI answers itself.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use pas_hmi::Config;
use pas_testkit::{http, until};
use pas_types::limits;
use serde_json::{Value, json};

use crate::support::{World, agent, alone, answered, hmi};

#[tokio::test]
async fn it_says_where_everything_is() {
    let world = World::start().await;
    let url = |service: &pas_service::Running| service.url();
    let urls = json!({
        "registry": url(&world.registry), "event_stream": url(&world.events),
        "heartbeat_monitor": url(&world.monitor), "provider_router": url(&world.router),
        "gateway": url(world.gateway()),
    });
    let hello = json!({
        "version": env!("CARGO_PKG_VERSION"), "demo": false, "events_url": url(&world.events), "urls": urls,
    });
    assert_eq!(world.get("/api/hello").await, hello);
    world.stop().await;

    let (swarm, config) = alone();
    let demo = hmi(&swarm, Config { demo: true, ..config }).await;
    let (_, hello) = answered(http().get(format!("{}/api/hello", demo.url()))).await;
    assert_eq!(hello["demo"], true);
    demo.stop().await.unwrap();
}

#[tokio::test]
async fn who_registers_appears_and_who_leaves_is_gone() {
    let world = World::start().await;
    let id = world.register(&agent("comes", None)).await;
    let page = world.listed("comes").await;
    assert_eq!((&page["reset"], &page["broken"]), (&json!(true), &Value::Null));
    assert!(page["heard_age_ms"].is_u64(), "{page}");
    let row = page["services"].as_array().unwrap().iter().find(|row| row["name"] == "comes").unwrap();
    assert_eq!(
        (&row["service_id"], &row["type"], &row["status"]),
        (&json!(id), &json!("agent"), &json!("ok"))
    );

    let mut at = page["cursor"].as_str().unwrap().to_owned();
    let second = world.register(&agent("second", None)).await;
    let mut news = async |what: &str, is_told: &dyn Fn(&Value) -> bool| {
        until(what, async || {
            let page = world.get(&format!("/api/services?since={at}")).await;
            assert_eq!(page["reset"], false, "{page}");
            let all = page["services"].as_array().unwrap().iter().chain(page["gone"].as_array().unwrap());
            let told = all.clone().any(is_told);
            assert!(told || all.count() < 6, "all of it is told again: {page}");
            at = page["cursor"].as_str().unwrap().to_owned();
            told.then_some(())
        })
        .await;
    };
    news("the second is told", &|row| row["service_id"] == second.as_str()).await;
    let gone = json!({"service_id": id, "reason": "it is over"});
    assert_eq!(world.post("/api/registry/deregister", &gone).await.0, 200);
    news("the first is gone", &|row| *row == id.as_str()).await;
    let page = world.get("/api/services").await;
    assert!(page["services"].as_array().unwrap().iter().all(|row| row["name"] != "comes"), "{page}");
    world.stop().await;
}

#[tokio::test]
async fn a_cursor_of_another_start_is_told_everything_and_what_is_none_is_refused() {
    let world = World::start().await;
    world.register(&agent("there", None)).await;
    world.listed("there").await;
    let page = world.get("/api/services?since=1:1").await;
    assert_eq!(page["reset"], true);
    assert!(page["services"].as_array().unwrap().iter().any(|row| row["name"] == "there"), "{page}");
    for (query, field) in [("since=soon", "since"), ("until=1:1", "until")] {
        let (status, error) = answered(world.ask(&format!("/api/services?{query}"))).await;
        assert_eq!((status, &error["error"]["field"]), (400, &json!(field)), "{error}");
    }
    world.stop().await;
}

#[tokio::test]
async fn agents_are_a_tree_by_the_labels_of_their_parents() {
    let world = World::start().await;
    let ids = [
        ("Architect", None),
        ("Coder", Some("Architect")),
        ("Tester", Some("Coder")),
        ("Stray", Some("Nobody")),
    ];
    let mut id_of = BTreeMap::new();
    for (name, parent) in ids {
        id_of.insert(name, world.register(&agent(name, parent)).await);
    }
    let usage = json!({"ctx_used": 500, "ctx_limit": 1000});
    let beat = json!({"service_id": id_of["Coder"], "activity": "running", "token_usage": usage});
    let url = format!("{}/heartbeat", world.registry.url());
    assert_eq!(answered(http().put(&url).json(&beat)).await.0, 200);
    let beat = json!({"service_id": id_of["Tester"], "status": "degraded", "activity": "running"});
    assert_eq!(answered(http().put(&url).json(&beat)).await.0, 200);
    let pause = json!({"name": "Stray", "reason": "to see it"});
    assert_eq!(world.post("/api/registry/pause", &pause).await.0, 200);

    let node = |name: &str, status: &str, usage: [Option<u64>; 2], children: Value| json!({"name": name, "status": status, "ctx_used": usage[0], "ctx_limit": usage[1], "children": children});
    let tester = node("Tester", "degraded", [None, None], json!([]));
    let coder = node("Coder", "running", [Some(500), Some(1000)], json!([tester]));
    let architect = node("Architect", "ok", [None, None], json!([coder]));
    let stray = node("Stray", "paused", [None, None], json!([]));
    let wanted = node("swarm", "degraded", [None, None], json!([architect, stray]));
    assert_eq!(world.get("/api/tree").await, wanted);
    world.stop().await;
}

#[tokio::test]
async fn the_tree_has_every_agent_of_every_page() {
    let world = World::start().await;
    let agents: Vec<_> = (0..1_005).map(|number| format!("a{number:04}")).collect();
    for some in agents.chunks(100) {
        join_all(some.iter().map(async |name| world.register(&agent(name, None)).await)).await;
    }
    let tree = world.get("/api/tree").await;
    let names = tree["children"].as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), agents);
    world.stop().await;
}

#[tokio::test]
async fn the_tree_has_the_heaviest_agents_that_can_be_registered() {
    let world = World::start().await;
    // In JSON, each byte takes six: a registration has 1 MiB at the most.
    let value = "\u{1}".repeat(limits::LABEL_BYTES);
    let labels: BTreeMap<_, _> = (0..42).map(|number| (format!("l{number}"), &value)).collect();
    let names: Vec<_> = (0..20).map(|number| format!("a{number:04}")).collect();
    for name in &names {
        let heavy = json!({"name": name, "type": "agent", "role": "experimental", "labels": labels});
        world.register(&heavy).await;
    }
    let tree = world.get("/api/tree").await;
    let seen = tree["children"].as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap());
    assert_eq!(seen.collect::<Vec<_>>(), names);
    world.stop().await;
}

#[tokio::test]
async fn who_answers_in_the_place_of_another_is_named() {
    let world = World::start().await;
    let (swarm, config) = alone();
    let url = world.registry.url();
    let hmi = hmi(&swarm, Config { gateway_url: url.clone(), ..config }).await;
    let (_, page) = answered(http().get(format!("{}/api/health", hmi.url()))).await;
    let row = &page["services"][5];
    let reason = format!("the gateway is not at {url}: `registry` answers there");
    assert_eq!((&row["status"], &row["reason"]), (&json!("unreachable"), &json!(reason)));
    assert_eq!(row.get("version"), None);
    hmi.stop().await.unwrap();
    world.stop().await;
}

#[tokio::test]
async fn each_service_says_how_it_is_and_who_is_gone_is_unreachable() {
    let mut world = World::start().await;
    let names = ["hmi", "registry", "event-stream", "heartbeat-monitor", "provider-router", "gateway"];
    until("all are well", async || {
        let page = world.get("/api/health").await;
        let rows = page["services"].as_array()?;
        let seen: Vec<_> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(seen, names);
        let is_well = |row: &Value| matches!(row["status"].as_str(), Some("ok" | "recovering"));
        rows.iter()
            .all(|row| is_well(row) && row["checks"].is_object() && row["took_ms"].is_u64())
            .then_some(())
    })
    .await;
    let url = world.gateway().url();
    world.stop_gateway().await;
    let page = world.get("/api/health").await;
    let row = &page["services"][5];
    assert_eq!((&row["status"], &row["url"]), (&json!("unreachable"), &json!(url)));
    let reason = format!("the gateway can't be reached at {url}: ");
    assert!(row["reason"].as_str().unwrap().starts_with(&reason), "{row}");
    assert_eq!((row.get("version"), page["services"][1]["status"].as_str()), (None, Some("ok")));
    world.stop().await;
}

#[tokio::test]
async fn what_was_known_of_the_registry_stays_while_it_is_away() {
    let world = World::start().await;
    world.register(&agent("stays", None)).await;
    world.listed("stays").await;
    world.registry.shutdown().cancel();
    let page = until("it has noticed", async || {
        let page = world.get("/api/services").await;
        page["broken"].is_string().then_some(page)
    })
    .await;
    assert!(page["heard_age_ms"].is_u64(), "{page}");
    assert!(page["services"].as_array().unwrap().iter().any(|row| row["name"] == "stays"), "{page}");
    let health = world.get("/health").await;
    assert_eq!(
        (&health["status"], &health["checks"]["fleet"]["status"]),
        (&json!("degraded"), &json!("degraded"))
    );
    world.stop().await;
}

#[tokio::test]
async fn an_owner_that_says_nothing_is_not_waited_for() {
    // The kernel takes connections that nobody accepts.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let (swarm, config) = alone();
    let config = Config { gateway_url: url.clone(), monitor_url: url.clone(), ..config };
    let hmi = hmi(&swarm, config).await;
    let get = async |path: &str| answered(http().get(format!("{}{path}", hmi.url()))).await;
    let post = async |path: &str, body: Value| {
        answered(http().post(format!("{}{path}", hmi.url())).json(&body)).await
    };
    let ((_, page), (status, error), muted, cancelled) = tokio::join!(
        get("/api/health"),
        get("/api/gateway/inflight"),
        post("/api/monitor/alerts/mute", json!({})),
        post("/api/gateway/inflight/gw-1/cancel", json!({"reason": "it hangs"}))
    );
    // What is done is not waited for either, but may have been done.
    for ((status, answer), who) in [(muted, "heartbeat monitor"), (cancelled, "gateway")] {
        let answer = &answer["error"];
        let seen = (status, &answer["code"], &answer["retryable"]);
        assert_eq!(seen, (504, &json!("upstream_timeout"), &json!(false)), "{answer}");
        let told = format!(
            "the {who} took it and gave no answer within 10 s: it may have been carried out; look before you send it again"
        );
        assert_eq!(answer["message"], told);
    }
    let row = &page["services"][5];
    let reason = format!("the gateway can't be reached at {url}: no answer within 1000 ms");
    assert_eq!((&row["status"], &row["reason"]), (&json!("unreachable"), &json!(reason)));
    assert!(row["took_ms"].as_u64().unwrap() < 2_000, "{row}");
    let message = format!("the gateway can't be reached at {url}: no answer within 10 s");
    assert_eq!((status, &error["error"]["message"]), (503, &json!(message)));
    hmi.stop().await.unwrap();
}

#[tokio::test]
async fn without_its_owners_it_answers_and_says_what_is_missing() {
    let (swarm, config) = alone();
    let alone = hmi(&swarm, config).await;
    let get = async |path: &str| answered(http().get(format!("{}{path}", alone.url()))).await;
    let page = until("it has noticed", async || {
        let (status, page) = get("/api/services").await;
        assert_eq!(status, 200);
        page["broken"].is_string().then_some(page)
    })
    .await;
    assert_eq!(
        (&page["heard_age_ms"], &page["services"], &page["reset"]),
        (&Value::Null, &json!([]), &json!(true))
    );
    let (status, health) = get("/health").await;
    assert_eq!(
        (status, &health["status"], &health["checks"]["fleet"]["status"]),
        (200, &json!("degraded"), &json!("degraded"))
    );
    let (status, error) = get("/api/tree").await;
    assert_eq!((status, &error["error"]["code"]), (503, &json!("unavailable")), "{error}");
    alone.stop().await.unwrap();
}
