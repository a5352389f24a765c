use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context;
use pas_service::clock;
use pas_types::health::{Health, HealthStatus};
use pas_types::limits;
use reqwest::{Client, ClientBuilder, Response, StatusCode, redirect};

use crate::core::probes::Finding;
use crate::core::targets::Target;

/// Bytes of an answer that are read. A health is far smaller.
const BODY_BYTES: usize = 64 * 1024;

/// Asks services whether they can be reached.
#[derive(Debug)]
pub struct Prober {
    timeout: Duration,
    plain: Client,
    /// Made when the first service with https is probed: the roots of trust take memory that most swarms can spare.
    tls: OnceLock<Option<Client>>,
}

impl Prober {
    /// Probes that must be answered within `timeout`.
    pub fn new(timeout: Duration) -> anyhow::Result<Self> {
        // An error says that a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let plain =
            client(timeout).tls_certs_only([]).build().context("the client for probes can't be made")?;
        Ok(Self { timeout, plain, tls: OnceLock::new() })
    }

    /// Asks `target`. 2xx is what a reachable service answers; 503 with a health of PAS is a service that can be reached
    /// and says itself that it is down.
    pub async fn probe(&self, target: &Target) -> Finding {
        let started = clock::monotonic();
        let answered = match self.client_for(target) {
            Some(client) => client.get(&target.url).send().await,
            None => return unreachable(None, "no roots of trust for https on this machine".to_owned()),
        };
        let latency = Some(clock::monotonic().saturating_sub(started));
        match answered {
            Ok(response) if response.status().is_success() => {
                Finding { reachable: true, latency, reason: None }
            }
            Ok(response) if response.status() == StatusCode::SERVICE_UNAVAILABLE => {
                match health_of(response).await {
                    Some(health) => Finding { reachable: true, latency, reason: Some(in_words(&health)) },
                    None => unreachable(latency, "answered 503 without a health of PAS".to_owned()),
                }
            }
            Ok(response) if response.status().is_redirection() => {
                let status = response.status().as_u16();
                unreachable(
                    latency,
                    format!("answered {status}: probes follow no redirects, set the label health_path"),
                )
            }
            Ok(response) => unreachable(latency, format!("answered {}", response.status().as_u16())),
            Err(error) => unreachable(None, self.failure(&error)),
        }
    }

    fn client_for(&self, target: &Target) -> Option<&Client> {
        if target.url.starts_with("https://") {
            self.tls.get_or_init(|| client(self.timeout).build().ok()).as_ref()
        } else {
            Some(&self.plain)
        }
    }

    /// The same failure is always said in the same words: what changes is told to the registry.
    fn failure(&self, error: &reqwest::Error) -> String {
        if error.is_timeout() {
            return format!("no answer within {} ms", self.timeout.as_millis());
        }
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        bounded(cause.to_string())
    }
}

/// A new connection for each probe: that one can be made is what is asked.
fn client(timeout: Duration) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
        .timeout(timeout)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(0)
        .http1_only()
}

fn unreachable(latency: Option<Duration>, reason: String) -> Finding {
    Finding { reachable: false, latency, reason: Some(reason) }
}

async fn health_of(mut response: Response) -> Option<Health> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > BODY_BYTES {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).ok()
}

fn in_words(health: &Health) -> String {
    let status = match health.status {
        HealthStatus::Ok => "ok",
        HealthStatus::Recovering => "recovering",
        HealthStatus::Degraded => "degraded",
        HealthStatus::Down => "down",
    };
    match &health.reason {
        Some(reason) => bounded(format!("says it is {status}: {reason}")),
        None => format!("says it is {status}"),
    }
}

fn bounded(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(limits::REASON_BYTES));
    text
}
