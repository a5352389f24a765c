use pas_testkit::provider::{Ended, Options};
use pas_testkit::{Fault, Provider, Script, monotonic};
use serde_json::json;

use crate::client::{CHAT, Client, MESSAGES, body};

#[tokio::test]
async fn a_request_is_kept_as_it_came_and_its_answer_as_it_was_sent() {
    let provider = Provider::start().unwrap();
    let begun = monotonic();
    let mut client = Client::open(&provider).await;
    let (path, body) = ("/v1/chat/completions?a=1&b=%20", r#"{"model":"m","stream":true, "x":1.50}"#);
    client.send_with(path, "X-One: 1\r\nx-two:  2 \r\n", body).await;
    let answer = client.answer().await;
    let one = provider.ended(1).await.remove(0);
    let headers = [("Host", "x"), ("X-One", "1"), ("x-two", "2"), ("Content-Length", "37")];
    assert_eq!(one.headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!((&*one.method, &*one.path, &*one.query), ("POST", CHAT, "a=1&b=%20"));
    assert_eq!(
        (&*one.body, &one.json()["x"], one.header("X-TWO")),
        (body.as_bytes(), &json!(1.5), Some("2"))
    );
    assert_eq!((&*one.sent_head, &*one.sent), (answer.head.as_bytes(), &*answer.body));
    assert_eq!((one.sent_bytes, one.pieces.len()), (answer.body.len() as u64, answer.chunks.len()));
    assert!(begun <= one.came && one.pieces.is_sorted() && one.came <= one.pieces[0]);
    let (ended, at) = one.ended.unwrap();
    assert!(ended == Ended::Whole && at >= one.pieces[0] && at <= monotonic());
}

#[tokio::test]
async fn a_script_comes_with_the_request_or_the_model_or_from_the_queue_in_that_order() {
    let provider = Provider::start().unwrap();
    provider.script(Script::text("queue"));
    let mut client = Client::open(&provider).await;
    let body = r#"{"model": "m~text=model", "messages": []}"#;
    client.send_with(CHAT, "x-scripted: text=header\r\n", body).await;
    let text = |answer: crate::client::Answer| answer.json()["choices"][0]["message"]["content"].clone();
    assert_eq!(text(client.answer().await), "header");
    client.send(CHAT, body).await;
    assert_eq!(text(client.answer().await), "model");
    client.send(CHAT, r#"{"model": "m"}"#).await;
    assert_eq!(text(client.answer().await), "queue");
    client.send("/v1beta/models/m~status=429:generateContent", "{}").await;
    assert_eq!(client.answer().await.status, 429);
    assert_eq!(provider.waiting(), 0);
}

#[tokio::test]
async fn whoever_has_no_rust_scripts_and_looks_over_http() {
    let provider = Provider::start().unwrap();
    let http = pas_testkit::http();
    let url = |path: &str| format!("{}{path}", provider.url());
    let scripts = json!([{"status": 429, "times": 2}, {"fault": "reset", "on": "x"}]);
    let refused = http.post(url("/__script")).json(&scripts).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    assert!(refused.text().await.unwrap().contains("unknown field `on`"));
    let taken =
        http.post(url("/__script")).json(&json!({"text": "hi", "path": "/messages"})).send().await.unwrap();
    assert_eq!(taken.json::<serde_json::Value>().await.unwrap(), json!({"waiting": 1}));
    let answer = http.post(url(MESSAGES)).body(body(false)).send().await.unwrap();
    assert_eq!(answer.json::<serde_json::Value>().await.unwrap()["content"][0]["text"], "hi");
    provider.ended(1).await;
    let seen: serde_json::Value = http.get(url("/__requests")).send().await.unwrap().json().await.unwrap();
    let one = &seen["requests"][0];
    assert_eq!(
        (&one["path"], &one["body"], &one["ended"]),
        (&json!(MESSAGES), &json!(body(false)), &json!("whole"))
    );
    assert_eq!(seen["requests"].as_array().unwrap().len(), 1);
    http.delete(url("/__requests")).send().await.unwrap();
    assert!(provider.requests().is_empty());
    let healthy = http.get(url("/health")).send().await.unwrap();
    assert_eq!(healthy.status(), 200);
}

#[tokio::test]
async fn a_known_request_has_its_answer_again_and_is_not_kept_and_another_one_has_its_own() {
    let provider = Provider::with(Options { instant: true, keep: 10, ..Options::default() }).unwrap();
    let mut client = Client::open(&provider).await;
    let first = client.ask(CHAT, false).await;
    for _ in 0..3 {
        assert_eq!(client.ask(CHAT, false).await.body, first.body);
        assert_eq!(Client::open(&provider).await.ask(CHAT, false).await.body, first.body);
    }
    let streams = [client.ask(CHAT, true).await, client.ask(CHAT, true).await];
    assert!(streams[0].body == streams[1].body && streams[0].text().ends_with("[DONE]\n\n"));
    client.send_with(CHAT, "x-scripted: text=other\r\n", &body(false)).await;
    assert_eq!(client.answer().await.json()["choices"][0]["message"]["content"], "other");
    assert_eq!(provider.requests().len(), 3);
    provider.script(Script::fault(Fault::Empty));
    assert_eq!(client.ask(CHAT, false).await.json()["choices"][0]["message"]["content"], "");
    assert_eq!(client.ask(CHAT, false).await.body, first.body);
}
