use pas_gateway::Config;
use pas_testkit::provider::Fault;
use pas_testkit::{Provider, Script, http, until};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::faults::{Way, outcomes};
use crate::support::{World, chat, message, policies, run_id};

/// A gateway in front of one provider.
async fn one() -> (World, Provider) {
    let (world, provider) = (World::start().await, Provider::start().unwrap());
    world.register("scripted", &provider).await;
    (world, provider)
}

/// The status, and the body.
async fn answer(asked: RequestBuilder) -> (u16, Value) {
    let answer = asked.send().await.unwrap();
    let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
    (status, serde_json::from_str(&text).unwrap())
}

/// What is refused in OpenAI's shape: status, code and field.
fn openai((status, body): &(u16, Value)) -> (u16, &str, &str) {
    let error = &body["error"];
    assert!(error["type"].is_string() && error["message"].is_string(), "{body}");
    (*status, error["code"].as_str().unwrap_or_default(), error["param"].as_str().unwrap_or_default())
}

/// What is refused in Anthropic's shape: status, and kind.
fn anthropic((status, body): &(u16, Value)) -> (u16, &str) {
    assert!(body["type"] == "error" && body["error"]["message"].is_string(), "{body}");
    (*status, body["error"]["type"].as_str().unwrap_or_default())
}

async fn goes_on(world: &World) {
    let (status, text, _) = Way::PLAIN.ask(world).await;
    assert_eq!(status, 200, "the next request is served: {text}");
}

