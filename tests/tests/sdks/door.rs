use std::collections::BTreeMap;

use pas_service::{Running, Settings, Sockets, Swarm};
use pas_testkit::{NOBODY, Provider, http, until};
use pas_tests::python;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A registry, a gateway and a provider, on free ports.
pub(crate) struct Door {
    pub(crate) provider: Provider,
    pub(crate) swarm: Swarm,
    registry: Running,
    gateway: Running,
    _data: TempDir,
}

impl Door {
    /// With nothing registered.
    pub(crate) async fn open(provider: Provider) -> Self {
        let data = tempfile::tempdir().unwrap();
        let sockets = Sockets::loopback().unwrap();
        let swarm = Swarm {
            data_dir: data.path().to_owned(),
            registry_url: sockets.url(),
            events_url: NOBODY.to_owned(),
            ..Swarm::default()
        };
        let settings = Settings { swarm: swarm.clone(), service: pas_registry::Config::default() };
        let registry = pas_registry::start(settings, sockets, CancellationToken::new()).await.unwrap();
        let service = pas_gateway::Config { router_url: NOBODY.to_owned(), ..Default::default() };
        let settings = Settings { swarm: swarm.clone(), service };
        let sockets = Sockets::loopback().unwrap();
        let gateway = pas_gateway::start(settings, sockets, CancellationToken::new()).await.unwrap();
        Self { provider, swarm, registry, gateway, _data: data }
    }

    /// The provider itself, registered as the one model.
    pub(crate) async fn register_the_provider(&self) {
        let registration = json!({
            "name": "scripted", "type": "model", "role": "production", "url": self.provider.url(),
            "caps": ["infer", "chat", "tools", "embed", "thinking", "vision", "json_schema"],
            "labels": {
                "dialects": "openai.chat,openai.responses,openai.embeddings,anthropic.messages,gemini.generate",
                "models": "scripted-1,scripted-2",
            },
        });
        let register = format!("{}/register", self.registry.url());
        let answer = http().post(register).json(&registration).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    pub(crate) async fn knows(&self, model: &str) {
        let models = format!("{}/v1/models", self.gateway.url());
        until("the gateway knows the model", async || {
            let listed = http().get(&models).send().await.ok()?.text().await.ok()?;
            listed.contains(model).then_some(())
        })
        .await;
    }

    /// What these calls of a script tell, straight from the provider and through the gateway, is one.
    pub(crate) async fn reads_the_same(&self, script: &'static str, calls: &'static [&'static str]) {
        let [straight, through] = self.both(move |url| python::said(script, url, calls)).await;
        for (call, said) in &straight {
            assert_eq!(through.get(call), Some(said), "{call}");
        }
        assert_eq!((straight.len(), through.len()), (calls.len(), calls.len()));
    }

    /// The classes of exceptions that these errors end in are the same, straight and through the gateway.
    pub(crate) async fn raises_the_same(&self, script: &'static str, errors: &'static [&'static str]) {
        let [straight, through] = self.both(move |url| python::errors(script, url, errors)).await;
        assert_eq!(through, straight);
        assert_eq!(straight.len(), errors.len());
    }

    /// What the gateway itself answers to a call of a script.
    pub(crate) async fn says(
        &self,
        script: &'static str,
        call: &'static [&'static str],
    ) -> BTreeMap<String, Value> {
        asked(self.gateway.url(), move |url| python::said(script, url, call)).await
    }

    async fn both<T: Send + 'static>(
        &self,
        ask: impl Fn(&str) -> anyhow::Result<T> + Copy + Send + 'static,
    ) -> [T; 2] {
        [asked(self.provider.url(), ask).await, asked(self.gateway.url(), ask).await]
    }

    pub(crate) async fn close(self) {
        for running in [self.gateway, self.registry] {
            running.stop().await.unwrap();
        }
    }
}

async fn asked<T: Send + 'static>(
    url: String,
    ask: impl Fn(&str) -> anyhow::Result<T> + Send + 'static,
) -> T {
    tokio::task::spawn_blocking(move || ask(&url)).await.unwrap().unwrap()
}
