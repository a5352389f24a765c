use pas_testkit::provider::Framing;
use pas_testkit::{Fault, Provider, Script, proc};
use serde_json::Value;

use crate::client::{CHAT, Client, End, GENERATE, INVOKE, MESSAGES, RESPONSES, STREAM};

const WHOLE: [&str; 4] = [CHAT, RESPONSES, MESSAGES, GENERATE];
const STREAMS: [&str; 4] = [CHAT, RESPONSES, MESSAGES, STREAM];

#[tokio::test]
async fn an_empty_answer_is_a_200_that_says_nothing() {
    let provider = Provider::start().unwrap();
    for path in WHOLE {
        provider.script(Script::fault(Fault::Empty));
        let answer = Client::open(&provider).await.ask(path, false).await;
        let body = answer.json();
        let said = [
            &body["choices"][0]["message"]["content"],
            &body["content"][0]["text"],
            &body["output"][0]["content"][0]["text"],
            &body["candidates"][0]["content"]["parts"][0]["text"],
        ];
        assert_eq!(answer.status, 200);
        assert!(said.iter().all(|said| said.as_str().is_none_or(str::is_empty)), "{body}");
    }
    for path in STREAMS {
        provider.script(Script::fault(Fault::Empty));
        let answer = Client::open(&provider).await.ask(path, true).await;
        assert_eq!((answer.status, answer.texts(), answer.end), (200, Vec::new(), End::Whole), "{path}");
        assert!(!answer.events().is_empty());
    }
    for (path, stream) in [(CHAT, false), (MESSAGES, true)] {
        provider.script(Script::fault(Fault::Blank));
        let answer = Client::open(&provider).await.ask(path, stream).await;
        assert_eq!((answer.status, &*answer.body, answer.end), (200, &b""[..], End::Whole));
    }
}

#[tokio::test]
async fn an_error_in_a_200_has_the_shape_of_its_dialect() {
    let provider = Provider::start().unwrap();
    for path in WHOLE {
        provider.script(Script { status: Some(503), ..Script::fault(Fault::Error) });
        let answer = Client::open(&provider).await.ask(path, false).await;
        assert_eq!((answer.status, answer.json()["error"]["message"].is_string()), (200, true), "{path}");
    }
    for path in STREAMS {
        for after in [0, 2] {
            provider.script(Script::fault_after(Fault::Error, after));
            let answer = Client::open(&provider).await.ask(path, true).await;
            assert_eq!((answer.status, answer.end, answer.texts().len()), (200, End::Whole, after), "{path}");
            let events = answer.events();
            let last = events.last().unwrap();
            match path {
                RESPONSES => {
                    assert_eq!((&last["type"], last["message"].is_string()), (&"error".into(), true))
                }
                MESSAGES => {
                    assert!(answer.text().contains("event: error\n"));
                    assert_eq!(last["error"]["type"], "api_error");
                }
                _ => assert!(last["error"]["message"].is_string(), "{last}"),
            }
        }
    }
}

#[tokio::test]
async fn a_web_page_is_no_answer_of_a_model() {
    let provider = Provider::start().unwrap();
    for stream in [false, true] {
        provider.script(Script::fault(Fault::Html));
        let answer = Client::open(&provider).await.ask(CHAT, stream).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/html; charset=utf-8")));
        assert!(answer.text().starts_with("<!DOCTYPE html>"));
    }
}

#[tokio::test]
async fn garbage_is_an_event_among_others_or_all_of_a_body() {
    let provider = Provider::start().unwrap();
    for path in STREAMS {
        for after in [0, 2] {
            provider.script(Script::fault_after(Fault::Garbage, after));
            let answer = Client::open(&provider).await.ask(path, true).await;
            let garbled: Vec<_> =
                answer.data().into_iter().filter(|data| data != "[DONE]" && !is_json(data)).collect();
            assert_eq!((garbled.len(), answer.end), (1, End::Whole), "{path}: {garbled:?}");
            let before = answer.text().split(&garbled[0]).next().unwrap().to_owned();
            let before = crate::client::Answer { body: before.into_bytes(), ..answer };
            assert_eq!(before.texts().len(), after, "{path}");
        }
    }
    provider.script(Script::fault(Fault::Garbage));
    assert!(!is_json(Client::open(&provider).await.ask(CHAT, false).await.text()));
}

