use std::net::{IpAddr, Ipv4Addr};

use pas_hmi::Config;
use pas_service::{Running, Settings, Sockets, Swarm};
use pas_testkit::{Provider, http, until};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// A control plane in this process, on free ports, over a directory of its own.
pub(crate) struct World {
    pub(crate) registry: Running,
    pub(crate) events: Running,
    pub(crate) monitor: Running,
    pub(crate) router: Running,
    gateway: Option<Running>,
    pub(crate) hmi: Running,
    http: Client,
    swarm: Swarm,
    _data: TempDir,
}

impl World {
    pub(crate) async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let loopback = || Sockets::loopback().unwrap();
        let (of_registry, of_events) = (loopback(), loopback());
        let swarm = Swarm {
            data_dir: data.path().to_owned(),
            registry_url: of_registry.url(),
            events_url: of_events.url(),
            grace_s: 1,
            ..Swarm::default()
        };
        let events = Settings { swarm: swarm.clone(), service: pas_event_stream::Config::default() };
        let events = pas_event_stream::start(events, of_events, CancellationToken::new()).await.unwrap();
        let registry = registry(&swarm, of_registry).await;
        let monitor = Settings { swarm: swarm.clone(), service: pas_heartbeat_monitor::Config::default() };
        let monitor =
            pas_heartbeat_monitor::start(monitor, loopback(), CancellationToken::new()).await.unwrap();
        // Without files of its own it has those that are shipped with it.
        let nowhere = |name: &str| data.path().join(name);
        let router = pas_provider_router::Config {
            matrix: nowhere("matrix.json"),
            policies: nowhere("policies.yaml"),
            ..Default::default()
        };
        let router = Settings { swarm: swarm.clone(), service: router };
        let router = pas_provider_router::start(router, loopback(), CancellationToken::new()).await.unwrap();
        let gateway = gateway(&swarm, &router, loopback()).await;
        let config = Config {
            gateway_url: gateway.url(),
            monitor_url: monitor.url(),
            router_url: router.url(),
            ..Config::default()
        };
        let hmi = hmi(&swarm, config).await;
        Self {
            registry,
            events,
            monitor,
            router,
            gateway: Some(gateway),
            hmi,
            http: http(),
            swarm,
            _data: data,
        }
    }

    /// The same, with a model that a provider answers for, when gateway and HMI know of it.
    pub(crate) async fn with_model() -> (Self, Provider) {
        let (world, provider) = (Self::start().await, Provider::start().unwrap());
        let labels = json!({"dialects": "openai.chat,anthropic.messages", "models": "scripted-1", "locality": "local"});
        let model = json!({
            "name": "scripted", "type": "model", "role": "production", "url": provider.url(),
            "caps": ["infer", "chat"], "ctx_limit": 10_000_000, "labels": labels,
        });
        world.register(&model).await;
        until("the gateway knows the model", async || {
            let models = world.get("/api/gateway/v1/models").await;
            let models = models["data"].as_array()?;
            models.iter().any(|model| model["id"] == "scripted-1").then_some(())
        })
        .await;
        (world, provider)
    }

    pub(crate) fn gateway(&self) -> &Running {
        self.gateway.as_ref().unwrap()
    }

    /// Stops the gateway; answers the port that it had.
    pub(crate) async fn stop_gateway(&mut self) -> u16 {
        let gateway = self.gateway.take().unwrap();
        let port = gateway.port();
        gateway.stop().await.unwrap();
        port
    }

    pub(crate) async fn start_gateway(&mut self, port: u16) {
        let bind = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
        let sockets = Sockets::bind(&Swarm { bind, ..Swarm::default() }, port).unwrap();
        self.gateway = Some(gateway(&self.swarm, &self.router, sockets).await);
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.hmi.url())
    }

    pub(crate) fn ask(&self, path: &str) -> RequestBuilder {
        self.http.get(self.url(path))
    }

    pub(crate) fn send(&self, path: &str) -> RequestBuilder {
        self.http.post(self.url(path))
    }

    /// Posts JSON to the HMI.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        answered(self.send(path).json(body)).await
    }

    /// What the HMI answers, which must be JSON.
    pub(crate) async fn get(&self, path: &str) -> Value {
        answered(self.ask(path)).await.1
    }

    /// What a service itself answers to the path.
    pub(crate) async fn direct(&self, owner: &Running, path: &str) -> Response {
        self.http.get(format!("{}{path}", owner.url())).send().await.unwrap()
    }

    /// Registers with the registry; answers the id.
    pub(crate) async fn register(&self, registration: &Value) -> String {
        let url = format!("{}/register", self.registry.url());
        let (status, answer) = answered(self.http.post(url).json(registration)).await;
        assert!(matches!(status, 200 | 201), "{status}: {answer}");
        answer["service_id"].as_str().unwrap().to_owned()
    }

    /// What the HMI lists, as soon as there is a service of this name in it.
    pub(crate) async fn listed(&self, name: &str) -> Value {
        until(&format!("{name} is listed"), async || {
            let page = self.get("/api/services").await;
            let is_there = page["services"].as_array()?.iter().any(|row| row["name"] == name);
            is_there.then_some(page)
        })
        .await
    }

    /// The messages that the HMI has logged in the event stream, as soon as there are so many.
    pub(crate) async fn logged(&self, count: usize) -> Vec<String> {
        until(&format!("{count} messages are logged"), async || {
            let page = self.get("/api/events/events?type=log").await;
            let messages =
                page["events"].as_array()?.iter().map(|it| it["message"].as_str().unwrap().to_owned());
            let messages: Vec<_> = messages.collect();
            (messages.len() >= count).then_some(messages)
        })
        .await
    }

    pub(crate) async fn stop(self) {
        let first = [Some(self.hmi), self.gateway];
        let others = [self.router, self.monitor, self.registry, self.events].map(Some);
        for service in first.into_iter().chain(others).flatten() {
            service.stop().await.unwrap();
        }
    }
}

