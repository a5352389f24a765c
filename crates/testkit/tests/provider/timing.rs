use std::time::Duration;

use pas_testkit::provider::Recorded;
use pas_testkit::{Fault, Provider, Script, monotonic};

use crate::client::{CHAT, Client, End, MESSAGES, NEVER_MS, body};

const GAP: Duration = Duration::from_millis(20);

#[tokio::test]
async fn a_paced_stream_has_its_time_between_its_pieces_and_they_tell_when_they_were_sent() {
    let provider = Provider::start().unwrap();
    for path in [CHAT, MESSAGES] {
        provider.forget();
        let begun = monotonic();
        provider.script(Script { stamp: true, ..Script::paced(6, 20) });
        let answer = Client::open(&provider).await.ask(path, true).await;
        let read = monotonic();
        let stamps: Vec<u64> = answer
            .events()
            .iter()
            .filter_map(|event| event["x_sent_ns"].as_str())
            .map(|nanoseconds| nanoseconds.parse().unwrap())
            .collect();
        assert_eq!(stamps.len(), 6);
        let times: Vec<_> = stamps.into_iter().map(Duration::from_nanos).collect();
        assert!(begun <= times[0] && times[5] <= read);
        // Each piece is due at a multiple of the gap after the first; what is sent is late at most, never early.
        for (place, time) in (0u32..).zip(&times) {
            assert!(*time + Duration::from_millis(1) >= times[0] + GAP * place, "{place}: {times:?}");
        }
        let recorded = provider.ended(1).await.remove(0);
        assert!(times.iter().all(|time| recorded.pieces.iter().any(|piece| *piece >= *time)));
    }
}

#[tokio::test]
async fn nothing_comes_before_its_time() {
    let provider = Provider::start().unwrap();
    provider.script(Script { head_ms: 30, first_ms: 40, ..Script::text("a b") });
    let answer = Client::open(&provider).await.ask(CHAT, true).await;
    assert_eq!(answer.texts(), ["a ", "b"]);
    let one = provider.ended(1).await.remove(0);
    // The role comes with the head, the text later.
    assert!(one.pieces[0] - one.came >= Duration::from_millis(30), "{one:?}");
    assert!(one.pieces[1] - one.pieces[0] >= Duration::from_millis(40), "{one:?}");
}

#[tokio::test]
async fn a_slow_first_token_shows_status_headers_and_prelude_meanwhile() {
    let provider = Provider::start().unwrap();
    provider.script(Script { first_ms: NEVER_MS, pings: 2, ..Script::new() });
    let mut client = Client::open(&provider).await;
    client.send(MESSAGES, &body(true)).await;
    let told = client.until("event: ping\ndata: {\"type\": \"ping\"}\n\n\r\n").await;
    assert!(told.contains("event: message_start") && !told.contains("content_block_delta"));
}

#[tokio::test]
async fn pings_go_on_while_nothing_else_does() {
    let provider = Provider::start().unwrap();
    for (path, ping) in
        [(CHAT, ": keep-alive\n\n"), (MESSAGES, "event: ping\ndata: {\"type\": \"ping\"}\n\n")]
    {
        for script in [Script { first_ms: NEVER_MS, ..Script::new() }, Script::fault_after(Fault::Stall, 1)] {
            provider.script(Script { ping_ms: Some(5), ..script });
            let mut client = Client::open(&provider).await;
            client.send(path, &body(true)).await;
            let chunk = format!("{:x}\r\n{ping}\r\n", ping.len());
            client.until(&chunk.repeat(3)).await;
        }
    }
    let whole = Script { ping_ms: Some(5), gap_ms: 30, ..Script::text("a b") };
    provider.script(whole);
    let answer = Client::open(&provider).await.ask(CHAT, true).await;
    assert_eq!((answer.texts().concat(), answer.end), ("a b".to_owned(), End::Whole));
    assert!(answer.text().contains(": keep-alive"));
}

#[tokio::test]
async fn a_dripping_body_comes_byte_by_byte() {
    let provider = Provider::start().unwrap();
    provider.script(Script { drip_ms: Some(2), ..Script::status(404) });
    let answer = Client::open(&provider).await.ask(CHAT, false).await;
    assert_eq!((answer.status, answer.json()["error"]["code"].as_str()), (404, Some("model_not_found")));
    let one = provider.ended(1).await.remove(0);
    assert_eq!(one.pieces.len(), answer.body.len());
    assert!(one.pieces.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_millis(2)));
}

#[tokio::test]
async fn who_leaves_is_noticed_also_while_nothing_is_sent() {
    let provider = Provider::start().unwrap();
    for script in [
        Script { head_ms: NEVER_MS, ..Script::new() },
        Script { first_ms: NEVER_MS, ..Script::new() },
        Script::paced(2, NEVER_MS),
        Script { drip_ms: Some(NEVER_MS), ..Script::new() },
    ] {
        provider.forget();
        provider.script(script.clone());
        let mut client = Client::open(&provider).await;
        client.send(CHAT, &body(true)).await;
        provider.when("it came", |all| all.first().map(drop)).await;
        drop(client);
        let left = provider.ended(1).await;
        assert!(left.iter().all(Recorded::was_left), "{script:?}");
    }
    let mut open = provider.open();
    open.wait_for(|open| *open == 0).await.unwrap();
}
