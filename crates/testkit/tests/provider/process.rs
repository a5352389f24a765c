use pas_testkit::{Process, Provider, Script, until};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::client::{CHAT, Client, End, NEVER_MS, body};

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

#[tokio::test]
async fn as_a_process_it_has_the_manner_the_keys_and_the_models_that_it_is_told() {
    let of = |arguments: &[&str]| Process::helper("pas-scripted-provider", arguments).unwrap();
    let http = pas_testkit::http();
    let get = async |process: &Process, path: &str, key: &str| {
        let request = http.get(format!("{}{path}", process.url())).bearer_auth(key);
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let ollama = of(&["--manner", "ollama", "--model", "llama3.1:8b=8192", "--model", "mistral"]);
    let running = get(&ollama, "/api/ps", "").await;
    let told = [0, 1].map(|place| {
        let model = &running["models"][place];
        (model["name"].clone(), model["context_length"].clone())
    });
    assert_eq!(told, [(json!("llama3.1:8b"), json!(8_192)), (json!("mistral:latest"), json!(4_096))]);
    let vllm = of(&["--manner", "vllm", "--key", "k1", "--key", "k2", "--model", "m=2048"]);
    assert_eq!(get(&vllm, "/v1/models", "k3").await, json!({"error": "Unauthorized"}));
    assert_eq!(get(&vllm, "/v1/models", "k2").await["data"][0]["max_model_len"], 2_048);
}

#[tokio::test]
async fn the_bare_proxy_passes_on_what_comes_and_each_piece_of_a_stream_when_it_comes() {
    let provider = Provider::start().unwrap();
    let upstream = format!("127.0.0.1:{}", provider.port());
    let proxy = Process::helper("pas-bare-proxy", &["--upstream", &upstream]).unwrap();
    let straight = [
        Client::open(&provider).await.ask(CHAT, false).await,
        Client::open(&provider).await.ask(CHAT, true).await,
    ];
    let mut client = Client::at(proxy.port()).await;
    let passed = [client.ask(CHAT, false).await, client.ask(CHAT, true).await];
    for (straight, passed) in straight.iter().zip(&passed) {
        assert_eq!((passed.status, &passed.body, passed.end), (200, &straight.body, End::Whole));
        assert_eq!(passed.header("openai-version"), straight.header("openai-version"));
    }
    // Over one connection, which was kept.
    let requests = provider.ended(4).await;
    assert_eq!((requests[2].place, requests[3].place, &requests[3].body), (1, 2, &body(true).into_bytes()));
    provider.script(Script::paced(2, NEVER_MS));
    client.send(CHAT, &body(true)).await;
    client.until("word0 ").await;
    drop(client);
    assert!(provider.ended(5).await[4].was_left());
}
