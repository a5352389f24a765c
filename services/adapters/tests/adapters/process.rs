//! The adapters as processes, with signals.

use std::fs;
use std::path::{Path, PathBuf};

use pas_adapters::openai;
use pas_testkit::{Manner, NOBODY, Process, Provider, Script, binary, http, until};
use pas_types::catalog;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{chat, provider, write_keys};

const ADAPTER: &str = env!("CARGO_BIN_EXE_pas-adapter");

/// The door to OpenAI as a process, with this file of credentials, and what else it is told.
fn start(data: &Path, provider: &Provider, more: &[&str]) -> Process {
    let file = data.join(".env");
    let url = provider.url();
    let base = [
        "--base-url",
        url.as_str(),
        "--env-file",
        file.to_str().unwrap(),
        "--models",
        "scripted-1",
        "--router-url",
        NOBODY,
        "--grace-s",
        "20",
    ];
    let arguments = [&base, more].concat();
    Process::start(&catalog::OPENAI, Path::new(ADAPTER), data, &arguments).unwrap()
}

async fn ask(url: &str, stream: bool) -> reqwest::Response {
    http().post(format!("{url}/v1/chat/completions")).json(&chat(stream)).send().await.unwrap()
}

#[tokio::test]
async fn told_to_stop_in_the_middle_of_a_stream_it_finishes_it() {
    let (data, provider) = (tempfile::tempdir().unwrap(), provider(Manner::OpenAi, &[]));
    write_keys(&openai::PROFILE, data.path(), "k");
    let mut adapter = start(data.path(), &provider, &[]);
    provider.script(Script::paced(30, 50).on("/chat"));
    let mut answer = ask(&adapter.url(), true).await;
    let mut text = answer.chunk().await.unwrap().unwrap().to_vec();
    adapter.signal(Signal::TERM).unwrap();
    while let Some(piece) = answer.chunk().await.unwrap() {
        text.extend_from_slice(&piece);
    }
    assert!(text.ends_with(b"data: [DONE]\n\n"));
    assert_eq!(adapter.wait().unwrap().code(), Some(0));
}

#[tokio::test]
async fn killed_in_the_middle_of_a_stream_it_is_a_cut_for_the_gateway() {
    let (data, provider) = (tempfile::tempdir().unwrap(), provider(Manner::OpenAi, &[]));
    write_keys(&openai::PROFILE, data.path(), "k");
    let registry =
        Process::start(&catalog::REGISTRY, &binary("pas-registry").unwrap(), data.path(), &[]).unwrap();
    let registry_url = registry.url();
    let told = ["--registry-url", registry_url.as_str()];
    let mut adapter = start(data.path(), &provider, &told);
    let of_gateway = [&told[..], &["--router-url", NOBODY]].concat();
    let gateway =
        Process::start(&catalog::GATEWAY, &binary("pas-gateway").unwrap(), data.path(), &of_gateway).unwrap();
    until("the gateway reaches it", async || {
        ask(&gateway.url(), false).await.status().is_success().then_some(())
    })
    .await;
    provider.script(Script::paced(1_000, 20).on("/chat"));
    let mut answer = ask(&gateway.url(), true).await;
    let run_id = answer.headers()["x-pas-run-id"].to_str().unwrap().to_owned();
    let mut text = answer.chunk().await.unwrap().unwrap().to_vec();
    adapter.kill().unwrap();
    while let Some(piece) = answer.chunk().await.unwrap() {
        text.extend_from_slice(&piece);
    }
    let text = String::from_utf8(text).unwrap();
    assert!(
        !text.contains("[DONE]") && text.contains(r#"data: {"error":{"code":"upstream_error""#),
        "{text}"
    );
    let url = format!("{}/receipts/{run_id}", gateway.url());
    let receipt: Value = http().get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (&receipt["status"], &receipt["attempts"][0]["outcome"]),
        (&json!("cut"), &json!("cut")),
        "{receipt}"
    );
}

