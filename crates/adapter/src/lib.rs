#![doc = include_str!("../README.md")]

mod app;
mod call;
mod client;
mod config;
mod core;
pub mod environment;
mod http;
mod metrics;
mod passing;
pub mod profile;
mod refusal;
mod relay;
pub mod secret;
mod tasks;
mod ticket;

use std::sync::Arc;

use anyhow::Context;
use pas_service::server::Server;
use pas_service::{Health, Measures, Metrics, Running, Settings, Sockets, clock, presence};
use pas_service::{running, telemetry};
use pas_types::health::HealthStatus;
use pas_types::registry::{Registration, ServiceType};
use tokio_util::sync::CancellationToken;

pub use crate::config::Config;
pub use crate::environment::Environment;
pub use crate::http::openapi;
pub use crate::profile::Profile;

use crate::app::App;
use crate::client::Provider;
use crate::metrics::Counts;

/// Runs a profile's adapter as a process, until it is told to stop.
pub async fn run(profile: &'static Profile) -> anyhow::Result<()> {
    let (settings, environment) = Config::load(profile)?;
    telemetry::init(&settings.swarm)?;
    let sockets = Sockets::bind(&settings.swarm, settings.service.port)?;
    start(profile, settings, environment, sockets, running::stop_on_signals()?).await?.wait().await
}

/// Starts a profile's adapter on `sockets`; it ends on `shutdown`.
pub async fn start(
    profile: &'static Profile,
    settings: Settings<Config>,
    environment: Environment,
    sockets: Sockets,
    shutdown: CancellationToken,
) -> anyhow::Result<Running> {
    let Settings { swarm, service: config } = settings;
    let running = Running::new(&swarm, &sockets, shutdown);
    let health = Health::new(&profile.entry, clock::now());
    let metrics = Metrics::of_kind("adapter", "provider", profile.entry.name);
    let measures = Measures::new(config.calls);
    let root = config.root().with_context(|| "base_url is no address that can be called")?;
    let provider = Provider::new(profile, root, &config.base_url);
    let (counts, threads) = (Counts::new(&metrics), config.threads());
    health.set(
        "models",
        HealthStatus::Recovering,
        format!("{} is being asked for its models", profile.title),
    );
    let app = App::new(profile, config, environment, provider, counts, measures.clone(), health.clone());
    let app = Arc::new(app);
    app.load_credentials();

    let (tasks, stop) = (running.tasks(), running.shutdown());
    let registration = registration(profile, &running.url());
    tasks.spawn(tasks::follow_credentials(Arc::clone(&app), stop.clone()));
    tasks.spawn(tasks::follow_rests(Arc::clone(&app), stop.clone()));
    tasks.spawn(tasks::follow_provider(Arc::clone(&app), registration, stop.clone()));

    let routes = http::routes(&app);
    let server = Server {
        entry: profile.entry,
        routes,
        rpc: None,
        openapi: openapi(profile),
        health: health.clone(),
        metrics,
    };
    server.spawn_on_threads(threads, &swarm, sockets, &running)?;
    // It registers when it is known what there is to offer.
    presence::spawn_changing(&swarm, app.registrations(), &health, &running, move || measures.read());
    Ok(running)
}

/// How an adapter registers, but for the models.
fn registration(profile: &Profile, url: &str) -> Registration {
    let mut registration = presence::registration(&profile.entry, url, profile.caps);
    registration.service_type = ServiceType::Model;
    let dialects: Vec<&str> = profile.dialects.iter().map(|dialect| dialect.as_str()).collect();
    let mut labels = vec![("dialects", dialects.join(",")), ("locality", profile.locality.to_string())];
    labels.extend(profile.provider.map(|provider| ("provider", provider.to_owned())));
    for (name, value) in labels {
        registration.labels.insert(name.to_owned(), Some(value));
    }
    registration
}