#[tokio::test]
async fn what_is_no_request_is_refused_by_name_and_the_next_is_served() {
    let (world, provider) = one().await;
    let text = |body: String| {
        world.post("/v1/chat/completions").header("content-type", "application/json").body(body)
    };
    let deep = format!(
        r#"{{"model":"scripted-1","messages":[{{"role":"user","content":"x"}}],"x":{}{}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let long = json!({"model": "m".repeat(1 << 20), "messages": []}).to_string();
    let mut much = chat(false);
    much["messages"][0]["content"] = "much to read ".repeat(100_000).into();
    for (asked, status, code, field) in [
        (text("{".to_owned()), 400, "invalid_argument", ""),
        (text("[]".to_owned()), 400, "invalid_argument", ""),
        (text(deep), 400, "invalid_argument", ""),
        (text(long), 400, "invalid_argument", "model"),
        (text(r#"{"messages":[]}"#.to_owned()), 400, "invalid_argument", "model"),
        (text(r#"{"model":"nobody-1","messages":[]}"#.to_owned()), 404, "no_candidate", ""),
        (text(much.to_string()), 400, "context_length_exceeded", ""),
        (
            text(chat(false).to_string()).header("x-pas-deadline-ms", "-5"),
            400,
            "invalid_argument",
            "x-pas-deadline-ms",
        ),
        (
            text(chat(false).to_string()).header("x-pas-policy", "wild"),
            400,
            "invalid_argument",
            "x-pas-policy",
        ),
        (text(chat(false).to_string()).header("x-pas-hops", "4"), 400, "invalid_argument", "x-pas-hops"),
    ] {
        let answered = answer(asked).await;
        let (found, said, param) = openai(&answered);
        assert_eq!((found, said), (status, code), "{}", shortened(&answered.1));
        assert!(field.is_empty() || param == field, "{param} is not {field}: {}", shortened(&answered.1));
        assert!(answered.1.to_string().len() < 2_000, "a short answer: {}", shortened(&answered.1));
        goes_on(&world).await;
    }
    let asked = message(false);
    let refused = answer(world.post("/v1/messages").header("x-pas-deadline-ms", "0").json(&asked)).await;
    assert_eq!(anthropic(&refused), (400, "invalid_request_error"));
    let unknown = json!({"model": "nobody-1", "max_tokens": 5, "messages": []});
    assert_eq!(anthropic(&answer(world.post("/v1/messages").json(&unknown)).await), (404, "not_found_error"));
    let mut much = message(false);
    much["messages"][0]["content"] = "much to read ".repeat(100_000).into();
    let refused = answer(world.post("/v1/messages").json(&much)).await;
    assert_eq!(anthropic(&refused), (400, "invalid_request_error"));
    // The words by which agents know it.
    assert!(refused.1["error"]["message"].as_str().unwrap().contains("prompt is too long"), "{}", refused.1);
    goes_on(&world).await;
    assert!(provider.requests().iter().all(|one| one.path == "/v1/chat/completions"));
    world.stop().await;
}

fn shortened(value: &Value) -> String {
    value.to_string().chars().take(1_000).collect()
}

/// What is answered to the head of a request whose body has a hundred megabytes, and is never sent.
async fn announced(world: &World, path: &str) -> (u16, Value) {
    let port = world.gateway.port();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        100 << 20
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let mut piece = [0; 4096];
    until("it is answered whole", async || {
        let read = stream.read(&mut piece).await.unwrap();
        answer.push_str(&String::from_utf8_lossy(&piece[..read]));
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, serde_json::from_str(body).ok()?))
    })
    .await
}

#[tokio::test]
async fn a_body_of_a_hundred_megabytes_is_refused_before_it_is_read() {
    let (world, provider) = one().await;
    let answered = announced(&world, "/v1/chat/completions").await;
    assert_eq!(openai(&answered).0, 413, "{}", answered.1);
    assert_eq!(anthropic(&announced(&world, "/v1/messages").await), (413, "request_too_large"));
    goes_on(&world).await;
    assert_eq!(provider.requests().len(), 1);
    world.stop().await;
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let (world, provider) = one().await;
    let asked = (0..150).fold(world.post("/v1/chat/completions").json(&chat(false)), |asked, number| {
        asked.header(format!("x-many-{number}"), "1")
    });
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status(), 431);
    goes_on(&world).await;
    assert_eq!(provider.requests().len(), 1);
    world.stop().await;
}

#[tokio::test]
async fn what_is_not_here_is_said_in_the_shape_of_whoever_asks() {
    let (world, _provider) = one().await;
    let assistants = answer(world.post("/v1/assistants").json(&json!({}))).await;
    assert_eq!(openai(&assistants).0, 404);
    let complete = world.post("/v1/complete").header("anthropic-version", "2023-06-01").json(&json!({}));
    assert_eq!(anthropic(&answer(complete).await), (404, "not_found_error"));
    let (status, gemini) = answer(world.post("/v1beta/x").json(&json!({}))).await;
    assert_eq!(
        (status, &gemini["error"]["status"], &gemini["error"]["code"]),
        (404, &json!("NOT_FOUND"), &json!(404))
    );
    goes_on(&world).await;
    world.stop().await;
}

#[tokio::test]
async fn a_paused_agent_is_refused_until_it_is_resumed() {
    let (world, provider) = one().await;
    let agent = json!({"name": "Architect", "type": "agent", "role": "production", "url": provider.url(), "caps": ["plan"]});
    world.register_as(agent).await;
    let ask =
        || world.post("/v1/chat/completions").header("x-pas-agent", "Architect").json(&chat(false)).send();
    let admin = async |path: &str| {
        let url = format!("{}{path}", world.registry.url());
        let answer = http().post(url).json(&json!({"name": "Architect", "reason": "a test"})).send().await;
        assert_eq!(answer.unwrap().status(), 200);
    };
    assert_eq!(ask().await.unwrap().status(), 200);
    admin("/pause").await;
    let refused =
        until("it is paused", async || Some(ask().await.unwrap()).filter(|it| it.status() != 200)).await;
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (503, &"5".parse().unwrap()));
    let receipt = world.receipt(&refused).await;
    assert_eq!(
        (&receipt["status"], &receipt["error"]["code"]),
        (&json!("refused"), &json!("paused")),
        "{receipt}"
    );
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["error"]["code"], "paused", "{body}");
    // Nobody else is meant.
    goes_on(&world).await;
    admin("/resume").await;
    until("it is resumed", async || (ask().await.unwrap().status() == 200).then_some(())).await;
    world.stop().await;
}

#[tokio::test]
async fn a_call_that_an_operator_ends_is_told_so_and_not_tried_again() {
    let (world, provider) = one().await;
    for way in Way::all() {
        provider.forget();
        // Of a stream, the middle is reached; of anything else, nothing is.
        let live = way.stream && !way.atomic;
        provider.script(if live {
            Script::fault_after(Fault::Stall, 3)
        } else {
            Script::fault(Fault::Stall)
        });
        let cancelled = async {
            provider.when("it is asked", |all| all.first().cloned()).await;
            if live {
                provider
                    .when("it has begun", |all| all.first().filter(|one| one.pieces.len() > 3).cloned())
                    .await;
            }
            let listed = until("it is listed with who is asked", async || {
                let all = world.get("/inflight").await;
                Some(all["inflight"][0].clone()).filter(|one| one["service"] == "scripted")
            })
            .await;
            let id = listed["run_id"].as_str().unwrap().to_owned();
            assert_eq!(answer(world.post(&format!("/inflight/{id}/cancel"))).await.0, 200);
            id
        };
        let (answered, id) = tokio::join!(way.ask(&world), cancelled);
        let (status, text, receipt) = answered;
        assert!(!way.is_whole(&text) && text.contains("cancelled by an operator"), "{way:?}: {text}");
        assert_eq!(status, if live { 200 } else { 409 }, "{way:?}: {text}");
        assert_eq!((&receipt["run_id"], &receipt["status"]), (&json!(id), &json!("cancelled")), "{receipt}");
        assert_eq!((outcomes(&receipt), provider.requests().len()), (vec!["cancelled"], 1), "{receipt}");
        provider.when("it is left", |all| all.first().filter(|one| one.was_left()).cloned()).await;
        let again = answer(world.post(&format!("/inflight/{id}/cancel"))).await;
        assert_eq!((again.0, &again.1["error"]["field"]), (404, &json!("run_id")));
    }
    world.stop().await;
}