async fn registry(swarm: &Swarm, sockets: Sockets) -> Running {
    let service = pas_registry::Config { boot_grace_s: 1, ..Default::default() };
    let settings = Settings { swarm: swarm.clone(), service };
    pas_registry::start(settings, sockets, CancellationToken::new()).await.unwrap()
}

async fn gateway(swarm: &Swarm, router: &Running, sockets: Sockets) -> Running {
    let service = pas_gateway::Config { router_url: router.url(), ..Default::default() };
    let settings = Settings { swarm: swarm.clone(), service };
    pas_gateway::start(settings, sockets, CancellationToken::new()).await.unwrap()
}

/// An HMI in this process.
pub(crate) async fn hmi(swarm: &Swarm, config: Config) -> Running {
    let settings = Settings { swarm: swarm.clone(), service: config };
    pas_hmi::start(settings, Sockets::loopback().unwrap(), CancellationToken::new()).await.unwrap()
}

/// Settings of which nothing is there.
pub(crate) fn alone() -> (Swarm, Config) {
    let nobody = || pas_testkit::NOBODY.to_owned();
    let swarm = Swarm { registry_url: nobody(), events_url: nobody(), grace_s: 1, ..Swarm::default() };
    let config =
        Config { gateway_url: nobody(), monitor_url: nobody(), router_url: nobody(), ..Config::default() };
    (swarm, config)
}

/// Status and body of an answer in JSON.
pub(crate) async fn answered(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

/// The status that a request has whose path is sent as it is.
pub(crate) async fn status_of(service: &Running, path: &str) -> u16 {
    let mut stream = TcpStream::connect(("127.0.0.1", service.port())).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let head = String::from_utf8_lossy(&answer);
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

/// An agent.
pub(crate) fn agent(name: &str, parent: Option<&str>) -> Value {
    json!({"name": name, "type": "agent", "role": "experimental", "labels": {"parent": parent}})
}

/// A chat of OpenAI's.
pub(crate) fn chat(stream: bool) -> Value {
    json!({"model": "scripted-1", "stream": stream, "messages": [{"role": "user", "content": "hello"}]})
}
