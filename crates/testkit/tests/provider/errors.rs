use pas_testkit::{Fault, Provider, Script};
use serde_json::{Value, json};

use crate::client::{CHAT, Client, GENERATE, MESSAGES, RESPONSES, STREAM};

const STATUSES: [u16; 13] = [400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 502, 503, 529];

#[tokio::test]
async fn every_status_comes_in_the_shape_of_its_dialect_also_where_a_stream_was_asked_for() {
    let provider = Provider::start().unwrap();
    for status in STATUSES {
        for (path, stream) in
            [(CHAT, true), (RESPONSES, false), (MESSAGES, true), (GENERATE, false), (STREAM, true)]
        {
            provider.script(Script { message: Some("no".to_owned()), ..Script::status(status) });
            let answer = Client::open(&provider).await.ask(path, stream).await;
            let body = answer.json();
            assert_eq!((answer.status, &body["error"]["message"]), (status, &json!("no")), "{path}");
            assert_eq!(answer.header("content-type"), Some("application/json"));
            let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            let (mut outer, mut inner) = (keys(&body), keys(&body["error"]));
            outer.sort();
            inner.sort();
            match path {
                CHAT | RESPONSES => {
                    assert_eq!(
                        (outer, inner.join(" ")),
                        (vec!["error".to_owned()], "code message param type".to_owned())
                    );
                }
                MESSAGES => assert_eq!(
                    (outer.join(" "), inner.join(" ")),
                    ("error request_id type".to_owned(), "message type".to_owned())
                ),
                _ => assert_eq!(
                    (inner.join(" "), &body["error"]["code"]),
                    ("code message status".to_owned(), &json!(status))
                ),
            }
        }
    }
}

#[tokio::test]
async fn a_spent_limit_says_when_it_begins_anew() {
    let provider = Provider::start().unwrap();
    let spent = || Script { retry_after_s: Some(7), reset_s: Some(9), ..Script::status(429) };
    provider.script(spent().header("x-mine", "1"));
    let answer = Client::open(&provider).await.ask(CHAT, false).await;
    let headers = ["retry-after", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests", "x-mine"];
    assert_eq!(headers.map(|name| answer.header(name)), [Some("7"), Some("0"), Some("9s"), Some("1")]);
    provider.script(spent());
    let answer = Client::open(&provider).await.ask(MESSAGES, false).await;
    let headers = ["retry-after", "anthropic-ratelimit-requests-remaining"];
    assert_eq!(headers.map(|name| answer.header(name)), [Some("7"), Some("0")]);
    let reset: jiff::Timestamp =
        answer.header("anthropic-ratelimit-requests-reset").unwrap().parse().unwrap();
    let away = reset.duration_since(pas_service::clock::now().wall).as_secs();
    assert!((7..=9).contains(&away), "{away} s");
    provider.script(spent());
    let answer = Client::open(&provider).await.ask(GENERATE, false).await;
    assert_eq!(answer.json()["error"]["details"][0]["retryDelay"], "7s");
}

#[tokio::test]
async fn what_does_not_fit_into_the_context_is_said_as_each_provider_does() {
    let provider = Provider::start().unwrap();
    for (path, told) in [
        (CHAT, "maximum context length is"),
        (RESPONSES, "maximum context length is"),
        (MESSAGES, "prompt is too long: "),
        (GENERATE, "exceeds the maximum number of tokens allowed"),
    ] {
        provider.script(Script::fault(Fault::ContextTooLong));
        let answer = Client::open(&provider).await.ask(path, true).await;
        let error = &answer.json()["error"];
        assert!(answer.status == 400 && error["message"].as_str().unwrap().contains(told), "{path}: {error}");
        if path == CHAT {
            assert_eq!(error["code"], "context_length_exceeded");
        }
    }
}

#[tokio::test]
async fn a_refusal_is_an_answer_that_says_so() {
    let provider = Provider::start().unwrap();
    let refuse = || provider.script(Script::fault(Fault::Refusal));
    refuse();
    let chat = Client::open(&provider).await.ask(CHAT, false).await.json();
    assert_eq!(chat["choices"][0]["finish_reason"], "content_filter");
    refuse();
    let chat = Client::open(&provider).await.ask(CHAT, true).await.events();
    assert_eq!(chat.last().unwrap()["choices"][0]["finish_reason"], "content_filter");
    refuse();
    let response = Client::open(&provider).await.ask(RESPONSES, false).await.json();
    assert_eq!(response["output"][0]["content"][0]["type"], "refusal");
    assert_eq!(response["incomplete_details"]["reason"], "content_filter");
    refuse();
    let message = Client::open(&provider).await.ask(MESSAGES, false).await.json();
    assert_eq!((&message["stop_reason"], &message["content"]), (&json!("refusal"), &json!([])));
    refuse();
    let message = Client::open(&provider).await.ask(MESSAGES, true).await;
    assert!(message.text().contains(r#""stop_reason":"refusal""#));
    refuse();
    let gemini = Client::open(&provider).await.ask(GENERATE, false).await.json();
    let candidate = &gemini["candidates"][0];
    assert_eq!((&candidate["finishReason"], candidate.get("content")), (&json!("SAFETY"), None));
}

#[tokio::test]
async fn what_no_provider_could_read_is_refused_in_its_shape() {
    let provider = Provider::start().unwrap();
    let mut client = Client::open(&provider).await;
    for (path, body) in [(CHAT, "{"), (CHAT, "{}"), (MESSAGES, "")] {
        client.send(path, body).await;
        let answer = client.answer().await;
        assert_eq!(
            (answer.status, answer.json()["error"]["type"].as_str()),
            (400, Some("invalid_request_error"))
        );
    }
    client.send_with(CHAT, "x-scripted: falut=reset\r\n", &crate::client::body(false)).await;
    let answer = client.answer().await;
    assert!(answer.status == 400 && answer.text().contains("falut"), "{}", answer.text());
    client.send("/v1/audio/speech", "{}").await;
    assert_eq!(client.answer().await.status, 404);
}