#[tokio::test]
async fn a_cancelled_call_says_that_it_is_not_to_be_tried_again() {
    let (world, provider) = one().await;
    provider.script(Script::fault(Fault::Stall));
    let mut asked = JoinSet::new();
    asked.spawn(world.post("/v1/chat/completions").json(&chat(false)).send());
    let id = until("it is listed", async || {
        let all = world.get("/inflight").await;
        all["inflight"][0]["run_id"].as_str().map(str::to_owned)
    })
    .await;
    assert_eq!(answer(world.post(&format!("/inflight/{id}/cancel"))).await.0, 200);
    let answered = asked.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!((run_id(&answered), &answered.headers()["x-should-retry"]), (id, &"false".parse().unwrap()));
    world.stop().await;
}

#[tokio::test]
async fn no_more_calls_are_under_way_than_there_may_be() {
    let (world, provider) =
        (World::with(Config { in_flight: 1, ..Config::default() }).await, Provider::start().unwrap());
    world.register("scripted", &provider).await;
    provider.script(Script::fault(Fault::Stall));
    let mut first = JoinSet::new();
    first.spawn(world.post("/v1/chat/completions").json(&chat(false)).send());
    provider.when("it is asked", |all| all.first().cloned()).await;
    let refused = world.post("/v1/chat/completions").json(&chat(false)).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (503, &"1".parse().unwrap()));
    assert_eq!(world.receipt(&refused).await["status"], "refused");
    first.abort_all();
    until("there is room again", async || {
        let answer = world.post("/v1/chat/completions").json(&chat(false)).send().await.unwrap();
        (answer.status() == 200).then_some(())
    })
    .await;
    world.stop().await;
}

#[tokio::test]
async fn a_limit_of_the_policies_is_answered_with_the_time_to_wait() {
    for (limit, who) in [
        (json!({"per": "global", "requests": 2, "window": "day"}), "a"),
        (json!({"per": "caller", "requests": 2, "window": "day"}), "a"),
        (json!({"per": "service", "requests": 2, "window": "day"}), "a"),
        (json!({"per": "model", "requests": 2, "window": "day"}), "a"),
    ] {
        let limits = policies(json!({"rate_limits": [limit]}));
        let (world, router) = World::told(&limits, &json!({"providers": [], "routes": []})).await;
        let provider = Provider::start().unwrap();
        world.register("scripted", &provider).await;
        let ask = |agent: &str| {
            world.post("/v1/chat/completions").header("x-pas-agent", agent).json(&chat(false)).send()
        };
        for _ in 0..2 {
            assert_eq!(ask(who).await.unwrap().status(), 200, "{limit}");
        }
        let refused = ask(who).await.unwrap();
        let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!(refused.status() == 429 && wait > 3_600, "{limit}: {wait}");
        assert_eq!(world.receipt(&refused).await["status"], "refused", "{limit}");
        assert_eq!(openai(&(429, refused.json().await.unwrap())).1, "rate_limited");
        // Another caller has a limit of its own.
        let expected = if limit["per"] == "caller" { 200 } else { 429 };
        assert_eq!(ask("b").await.unwrap().status(), expected, "{limit}");
        world.stop().await;
        router.running.stop().await.unwrap();
    }
}

#[tokio::test]
async fn how_often_a_call_came_through_a_gateway_is_told_onward() {
    let (world, provider) = one().await;
    let asked = world.post("/v1/chat/completions").header("x-pas-hops", "2").json(&chat(false));
    assert_eq!(asked.send().await.unwrap().status(), 200);
    assert_eq!(provider.requests()[0].header("x-pas-hops"), Some("3"));
    world.stop().await;
}
