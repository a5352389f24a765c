#![doc = include_str!("../README.md")]

pub mod app;
pub mod config;
pub mod core;
pub mod error;
pub mod http;
pub mod metrics;
pub mod store;
pub mod tasks;

use std::sync::Arc;
use std::time::Duration;

use pas_service::server::Server;
use pas_service::{Health, Measures, Metrics, Running, Settings, Sockets, clock, presence};
use pas_types::catalog;
use pas_types::classifier::TEXT_BYTES;
use pas_types::registry::{Registration, ServiceType};
use tokio_util::sync::CancellationToken;

pub use crate::config::Config;
pub use crate::http::openapi;

use crate::app::App;
use crate::metrics::Counts;
use crate::store::Store;

/// Which service this is.
const ENTRY: catalog::Entry = catalog::CLASSIFIER;
/// The name of the model that it is.
const MODEL: &str = "tlc-domain-classifier";
/// What that can do.
const CAPS: [&str; 4] = ["infer", "classify", "classify_light", "summarize"];
/// Tokens that the longest text has at least.
const CTX_LIMIT: u64 = TEXT_BYTES as u64 / 4;

/// Starts the classifier on `sockets`; it ends on `shutdown`.
pub async fn start(
    settings: Settings<Config>,
    sockets: Sockets,
    shutdown: CancellationToken,
) -> anyhow::Result<Running> {
    let Settings { swarm, service: config } = settings;
    let running = Running::new(&swarm, &sockets, shutdown);
    let health = Health::new(&ENTRY, clock::now());
    let metrics = Metrics::new(&ENTRY);
    let measures = Measures::new(std::thread::available_parallelism().map_or(1, usize::from));

    // It learns before anybody can ask, and goes on without a model where it can't.
    let store = Store::new(config.training_dir.clone());
    let app = App::new(store, &config, Counts::new(&metrics), measures.clone(), health.clone());
    let app = Arc::new(app);
    app.learn().await;
    let period = Duration::from_millis(config.reload_ms);
    running.tasks().spawn(tasks::reload(Arc::clone(&app), period, running.shutdown().clone()));

    let (routes, openapi) = http::routes(app);
    let server = Server { entry: ENTRY, routes, rpc: None, openapi, health: health.clone(), metrics };
    server.spawn(&swarm, sockets, &running)?;
    let registration = registration(&running.url());
    presence::spawn_measured(&swarm, registration, &health, &running, move || measures.read());
    Ok(running)
}

/// It is a model, to be invoked as one.
fn registration(url: &str) -> Registration {
    let mut registration = presence::registration(&ENTRY, url, &CAPS);
    registration.name = MODEL.to_owned();
    registration.service_type = ServiceType::Model;
    registration.ctx_limit = Some(CTX_LIMIT);
    for (label, value) in [("locality", "local"), ("models", MODEL)] {
        registration.labels.insert(label.to_owned(), Some(value.to_owned()));
    }
    registration
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_registration_is_one_that_the_registry_takes() {
        registration("http://127.0.0.1:8052").validate().unwrap();
    }
}
