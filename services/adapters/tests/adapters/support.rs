use std::path::Path;

use pas_adapter::{Config, Environment, Profile};
use pas_service::{Running, Settings, Sockets, Swarm};
use pas_testkit::provider::{Offer, Options};
use pas_testkit::{Manner, NOBODY, Provider, http, until};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// An adapter and its provider, in this process, on free ports.
pub(crate) struct Door {
    pub(crate) adapter: Running,
    pub(crate) provider: Provider,
    pub(crate) data: TempDir,
}

/// A provider of this manner, which takes these keys.
pub(crate) fn provider(manner: Manner, keys: &[&str]) -> Provider {
    let keys = keys.iter().map(|key| (*key).to_owned()).collect();
    Provider::with(Options { manner, keys, ..Options::default() }).unwrap()
}

/// A provider on this machine that has these models.
pub(crate) fn server(manner: Manner, models: &[Offer]) -> Provider {
    Provider::with(Options { manner, models: models.to_vec(), ..Options::default() }).unwrap()
}

pub(crate) fn swarm(data: &Path, registry_url: &str) -> Swarm {
    Swarm {
        data_dir: data.to_owned(),
        registry_url: registry_url.to_owned(),
        events_url: NOBODY.to_owned(),
        ..Swarm::default()
    }
}

/// Starts an adapter in front of `base_url`, with these credentials in its file, and what `change` makes of its settings.
pub(crate) async fn adapter(
    profile: &'static Profile,
    base_url: &str,
    data: &Path,
    registry_url: &str,
    keys: &str,
    change: impl FnOnce(&mut Config),
) -> Running {
    write_keys(profile, data, keys);
    let mut service = Config::of(profile);
    service.base_url = base_url.to_owned();
    service.env_file = data.join(".env");
    service.router_url = NOBODY.to_owned();
    service.look_every_s = 1;
    change(&mut service);
    let environment = Environment::new([], service.env_file.clone());
    let settings = Settings { swarm: swarm(data, registry_url), service };
    let sockets = Sockets::loopback().unwrap();
    pas_adapter::start(profile, settings, environment, sockets, CancellationToken::new()).await.unwrap()
}

/// Writes the file of credentials.
pub(crate) fn write_keys(profile: &Profile, data: &Path, keys: &str) {
    let variable = profile.entry.credentials[0];
    std::fs::write(data.join(".env"), format!("{variable}={keys}\n")).unwrap();
}

impl Door {
    /// Opens one in front of a provider that takes `taken`, with the credentials `keys`.
    pub(crate) async fn open(profile: &'static Profile, manner: Manner, taken: &[&str], keys: &str) -> Self {
        Self::before(profile, provider(manner, taken), keys, |_| {}).await
    }

    pub(crate) async fn before(
        profile: &'static Profile,
        provider: Provider,
        keys: &str,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let data = tempfile::tempdir().unwrap();
        let models = |config: &mut Config| {
            config.models = vec!["scripted-1".to_owned()];
            config.look_every_s = 3_600;
            change(config);
        };
        let adapter = adapter(profile, &provider.url(), data.path(), NOBODY, keys, models).await;
        let door = Self { adapter, provider, data };
        door.has_looked().await;
        door
    }

    /// Waits until the provider has been asked for its models.
    async fn has_looked(&self) {
        until("the provider has been looked at", async || {
            (self.health().await["checks"]["models"]["status"] != "recovering").then_some(())
        })
        .await;
        self.provider.forget();
    }

    pub(crate) async fn health(&self) -> Value {
        health(&self.adapter).await
    }

    /// Waits until a check says this; answers why.
    pub(crate) async fn is(&self, check: &str, status: &str) -> String {
        is(&self.adapter, check, status).await
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        http().post(format!("{}{path}", self.adapter.url())).json(body)
    }

    pub(crate) async fn chat(&self) -> Response {
        self.post("/v1/chat/completions", &chat(false)).send().await.unwrap()
    }

    /// The turns that the provider was asked for: the listings are left out.
    pub(crate) fn turns(&self) -> Vec<pas_testkit::Recorded> {
        let mut all = self.provider.requests();
        all.retain(|one| one.method == "POST" && one.path != "/api/show");
        all
    }

    pub(crate) async fn metrics(&self) -> String {
        let url = format!("{}/metrics", self.adapter.url());
        http().get(url).send().await.unwrap().text().await.unwrap()
    }

    pub(crate) async fn close(self) {
        self.adapter.stop().await.unwrap();
    }
}

pub(crate) async fn health(adapter: &Running) -> Value {
    let url = format!("{}/health", adapter.url());
    http().get(url).send().await.unwrap().json().await.unwrap()
}

pub(crate) async fn is(adapter: &Running, check: &str, status: &str) -> String {
    until(&format!("{check} is {status}"), async || {
        let health = health(adapter).await;
        let check = &health["checks"][check];
        (check["status"] == status).then(|| check["reason"].as_str().unwrap_or_default().to_owned())
    })
    .await
}

/// A chat of OpenAI's.
pub(crate) fn chat(stream: bool) -> Value {
    json!({"model": "scripted-1", "stream": stream, "messages": [{"role": "user", "content": "hello"}], "x_unknown": 1.50})
}

/// A message of Anthropic's.
pub(crate) fn message() -> Value {
    json!({"model": "scripted-1", "max_tokens": 100, "messages": [{"role": "user", "content": "hello"}]})
}

/// The status of an answer, and its body.
pub(crate) async fn said(answer: Response) -> (u16, Value) {
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// A registry in this process.
pub(crate) async fn registry(data: &Path) -> Running {
    let service = pas_registry::Config { boot_grace_s: 1, ..Default::default() };
    let settings = Settings { swarm: swarm(data, NOBODY), service };
    pas_registry::start(settings, Sockets::loopback().unwrap(), CancellationToken::new()).await.unwrap()
}

/// What a registry has of a service, once `accept` is content with it.
pub(crate) async fn registered(registry: &Running, name: &str, accept: impl Fn(&Value) -> bool) -> Value {
    until(&format!("{name} is registered as it should be"), async || {
        let url = format!("{}/discover?name={name}&status=any", registry.url());
        let found: Value = http().get(url).send().await.ok()?.json().await.ok()?;
        let service = found["services"].get(0)?.clone();
        accept(&service).then_some(service)
    })
    .await
}