#[tokio::test]
async fn a_text_that_is_not_utf8_is_that_and_nothing_else_is_wrong_with_it() {
    let provider = Provider::start().unwrap();
    for (path, stream) in [(CHAT, false), (CHAT, true), (MESSAGES, true), (RESPONSES, true), (STREAM, true)] {
        let whole = Client::open(&provider).await.ask(path, stream).await;
        provider.script(Script::fault_after(Fault::InvalidUtf8, 1));
        let answer = Client::open(&provider).await.ask(path, stream).await;
        assert!(std::str::from_utf8(&answer.body).is_err(), "{path}");
        let at = answer.body.windows(3).position(|three| three == b"\xff\xfe\xc3").unwrap();
        let mut repaired = answer.body.clone();
        repaired.drain(at..at + 3);
        assert!(whole.body.starts_with(&repaired[..at + 5]), "{path}");
    }
}

#[tokio::test]
async fn a_body_of_two_gigabytes_is_made_as_it_is_taken() {
    const TWO_GB: u64 = 2_000_000_000;
    const TAKEN: usize = 64 * 1024 * 1024;
    let provider = Provider::start().unwrap();
    let before = proc::resident_bytes(std::process::id()).unwrap();
    for (path, stream) in [(CHAT, false), (MESSAGES, true)] {
        provider.script(Script { body_bytes: Some(TWO_GB), ..Script::new() });
        let mut client = Client::open(&provider).await;
        client.send(path, &crate::client::body(stream)).await;
        let head = client.until("\r\n\r\n").await;
        assert_eq!(head.contains("content-length: 2000000000"), !stream);
        client.skip(TAKEN).await;
    }
    let grown = proc::resident_bytes(std::process::id()).unwrap().saturating_sub(before);
    assert!(grown < TAKEN as u64, "{grown} bytes more");
    let ended = provider.ended(2).await;
    assert!(ended.iter().all(|one| one.was_left() && one.sent_bytes >= TAKEN as u64 / 2), "{ended:?}");
}

#[tokio::test]
async fn a_body_that_is_split_is_cut_in_the_middle_of_events_and_letters() {
    let provider = Provider::start().unwrap();
    for (path, stream) in [(CHAT, true), (MESSAGES, false), (STREAM, true)] {
        let whole = Client::open(&provider).await.ask(path, stream).await;
        for bytes in [1, 7] {
            provider.script(Script { split_bytes: Some(bytes), ..Script::new() });
            let answer = Client::open(&provider).await.ask(path, stream).await;
            assert_eq!(answer.body, whole.body);
            assert!(answer.chunks.iter().all(|chunk| chunk.len() <= bytes));
            assert!(answer.chunks.iter().any(|chunk| std::str::from_utf8(chunk).is_err()));
        }
    }
}

#[tokio::test]
async fn the_end_of_a_body_is_told_as_the_script_says() {
    let provider = Provider::start().unwrap();
    let whole = Client::open(&provider).await.ask(CHAT, false).await;
    assert_eq!(whole.header("content-length").map(str::len), Some(3));
    for (framing, end) in [(Framing::Chunked, End::Whole), (Framing::Close, End::Closed)] {
        provider.script(Script { framing: Some(framing), ..Script::new() });
        let answer = Client::open(&provider).await.ask(CHAT, false).await;
        assert_eq!((answer.header("content-length"), answer.end), (None, end));
        assert_eq!(answer.body, whole.body);
    }
    provider.script(Script { framing: Some(Framing::Close), ..Script::new() });
    let stream = Client::open(&provider).await.ask(CHAT, true).await;
    assert!(stream.end == End::Closed && stream.text().ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn a_service_of_dialect_pas_echoes_what_it_was_sent() {
    let provider = Provider::start().unwrap();
    let mut client = Client::open(&provider).await;
    client.send(INVOKE, r#"{"text": "quantum", "n": [1, {"a": null}]}"#).await;
    let answer = client.answer().await.json();
    assert_eq!(answer["echo"], serde_json::json!({"text": "quantum", "n": [1, {"a": null}]}));
    assert_eq!(answer["text"], "quantum");
    provider.script(Script::status(422));
    client.send(INVOKE, "{}").await;
    let refused = client.answer().await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (422, &"failed_precondition".into()));
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok()
}
