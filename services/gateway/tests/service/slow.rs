use std::time::Duration;

use pas_gateway::Config;
use pas_service::Swarm;
use pas_testkit::provider::Fault;
use pas_testkit::{Provider, Script, monotonic, until};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::faults::{Two, Way, outcomes};
use crate::support::{Router, World, chat, gateway, policies, run_id, swarm};

/// Two providers, and short times for streams.
async fn impatient() -> (Two, Router) {
    let limits = json!({"defaults": {"timeouts": {"first_token_s": 0.3, "between_tokens_s": 0.3}}});
    let (world, router) = World::told(&policies(limits), &json!({"providers": [], "routes": []})).await;
    (Two::in_world(world).await, router)
}

async fn stop(two: Two, router: Router) {
    two.world.stop().await;
    router.running.stop().await.unwrap();
}

#[tokio::test]
async fn who_does_not_begin_in_time_is_left_for_the_next() {
    for script in [
        Script::fault(Fault::Stall),
        Script { head_ms: 60_000, ..Script::default() },
        Script { first_ms: 60_000, ..Script::default() },
        Script { first_ms: 60_000, ping_ms: Some(50), ..Script::default() },
    ] {
        let (two, router) = impatient().await;
        for (number, way) in Way::all().filter(|way| way.stream).enumerate() {
            two.script(&script);
            let (status, text, receipt) = way.ask(&two.world).await;
            assert!(status == 200 && way.is_whole(&text), "{script:?} {way:?}: {text}");
            assert_eq!(outcomes(&receipt), ["first_token_timeout", "ok"], "{way:?}: {receipt}");
            let left =
                two.first.when("it is left", |all| all.get(number).filter(|one| one.was_left()).cloned());
            left.await;
        }
        stop(two, router).await;
    }
}

#[tokio::test]
async fn who_falls_silent_in_the_middle_is_cut_with_an_error_and_no_end_mark() {
    let (two, router) = impatient().await;
    for way in Way::all().filter(|way| way.stream) {
        two.script(&Script::fault_after(Fault::Stall, 3));
        let (status, text, receipt) = way.ask(&two.world).await;
        assert_eq!(status, 200, "{way:?}: {text}");
        if way.atomic {
            assert!(way.is_whole(&text), "{way:?}: {text}");
            assert_eq!(outcomes(&receipt), ["stalled", "ok"], "{receipt}");
        } else {
            assert!(!way.is_whole(&text) && text.contains("\"error\""), "{way:?}: {text}");
            assert!(text.contains("was silent for 0.3 s"), "{text}");
            assert_eq!(
                (outcomes(&receipt), &receipt["status"]),
                (vec!["stalled"], &json!("cut")),
                "{receipt}"
            );
        }
    }
    stop(two, router).await;
}

#[tokio::test]
async fn a_deadline_holds_whatever_the_upstream_does() {
    let two = Two::start().await;
    for way in Way::all() {
        for script in [
            Script { drip_ms: Some(1_000), ..Script::default() },
            Script { head_ms: 60_000, ..Script::default() },
            Script::fault(Fault::Stall),
        ] {
            two.first.forget();
            two.script(&script);
            let begun = monotonic();
            let (status, text, receipt) = way.ask_with(&two.world, &[("x-pas-deadline-ms", "400")]).await;
            assert_eq!(status, 504, "{way:?} {script:?}: {text}");
            let took = monotonic().saturating_sub(begun);
            assert!(took < Duration::from_secs(20), "{way:?}: it took {took:?}");
            assert_eq!(
                (outcomes(&receipt), &receipt["status"]),
                (vec!["deadline"], &json!("error")),
                "{receipt}"
            );
            two.first.when("it is left", |all| all.iter().any(|one| one.was_left()).then_some(())).await;
        }
    }
    // A deadline that a caller sets says nothing of who is asked.
    let (_, _, receipt) = Way::PLAIN.ask(&two.world).await;
    assert_eq!(
        (outcomes(&receipt), &receipt["resolved"]["name"]),
        (vec!["ok"], &json!("first")),
        "{receipt}"
    );
    two.world.stop().await;
}

#[tokio::test]
async fn a_deadline_in_the_middle_of_a_stream_cuts_it() {
    let two = Two::start().await;
    for way in Way::all().filter(|way| way.stream && !way.atomic) {
        two.script(&Script { gap_ms: 200, chunks: Some(1_000), ..Script::default() });
        let (status, text, receipt) = way.ask_with(&two.world, &[("x-pas-deadline-ms", "1500")]).await;
        assert_eq!(status, 200, "{text}");
        assert!(!way.is_whole(&text) && text.contains("the call's time is over"), "{way:?}: {text}");
        assert_eq!((outcomes(&receipt), &receipt["status"]), (vec!["deadline"], &json!("cut")), "{receipt}");
    }
    two.world.stop().await;
}

#[tokio::test]
async fn an_answer_of_two_gigabytes_is_not_read() {
    let two = Two::start().await;
    // What is passed on as it comes is held nowhere, however long it goes on.
    for (number, way) in Way::all().filter(|way| !way.stream || way.atomic).enumerate() {
        two.script(&Script { body_bytes: Some(2_000_000_000), ..Script::default() });
        let (status, text, receipt) = way.ask(&two.world).await;
        let all = two.first.ended(number + 1).await;
        // What the kernel holds is beyond what was read.
        assert!(all[number].sent_bytes < 100_000_000, "{way:?}: {} bytes were read", all[number].sent_bytes);
        assert!(status == 200 && way.is_whole(&text), "{way:?}: {status}");
        assert_eq!(outcomes(&receipt), ["too_large", "ok"], "{way:?}: {receipt}");
    }
    two.world.stop().await;
}

