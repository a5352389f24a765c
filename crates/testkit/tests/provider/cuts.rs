use pas_testkit::provider::{Ended, Framing};
use pas_testkit::{Fault, Provider, Script};

use crate::client::{ARRAY, CHAT, Client, End, GENERATE, MESSAGES, RESPONSES, STREAM};

/// Every way to ask, and whether that is for a stream.
const ASKED: [(&str, bool); 8] = [
    (CHAT, false),
    (CHAT, true),
    (RESPONSES, true),
    (MESSAGES, false),
    (MESSAGES, true),
    (GENERATE, false),
    (STREAM, true),
    (ARRAY, true),
];
const STREAMS: [&str; 4] = [CHAT, RESPONSES, MESSAGES, STREAM];

#[tokio::test]
async fn an_answer_that_is_reset_or_closed_before_a_byte_has_none() {
    let provider = Provider::start().unwrap();
    for (fault, end) in [(Fault::Reset, End::Reset), (Fault::Close, End::Closed)] {
        for (path, stream) in ASKED {
            provider.script(Script::fault(fault));
            let mut client = Client::open(&provider).await;
            client.send(path, &crate::client::body(stream)).await;
            assert_eq!(client.end().await, (end, Vec::new()), "{path}");
        }
    }
    assert!(provider.ended(2 * ASKED.len()).await.iter().all(|one| {
        one.sent_head.is_empty() && one.sent.is_empty() && one.ended.unwrap().0 == Ended::Cut
    }));
}

#[tokio::test]
async fn silence_is_a_connection_that_stays_and_on_which_nothing_comes() {
    let provider = Provider::start().unwrap();
    provider.script(Script::fault(Fault::Stall));
    let mut client = Client::open(&provider).await;
    client.send(CHAT, &crate::client::body(false)).await;
    provider.when("the request came", |all| all.first().map(drop)).await;
    assert!(client.is_silent());
    assert_eq!(provider.requests()[0].ended, None);
    drop(client);
    assert!(provider.ended(1).await[0].was_left());
}

