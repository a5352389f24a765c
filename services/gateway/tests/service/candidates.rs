use pas_gateway::Config;
use pas_service::{Sockets, Swarm};
use pas_testkit::provider::Fault;
use pas_testkit::{EventStream, Provider, Script, http, until};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::faults::{Two, Way, outcomes};
use crate::support::{World, chat, gateway, run_id, scripted, swarm};

#[tokio::test]
async fn who_refuses_its_credential_is_out_until_it_is_registered_anew() {
    // xAI's way to say 401, and OpenAI's to say 402.
    let xai = json!({"code": "invalid-argument", "error": "Incorrect API key provided: sk-marked."});
    let spent = json!({"error": {"message": "nothing is left on sk-marked", "type": "insufficient_quota",
        "param": null, "code": "credit_balance_exhausted"}});
    for (status, outcome, error, excluded) in [
        (401, "status_401", None, "credential"),
        (402, "status_402", None, "spent"),
        (403, "status_403", None, "credential"),
        (400, "status_400", Some(xai), "credential"),
        (429, "status_429", Some(spent), "spent"),
    ] {
        for way in Way::all() {
            let two = Two::start().await;
            let message = Some("bad key sk-marked".to_owned());
            two.script(&Script { message, error: error.clone(), ..Script::status(status) });
            let (answered, text, receipt) = way.ask(&two.world).await;
            assert!(answered == 200 && way.is_whole(&text), "{way:?}: {text}");
            assert_eq!(outcomes(&receipt), [outcome, "ok"], "{way:?}: {receipt}");
            assert!(!receipt.to_string().contains("sk-marked"), "what it said of the credential: {receipt}");
            let (_, _, receipt) = way.ask(&two.world).await;
            assert_eq!((outcomes(&receipt), two.first.requests().len()), (vec!["ok"], 1), "{receipt}");
            assert_eq!(receipt["excluded_counts"][excluded], 1, "{receipt}");
            // As its owner does who has mended it.
            let mut mended = scripted("local", "first", &two.first);
            mended["labels"]["credential"] = "another".into();
            two.world.register_as(mended).await;
            until("it is asked again", async || {
                way.ask(&two.world).await;
                (two.first.requests().len() > 1).then_some(())
            })
            .await;
            two.world.stop().await;
        }
    }
}