#[tokio::test]
async fn what_is_no_utf8_is_never_passed_on_as_an_answer() {
    for after in [0, 3] {
        let two = Two::start().await;
        for way in Way::all() {
            two.script(&Script::fault_after(Fault::InvalidUtf8, after));
            let (status, text, receipt) = way.ask(&two.world).await;
            assert_eq!(status, 200, "{way:?}: {text}");
            if after > 0 && way.stream && !way.atomic {
                assert!(!way.is_whole(&text) && text.contains("\"error\""), "{way:?}: {text}");
                assert_eq!(
                    (outcomes(&receipt), &receipt["status"]),
                    (vec!["garbage"], &json!("cut")),
                    "{receipt}"
                );
            } else {
                assert!(way.is_whole(&text), "{way:?}: {text}");
                assert_eq!(outcomes(&receipt), ["garbage", "ok"], "{after} {way:?}: {receipt}");
            }
            two.recover().await;
        }
        two.world.stop().await;
    }
}

#[tokio::test]
async fn clients_that_leave_in_the_middle_count_against_nobody() {
    let (world, provider) = (World::start().await, Provider::start().unwrap());
    world.register("scripted", &provider).await;
    provider.script(Script::fault_after(Fault::Stall, 3).forever());
    for number in 0..50 {
        let mut answer = world.post("/v1/chat/completions").json(&chat(true)).send().await.unwrap();
        let id = run_id(&answer);
        assert!(answer.chunk().await.unwrap().is_some());
        drop(answer);
        provider.when("it is left", |all| all.get(number).filter(|one| one.was_left()).cloned()).await;
        let receipt = until("the receipt is there", async || {
            let receipt = world.get(&format!("/receipts/{id}")).await;
            receipt["run_id"].is_string().then_some(receipt)
        })
        .await;
        assert_eq!((outcomes(&receipt), &receipt["status"]), (vec!["cancelled"], &json!("cancelled")));
        assert_eq!(receipt["usage"]["source"], "estimated", "{receipt}");
    }
    is_well(&world, &provider).await;
}

#[tokio::test]
async fn clients_that_leave_before_a_word_was_said_count_against_nobody_either() {
    let (world, provider) = (World::start().await, Provider::start().unwrap());
    world.register("scripted", &provider).await;
    provider.script(Script::fault(Fault::Stall).forever());
    for number in 0..50 {
        let mut asked = JoinSet::new();
        asked.spawn(world.post("/v1/chat/completions").json(&chat(number % 2 == 0)).send());
        provider.when("it is asked", |all| all.get(number).cloned()).await;
        asked.abort_all();
        provider.when("it is left", |all| all.get(number).filter(|one| one.was_left()).cloned()).await;
    }
    until("each has its receipt", async || {
        let page: Value = world.get("/receipts?status=cancelled&limit=100").await;
        let receipts = page["receipts"].as_array()?;
        let all = receipts.iter().all(|receipt| receipt["usage"]["source"] == "estimated");
        (receipts.len() == 50 && all).then_some(())
    })
    .await;
    is_well(&world, &provider).await;
}

/// Nothing is held against it.
async fn is_well(world: &World, provider: &Provider) {
    provider.clear();
    let (status, text, receipt) = Way::PLAIN.ask(world).await;
    assert_eq!((status, outcomes(&receipt)), (200, vec!["ok"]), "{text}");
    assert_eq!(receipt["notes"], Value::Null, "{receipt}");
    assert_eq!(world.get("/inflight").await["inflight"], json!([]));
}

#[tokio::test]
async fn a_gateway_that_stops_ends_what_does_not_end_by_itself_and_says_why() {
    let World { registry, gateway: other, data } = World::start().await;
    other.stop().await.unwrap();
    let swarm = Swarm { grace_s: 1, ..swarm(data.path(), registry.url()) };
    let world = World { gateway: gateway(&swarm, Config::default()).await, registry, data };
    let provider = Provider::start().unwrap();
    world.register("scripted", &provider).await;
    provider.script(Script::fault_after(Fault::Stall, 3));
    let stream = world.post("/v1/chat/completions").json(&chat(true)).send().await.unwrap();
    let cut = run_id(&stream);
    provider.script(Script { head_ms: 60_000, ..Script::default() });
    let mut whole = JoinSet::new();
    whole.spawn(world.post("/v1/chat/completions").json(&chat(false)).send());
    provider.when("it is asked", |all| all.get(1).cloned()).await;
    // Should the gateway die under them, their receipts name who was asked.
    until("the journal has both, with who is asked", async || {
        let files = std::fs::read_dir(world.data.path().join("costs/journal")).ok()?;
        let text: String = files.filter_map(|file| std::fs::read_to_string(file.ok()?.path()).ok()).collect();
        (text.matches(r#""asked":["scripted","scripted-1"]"#).count() == 2).then_some(())
    })
    .await;

    let World { gateway: stopping, registry, data } = world;
    stopping.stop().await.unwrap();
    let text = stream.text().await.unwrap();
    assert!(text.contains("the gateway is stopping") && !text.contains("[DONE]"), "{text}");
    let whole = whole.join_next().await.unwrap().unwrap().unwrap();
    let failed = run_id(&whole);
    assert_eq!((whole.status().as_u16(), &whole.headers()["retry-after"]), (503, &"1".parse().unwrap()));
    let world = World { gateway: gateway(&swarm, Config::default()).await, registry, data };
    for (id, status) in [(cut, "cut"), (failed, "error")] {
        let receipt = world.get(&format!("/receipts/{id}")).await;
        assert_eq!((&receipt["status"], &receipt["error"]["code"]), (&json!(status), &json!("unavailable")));
    }
    world.stop().await;
}
