use pas_testkit::{Process, until};
use rustix::process::Signal;
use serde_json::{Value, json};

#[tokio::test]
async fn as_a_process_it_serves_until_it_is_told_to_stop_and_can_refuse_for_a_while() {
    let mut process = Process::helper("pas-scripted-provider", &[]).unwrap();
    let http = pas_testkit::http();
    let url = |path: &str| format!("{}{path}", process.url());
    let ask = async || {
        let request = http.post(url("/v1/chat/completions")).json(&json!({"model": "m"}));
        request.send().await?.json::<Value>().await
    };
    assert_eq!(ask().await.unwrap()["object"], "chat.completion");
    http.post(url("/__refuse?ms=50")).send().await.ok();
    until("it refuses", async || ask().await.is_err_and(|error| error.is_connect()).then_some(())).await;
    until("it serves again", async || ask().await.ok()).await;
    process.signal(Signal::TERM).unwrap();
    assert!(process.wait().unwrap().success());
}