#[tokio::test]
async fn a_hangup_loads_the_credentials_anew_at_once() {
    let (data, provider) = (tempfile::tempdir().unwrap(), provider(Manner::OpenAi, &["k-old", "k-new"]));
    write_keys(&openai::PROFILE, data.path(), "k-old");
    let adapter = start(data.path(), &provider, &[]);
    assert!(ask(&adapter.url(), false).await.status().is_success());
    write_keys(&openai::PROFILE, data.path(), "k-new");
    adapter.signal(Signal::HUP).unwrap();
    until("the new one is used", async || {
        assert!(ask(&adapter.url(), false).await.status().is_success());
        let all = provider.requests();
        (all.iter().rfind(|one| one.method == "POST")?.header("authorization") == Some("Bearer k-new"))
            .then_some(())
    })
    .await;
    until("the log says why", async || adapter.log().contains(r#""why":"SIGHUP""#).then_some(())).await;
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The credential is planted, and the provider repeats all of it wherever it can: in the refusal of the list of models, in errors
/// of calls, and in what is no API at all.
#[tokio::test]
async fn a_credential_is_nowhere_but_on_its_way_to_its_provider() {
    const MARKED: &str = "sk-marked-7f3c9a52d1";
    let data = tempfile::tempdir().unwrap();
    let secrets = tempfile::tempdir().unwrap();
    let provider = provider(Manner::OpenAi, &[]);
    write_keys(&openai::PROFILE, secrets.path(), MARKED);
    let env_file = secrets.path().join(".env");
    let start = |entry: &catalog::Entry, name: &str, arguments: &[&str]| {
        let arguments = [arguments, &["--log", "trace"]].concat();
        Process::start(entry, &binary(name).unwrap(), data.path(), &arguments).unwrap()
    };
    let events = start(&catalog::EVENT_STREAM, "pas-event-stream", &[]);
    let events_url = events.url();
    let registry = start(&catalog::REGISTRY, "pas-registry", &["--events-url", &events_url]);
    let registry_url = registry.url();
    let told = ["--registry-url", registry_url.as_str(), "--events-url", events_url.as_str()];
    let monitor = start(&catalog::HEARTBEAT_MONITOR, "pas-heartbeat-monitor", &told);
    let gateway = start(&catalog::GATEWAY, "pas-gateway", &[&told[..], &["--router-url", NOBODY]].concat());
    let url = provider.url();
    let arguments = [
        &told[..],
        &["--base-url", url.as_str(), "--env-file", env_file.to_str().unwrap()],
        &["--models", "scripted-1", "--router-url", NOBODY, "--log", "trace"],
    ]
    .concat();
    let adapter = Process::start(&catalog::OPENAI, Path::new(ADAPTER), data.path(), &arguments).unwrap();
    let get = async |url: String| http().get(url).send().await.unwrap().text().await.unwrap();
    until("the gateway reaches it", async || {
        ask(&gateway.url(), false).await.status().is_success().then_some(())
    })
    .await;
    let mut seen = Vec::new();
    let echo = json!({"error": {"message": format!("no: {MARKED}"), "type": "invalid_request_error", "param": null, "code": null}});
    let scripts = [
        Script::new(),
        Script { error: Some(echo.clone()), ..Script::status(400) },
        Script { error: Some(echo.clone()), ..Script::status(500) },
        // In another's shape.
        Script { error: Some(json!({ "error": format!("no: {MARKED}") })), ..Script::status(404) },
        Script { error: Some(echo), ..Script::status(401) },
    ];
    for script in scripts {
        provider.clear();
        provider.script(script.on("/chat").forever());
        for root in [adapter.url(), gateway.url()] {
            for stream in [false, true] {
                let answer = ask(&root, stream).await;
                seen.push(format!("{:?}", answer.headers()));
                seen.push(answer.text().await.unwrap());
            }
        }
    }
    until("the refusal is registered", async || {
        let found = get(format!("{registry_url}/discover?name=openai&status=any")).await;
        found.contains("credential_out").then_some(())
    })
    .await;
    for url in [
        format!("{}/health", adapter.url()),
        format!("{}/metrics", adapter.url()),
        format!("{}/openapi.json", adapter.url()),
        format!("{registry_url}/discover?status=any"),
        format!("{}/alerts", monitor.url()),
        format!("{}/receipts", gateway.url()),
        format!("{}/health", gateway.url()),
        format!("{events_url}/events?limit=1000"),
    ] {
        seen.push(get(url).await);
    }
    for process in [&adapter, &gateway, &registry, &monitor, &events] {
        seen.push(process.log());
        for file in ["cmdline", "environ"] {
            seen.push(
                String::from_utf8_lossy(&fs::read(format!("/proc/{}/{file}", process.pid())).unwrap())
                    .into_owned(),
            );
        }
    }
    let printed = std::process::Command::new(ADAPTER)
        .arg("openai")
        .args(&arguments)
        .arg("--print-config")
        .output()
        .unwrap();
    seen.push(String::from_utf8_lossy(&printed.stdout).into_owned());
    for file in files(data.path()) {
        seen.push(String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned());
    }
    assert!(seen.len() > 30 && adapter.log().contains("TRACE"), "{}", adapter.log());
    let leaks: Vec<&String> = seen.iter().filter(|text| text.contains(MARKED)).collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
    assert!(
        provider
            .requests()
            .iter()
            .any(|one| one.header("authorization") == Some(&format!("Bearer {MARKED}")))
    );
}
