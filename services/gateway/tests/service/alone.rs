use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use pas_gateway::Config;
use pas_service::{Sockets, Swarm};
use pas_testkit::{Provider, http, until};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::faults::{Way, outcomes};
use crate::support::{World, chat, gateway, policies, registry_at, scripted, swarm};

#[tokio::test]
async fn with_the_registry_gone_calls_go_on_also_after_a_restart_and_all_heals_by_itself() {
    let (world, provider) = (World::start().await, Provider::start().unwrap());
    world.register("scripted", &provider).await;
    until("it is kept on disk", async || {
        let kept = std::fs::read_to_string(world.data.path().join("run/gateway-snapshot.json")).ok()?;
        kept.contains("scripted").then_some(())
    })
    .await;
    let place = served(&world).await["snapshot"]["registry"].clone();
    let World { registry, gateway: first, data } = world;
    let (url, port) = (registry.url(), registry.url().rsplit(':').next().unwrap().parse().unwrap());
    registry.stop().await.unwrap();

    // Gone: what was known holds, and grows old.
    let alone = |gateway| Alone { gateway };
    let gateway_alone = alone(first);
    gateway_alone.is("degraded").await;
    let before = until("what is known has grown old", async || {
        let receipt = gateway_alone.served().await;
        assert_eq!(receipt["snapshot"]["registry"]["epoch"], place["epoch"], "{receipt}");
        receipt["snapshot"]["age_ms"].as_u64().filter(|age| *age >= 1_500)
    })
    .await;

    // Started anew, with nobody to ask.
    gateway_alone.gateway.stop().await.unwrap();
    let swarm = swarm(data.path(), url);
    let gateway_alone = alone(gateway(&swarm, Config::default()).await);
    let receipt = gateway_alone.served().await;
    assert_eq!(receipt["snapshot"]["registry"]["epoch"], place["epoch"], "{receipt}");
    let age = receipt["snapshot"]["age_ms"].as_u64().unwrap();
    assert!(age >= before, "a restart does not make what is known {before} ms old any younger: {age} ms");
    gateway_alone.is("degraded").await;

    // Back where it was.
    let here = Swarm { bind: vec![IpAddr::from([127, 0, 0, 1])], ..Swarm::default() };
    let registry = registry_at(&swarm, Sockets::bind(&here, port).unwrap()).await;
    let world = World { registry, gateway: gateway_alone.gateway, data };
    until("the registry is heard again", async || {
        let health = world.get("/health").await;
        (health["checks"]["fleet"]["status"] == "ok").then_some(())
    })
    .await;
    let another = Provider::start().unwrap();
    world.register("another", &another).await;
    assert!(served(&world).await["snapshot"]["age_ms"].as_u64().unwrap() < age);
    world.stop().await;
}

/// A gateway without a registry.
struct Alone {
    gateway: pas_service::Running,
}

impl Alone {
    async fn get(&self, path: &str) -> Value {
        http().get(format!("{}{path}", self.gateway.url())).send().await.unwrap().json().await.unwrap()
    }

    /// The receipt of a call that is answered.
    async fn served(&self) -> Value {
        let url = format!("{}/v1/chat/completions", self.gateway.url());
        let answer = http().post(url).json(&chat(false)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        self.get(&format!("/receipts/{}", crate::support::run_id(&answer))).await
    }

    /// Waits until it says so of what it knows of the registry.
    async fn is(&self, status: &str) {
        until(&format!("it is {status}"), async || {
            let health = self.get("/health").await;
            (health["checks"]["fleet"]["status"] == status && health["status"] == status).then_some(())
        })
        .await;
    }
}

/// The receipt of a call that is answered.
async fn served(world: &World) -> Value {
    let (status, text, receipt) = Way::PLAIN.ask(world).await;
    assert_eq!((status, outcomes(&receipt)), (200, vec!["ok"]), "{text}");
    receipt
}

#[tokio::test]
async fn a_matrix_with_a_fault_makes_not_one_call_fail_and_the_next_good_one_is_taken() {
    let nothing = json!({"providers": [], "routes": []});
    let (world, router) = World::told(&policies(json!({})), &nothing).await;
    let provider = Provider::start().unwrap();
    world.register_as(scripted("local", "scripted", &provider)).await;
    let version = served(&world).await["snapshot"]["matrix"].clone();

    let load = Load { url: world.gateway.url(), ends: Arc::default(), answered: Arc::default() };
    let mut clients = JoinSet::new();
    for stream in [false, true, false, true] {
        clients.spawn(load.clone().call(stream));
    }
    load.goes_on().await;
    for (broken, path) in [
        (r#"{"providers": [{"#.to_owned(), "matrix.json"),
        (json!({"providers": [{"name": 5}], "routes": []}).to_string(), "providers[0].name"),
    ] {
        router.write_matrix(&broken);
        let reason = until("it is named", async || {
            let reason = router.files_are("degraded").await;
            reason.contains(path).then_some(reason)
        })
        .await;
        assert!(reason.contains("config_rejected"), "{reason}");
        load.goes_on().await;
        assert_eq!(served(&world).await["snapshot"]["matrix"], version, "what was in force still is");
    }
    let model = json!({
        "id": "acme-1", "caps": ["infer", "chat"], "tier": "light", "prices": null, "source": "https://example.org/acme-1",
    });
    let acme = json!({"name": "acme", "locality": "external", "models": [model]});
    router.write_matrix(&json!({"providers": [acme], "routes": []}).to_string());
    router.files_are("ok").await;
    until("it is taken", async || (served(&world).await["snapshot"]["matrix"] != version).then_some(()))
        .await;
    load.goes_on().await;
    load.ends.store(true, Ordering::SeqCst);
    clients.join_all().await;
    world.stop().await;
    router.running.stop().await.unwrap();
}

/// Clients that call all the time.
#[derive(Clone)]
struct Load {
    url: String,
    ends: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
}

impl Load {
    async fn call(self, stream: bool) {
        let client = http();
        while !self.ends.load(Ordering::SeqCst) {
            let asked = client.post(format!("{}/v1/chat/completions", self.url)).json(&chat(stream));
            let answer = asked.send().await.unwrap();
            let status = answer.status();
            let text = answer.text().await.unwrap();
            assert_eq!(status, 200, "{text}");
            assert!(!stream || text.contains("data: [DONE]"), "{text}");
            self.answered.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Waits until more calls are answered.
    async fn goes_on(&self) {
        let before = self.answered.load(Ordering::SeqCst);
        until("calls are answered", async || {
            (self.answered.load(Ordering::SeqCst) >= before + 20).then_some(())
        })
        .await;
    }
}