#[tokio::test]
async fn a_stream_that_stalls_has_sent_just_so_much_content_and_goes_on_being_open() {
    let provider = Provider::start().unwrap();
    for path in STREAMS {
        for after in [0, 1, 3] {
            provider.forget();
            provider.script(Script::fault_after(Fault::Stall, after));
            let mut client = Client::open(&provider).await;
            client.send(path, &crate::client::body(true)).await;
            let count = |sent: &[u8]| {
                let text = String::from_utf8_lossy(sent).into_owned();
                let answer = crate::client::Answer {
                    head: String::new(),
                    status: 200,
                    body: text.into_bytes(),
                    chunks: Vec::new(),
                    end: End::Whole,
                };
                answer.texts().len()
            };
            let sent = provider
                .when("so much is sent", |all| {
                    let one = all.first()?;
                    (!one.sent_head.is_empty() && count(&one.sent) == after).then(|| one.clone())
                })
                .await;
            assert_eq!(sent.ended, None, "{path}");
            drop(client);
            let left = provider.ended(1).await.remove(0);
            assert!(left.was_left() && left.sent == sent.sent, "{path} after {after}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_lacks_its_last_chunk_and_one_that_only_ends_has_it() {
    let provider = Provider::start().unwrap();
    for path in STREAMS {
        for (fault, end) in
            [(Fault::Close, End::Closed), (Fault::Reset, End::Reset), (Fault::End, End::Whole)]
        {
            for after in [0, 3] {
                provider.script(Script::fault_after(fault, after));
                let answer = Client::open(&provider).await.ask(path, true).await;
                assert_eq!((answer.status, answer.end), (200, end), "{path} {fault:?}");
                assert_eq!(answer.texts().len(), after, "{path} {fault:?}: {}", answer.text());
                assert!(!has_end_mark(answer.text()), "{path} {fault:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_stream_without_its_end_mark_has_all_else() {
    let provider = Provider::start().unwrap();
    for path in STREAMS {
        let whole = Client::open(&provider).await.ask(path, true).await;
        provider.script(Script::fault(Fault::End));
        let short = Client::open(&provider).await.ask(path, true).await;
        assert_eq!((whole.end, short.end), (End::Whole, End::Whole));
        assert_eq!(short.texts(), whole.texts());
        assert!(whole.text().starts_with(short.text()) && has_end_mark(whole.text()));
        assert!(!has_end_mark(short.text()), "{path}: {}", short.text());
    }
}

#[tokio::test]
async fn an_array_that_is_cut_is_no_json() {
    let provider = Provider::start().unwrap();
    for (script, end) in [
        (Script::fault(Fault::End), End::Whole),
        (Script::fault_after(Fault::End, 2), End::Whole),
        (Script::fault_after(Fault::Close, 2), End::Closed),
        (Script::fault_after(Fault::Reset, 0), End::Reset),
    ] {
        provider.script(script.clone());
        let answer = Client::open(&provider).await.ask(ARRAY, false).await;
        assert_eq!(answer.end, end, "{script:?}");
        assert!(serde_json::from_slice::<serde_json::Value>(&answer.body).is_err(), "{}", answer.text());
    }
    let whole = Client::open(&provider).await.ask(ARRAY, false).await.json();
    assert_eq!(whole.as_array().unwrap().last().unwrap()["candidates"][0]["finishReason"], "STOP");
}

#[tokio::test]
async fn a_body_that_is_cut_is_shorter_than_its_head_says() {
    let provider = Provider::start().unwrap();
    for path in [CHAT, RESPONSES, MESSAGES, GENERATE] {
        let whole = Client::open(&provider).await.ask(path, false).await;
        for (fault, end) in [(Fault::Close, End::Closed), (Fault::Reset, End::Reset)] {
            provider.script(Script::fault_after(fault, 1));
            let answer = Client::open(&provider).await.ask(path, false).await;
            assert_eq!((answer.status, answer.end), (200, end), "{path}");
            assert_eq!(answer.body, whole.body[..whole.body.len() / 2], "{path}");
        }
        for framing in [None, Some(Framing::Chunked)] {
            provider.script(Script { framing, ..Script::fault_after(Fault::End, 1) });
            let answer = Client::open(&provider).await.ask(path, false).await;
            assert_eq!((answer.end, &*answer.body), (End::Whole, &whole.body[..whole.body.len() / 2]));
        }
    }
}

#[tokio::test]
async fn a_kept_connection_is_reset_when_the_next_request_comes_and_a_fresh_one_is_not() {
    let provider = Provider::start().unwrap();
    let mut pooled = Client::open(&provider).await;
    assert_eq!(pooled.ask(CHAT, false).await.status, 200);
    provider.script(Script::fault(Fault::ClosePooled));
    assert_eq!(Client::open(&provider).await.ask(CHAT, false).await.status, 200);
    assert_eq!(provider.waiting(), 1);
    pooled.send(CHAT, &crate::client::body(false)).await;
    assert_eq!(pooled.end().await, (End::Reset, Vec::new()));
    assert_eq!(provider.waiting(), 0);
    let places: Vec<_> = provider.requests().iter().map(|one| (one.connection, one.place)).collect();
    assert_eq!(places, [(0, 1), (1, 1), (0, 2)]);
}

#[tokio::test]
async fn idle_connections_can_be_closed_and_one_that_is_answered_is_not() {
    let provider = Provider::start().unwrap();
    let mut idle = Client::open(&provider).await;
    assert_eq!(idle.ask(CHAT, false).await.status, 200);
    provider.script(Script { first_ms: 50, ..Script::new() });
    let mut busy = Client::open(&provider).await;
    busy.send(CHAT, &crate::client::body(true)).await;
    provider
        .when("the second has begun", |all| all.get(1).filter(|one| !one.sent_head.is_empty()).map(drop))
        .await;
    provider.close_idle();
    assert_eq!(idle.end().await, (End::Closed, Vec::new()));
    assert_eq!(busy.answer().await.end, End::Whole);
}

#[tokio::test]
async fn who_refuses_connections_has_closed_those_that_were_open_and_listens_again_when_told() {
    let provider = Provider::start().unwrap();
    let mut open = Client::open(&provider).await;
    assert_eq!(open.ask(CHAT, false).await.status, 200);
    provider.script(Script::fault(Fault::Stall));
    open.send(CHAT, &crate::client::body(false)).await;
    provider.when("the second came", |all| all.get(1).map(drop)).await;
    provider.refuse().await;
    assert_eq!(open.end().await, (End::Closed, Vec::new()));
    assert_eq!(provider.ended(2).await[1].ended.unwrap().0, Ended::Cut);
    let error = tokio::net::TcpStream::connect(("127.0.0.1", provider.port())).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    provider.accept().await;
    assert_eq!(Client::open(&provider).await.ask(CHAT, false).await.status, 200);
}

fn has_end_mark(text: &str) -> bool {
    ["data: [DONE]", "event: message_stop", "event: response.completed", "\"finishReason\""]
        .iter()
        .any(|mark| text.contains(mark))
}