#[tokio::test]
async fn a_credential_that_is_out_is_told_as_an_alert() {
    let (stream, provider) = (EventStream::default(), Provider::start().unwrap());
    let running = stream.serve(Sockets::loopback().unwrap()).unwrap();
    let World { registry, gateway: plain, data } = World::start().await;
    plain.stop().await.unwrap();
    let swarm = Swarm { events_url: running.url(), ..swarm(data.path(), registry.url()) };
    let world = World { gateway: gateway(&swarm, Config::default()).await, registry, data };
    world.register("scripted", &provider).await;
    provider.script(Script::status(401));
    let (status, _, receipt) = Way::PLAIN.ask(&world).await;
    assert_eq!((status, outcomes(&receipt)), (401, vec!["status_401"]), "{receipt}");
    let alert = async |words: &str| {
        let told = |event: &Value| {
            event["alert_type"] == "credential_out" && event["message"].as_str().unwrap().contains(words)
        };
        until("the alert is told", async || stream.events().into_iter().find(told)).await
    };
    let refused = alert("refuses its credential").await;
    assert_eq!((&refused["severity"], &refused["service_name"]), (&json!("critical"), &json!("scripted")));
    // What is spent is not a credential that is wrong, now and for as long as nobody is asked.
    provider.script(Script::status(402));
    let mut anew = scripted("local", "scripted", &provider);
    anew["labels"]["credential"] = "another".into();
    world.register_as(anew).await;
    let spent = until("it is asked again", async || {
        let (status, text, receipt) = Way::PLAIN.ask(&world).await;
        (status != 401).then_some((status, text, outcomes(&receipt).len()))
    })
    .await;
    assert_eq!((spent.0, spent.2), (402, 1), "{}", spent.1);
    let (status, text, receipt) = Way::PLAIN.ask(&world).await;
    assert_eq!((status, outcomes(&receipt).len()), (402, 0), "{text}");
    assert!(text.contains("nothing is left to spend there"), "{text}");
    alert("nothing left to spend").await;
    world.stop().await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn who_cannot_be_reached_or_hangs_up_is_tried_once_more_and_then_the_next() {
    for way in Way::all() {
        let two = Two::start().await;
        two.first.refuse().await;
        let (status, text, receipt) = way.ask(&two.world).await;
        assert!(status == 200 && way.is_whole(&text), "{way:?}: {text}");
        assert_eq!(outcomes(&receipt), ["unreachable", "unreachable", "ok"], "{way:?}: {receipt}");
        assert_eq!(receipt["attempts"][0]["usage"], Value::Null, "nothing was sent: {receipt}");
        two.world.stop().await;
    }
    for fault in [Fault::Reset, Fault::Close] {
        for way in Way::all() {
            let two = Two::start().await;
            two.script(&Script::fault(fault).times(2));
            let (status, text, receipt) = way.ask(&two.world).await;
            assert!(status == 200 && way.is_whole(&text), "{fault:?} {way:?}: {text}");
            assert_eq!(outcomes(&receipt), ["reset", "reset", "ok"], "{fault:?} {way:?}: {receipt}");
            two.world.stop().await;
        }
    }
}

#[tokio::test]
async fn a_kept_connection_that_is_closed_just_then_is_nobodys_failure() {
    // What one thread keeps another doesn't find.
    let one_thread = Config { threads: 1, ..Config::default() };
    let two = Two::in_world(World::with(one_thread).await).await;
    for way in Way::all() {
        // More often than a breaker would bear.
        for _ in 0..6 {
            // Of what is not streamed, the connection is kept before the answer goes out.
            two.recover().await;
            two.script(&Script::fault(Fault::ClosePooled));
            let (status, text, receipt) = way.ask(&two.world).await;
            assert!(status == 200 && way.is_whole(&text), "{way:?}: {text}");
            assert_eq!((outcomes(&receipt), &receipt["resolved"]["name"]), (vec!["ok"], &json!("first")));
            assert!(receipt["notes"].to_string().contains("a kept connection was closed"), "{receipt}");
        }
    }
    assert!(two.second.requests().is_empty());
    two.world.stop().await;
}

#[tokio::test]
async fn what_is_too_long_goes_to_who_takes_more_and_else_comes_back_as_it_is() {
    for way in Way::all() {
        for larger in [true, false] {
            let (world, first, second) =
                (World::start().await, Provider::start().unwrap(), Provider::start().unwrap());
            world.register("first", &first).await;
            let mut other = scripted("external", "second", &second);
            other["ctx_limit"] = json!(if larger { 200_000 } else { 100_000 });
            world.register_as(other).await;
            first.script(Script::fault(Fault::ContextTooLong));
            let (status, text, receipt) = way.ask(&world).await;
            if larger {
                assert!(status == 200 && way.is_whole(&text), "{way:?}: {text}");
                assert_eq!(outcomes(&receipt), ["context_too_long", "ok"], "{receipt}");
            } else {
                let sent = String::from_utf8(first.ended(1).await[0].sent.clone()).unwrap();
                assert_eq!((status, &text), (400, &sent), "{way:?}");
                assert_eq!(outcomes(&receipt), ["context_too_long"], "{receipt}");
                assert!(second.requests().is_empty());
            }
            world.stop().await;
        }
    }
}

#[tokio::test]
async fn a_model_that_its_provider_does_not_have_is_asked_for_elsewhere_and_else_its_own_answer_comes_back() {
    let two = Two::start().await;
    for way in Way::all() {
        two.script(&Script::status(404));
        let (status, text, receipt) = way.ask(&two.world).await;
        assert!(status == 200 && way.is_whole(&text), "{way:?}: {text}");
        assert_eq!(outcomes(&receipt), ["status_404", "ok"], "{receipt}");
    }
    for way in Way::all() {
        two.first.forget();
        two.second.forget();
        two.script(&Script::status(404));
        two.second.script(Script::status(404));
        let (status, text, receipt) = way.ask(&two.world).await;
        let sent = String::from_utf8(two.second.ended(1).await[0].sent.clone()).unwrap();
        assert_eq!((status, &text), (404, &sent), "{way:?}");
        assert_eq!(outcomes(&receipt), ["status_404", "status_404"], "{receipt}");
    }
    // Nothing is held against who says so.
    two.recover().await;
    two.world.stop().await;
}

#[tokio::test]
async fn that_a_model_is_not_there_says_nothing_where_another_failed() {
    let busy = Script { retry_after_s: Some(7), ..Script::status(429) };
    for (other, status, wait) in [
        (Script::status(500).times(2), 502, None),
        (busy, 429, Some("7")),
        (Script::status(401), 401, None),
        (Script::status(402), 402, None),
        (Script::fault(Fault::ContextTooLong), 400, None),
    ] {
        for missing_first in [false, true] {
            let (world, first, second) =
                (World::start().await, Provider::start().unwrap(), Provider::start().unwrap());
            world.register("first", &first).await;
            // It is asked for what is too long elsewhere, too.
            let mut larger = scripted("external", "second", &second);
            larger["ctx_limit"] = json!(1_000_000);
            world.register_as(larger).await;
            let (missing, failing) = if missing_first { (&first, &second) } else { (&second, &first) };
            missing.script(Script::status(404));
            failing.script(other.clone());
            let asked = world.post("/v1/chat/completions").header("x-pas-policy", "local");
            let answer = asked.json(&chat(false)).send().await.unwrap();
            let told = answer.headers().get("retry-after").map(|it| it.to_str().unwrap().to_owned());
            assert_eq!((answer.status().as_u16(), told.as_deref()), (status, wait), "{missing_first}");
            assert_eq!(missing.requests().len(), 1, "{status} {missing_first}");
            world.stop().await;
        }
    }
}

#[tokio::test]
async fn what_a_filter_refuses_comes_back_as_it_is() {
    let two = Two::start().await;
    for way in Way::all() {
        two.first.forget();
        two.script(&Script::fault(Fault::Refusal));
        let (status, text, receipt) = way.ask(&two.world).await;
        assert_eq!(status, 200, "{way:?}: {text}");
        assert!(two.second.requests().is_empty(), "nobody else is asked");
        assert_eq!((outcomes(&receipt).len(), &receipt["status"]), (1, &json!("ok")), "{receipt}");
        let sent = String::from_utf8(two.first.ended(1).await[0].sent.clone()).unwrap();
        // Of what OpenAI streams, the usage that was asked for on the caller's behalf is left out.
        assert!(
            text == sent || (way.openai && way.stream && sent.ends_with("data: [DONE]\n\n")),
            "{text}\n{sent}"
        );
        assert!(text.contains("filter") || text.contains("refusal"), "{way:?}: {text}");
    }
    two.world.stop().await;
}

#[tokio::test]
async fn a_breaker_opens_for_who_keeps_failing_and_one_call_at_a_time_tries_again() {
    let two = Two::start().await;
    two.script(&Script::status(500).forever());
    let failed = until("nobody is sent there any more", async || {
        let before = two.first.requests().len();
        let (status, text, receipt) = Way::PLAIN.ask(&two.world).await;
        assert_eq!(status, 200, "{text}");
        let is_open = receipt["excluded_counts"]["breaker"] == 1;
        is_open.then(|| assert_eq!(outcomes(&receipt), ["ok"], "{receipt}")).map(|()| before)
    })
    .await;
    assert!(failed >= 5, "it opened after {failed} failures");
    let metrics = http().get(format!("{}/metrics", two.world.gateway.url())).send().await.unwrap();
    assert!(metrics.text().await.unwrap().contains("breakers_opened_total 1\n"));
    // It is well again, and slow: whoever tries is alone as long as that takes.
    two.first.clear();
    two.script(&Script { head_ms: 300, ..Script::default() });
    let asked = two.first.requests().len();
    until("somebody tries", async || {
        let mut calls = JoinSet::new();
        for _ in 0..8 {
            let call = two.world.post("/v1/chat/completions").header("x-pas-policy", "local");
            calls.spawn(call.json(&crate::support::chat(false)).send());
        }
        for answer in calls.join_all().await {
            assert_eq!(answer.unwrap().status(), 200);
        }
        (two.first.requests().len() > asked).then_some(())
    })
    .await;
    let requests = two.first.requests();
    let probe = &requests[asked];
    let (_, ended) = probe.ended.unwrap();
    assert!(requests[asked + 1..].iter().all(|other| other.came >= ended), "somebody else tried as well");
    let (_, _, receipt) = Way::PLAIN.ask(&two.world).await;
    assert_eq!(receipt["resolved"]["name"], "first", "it is closed: {receipt}");
    two.world.stop().await;
}

#[tokio::test]
async fn with_every_breaker_open_the_soonest_is_tried_rather_than_all_refused() {
    let (world, provider) = (World::start().await, Provider::start().unwrap());
    world.register("only", &provider).await;
    provider.script(Script::status(500).forever());
    until("the breaker is open, and it is tried all the same", async || {
        let (status, text, receipt) = Way::PLAIN.ask(&world).await;
        assert_eq!(status, 502, "{text}");
        assert!(!outcomes(&receipt).is_empty(), "nobody was asked: {receipt}");
        receipt["notes"].to_string().contains("every breaker is open").then_some(())
    })
    .await;
    provider.clear();
    let (status, text, receipt) = Way::PLAIN.ask(&world).await;
    assert_eq!((status, outcomes(&receipt)), (200, vec!["ok"]), "{text}");
    world.stop().await;
}

#[tokio::test]
async fn a_tool_is_not_called_again_once_it_may_have_begun() {
    for (script, outcome) in [
        (Script::status(500), "status_500"),
        (Script::fault(Fault::Reset), "reset"),
        (Script::fault(Fault::Close), "reset"),
        (Script::fault_after(Fault::Close, 1), "cut"),
    ] {
        let (world, first, second) = tools().await;
        for provider in [&first, &second] {
            provider.script(script.clone().forever());
        }
        let (status, receipt) = call_tool(&world).await;
        assert_eq!((status, outcomes(&receipt)), (502, vec![outcome]), "{receipt}");
        assert_eq!(first.requests().len() + second.requests().len(), 1, "{outcome}");
        world.stop().await;
    }
}

#[tokio::test]
async fn a_tool_that_was_never_reached_is_tried_again_elsewhere() {
    let (world, first, second) = tools().await;
    first.refuse().await;
    // Whoever's turn it is first.
    for _ in 0..4 {
        let (status, receipt) = call_tool(&world).await;
        assert_eq!((status, outcomes(&receipt).last()), (200, Some(&"ok")), "{receipt}");
    }
    assert_eq!(second.requests().len(), 4);
    world.stop().await;
}

async fn tools() -> (World, Provider, Provider) {
    let (world, first, second) =
        (World::start().await, Provider::start().unwrap(), Provider::start().unwrap());
    for (name, provider) in [("one", &first), ("other", &second)] {
        let url = provider.url();
        let tool =
            json!({"name": name, "type": "tool", "role": "production", "url": url, "caps": ["execute"]});
        world.register_as(tool).await;
    }
    (world, first, second)
}

async fn call_tool(world: &World) -> (u16, Value) {
    let asked = json!({"target": {"type": "tool", "require_caps": ["execute"]}, "payload": {"path": "/tmp"}});
    let answer = world.post("/invoke").json(&asked).send().await.unwrap();
    let (status, id) = (answer.status().as_u16(), run_id(&answer));
    (status, world.get(&format!("/receipts/{id}")).await)
}
