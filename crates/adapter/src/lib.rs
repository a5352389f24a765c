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
use pas_service::config::{ConfigError, Sources};
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

/// Runs an adapter as a process, until it is told to stop: the one of these profiles that the command line names.
pub async fn run(profiles: &[&'static Profile]) -> anyhow::Result<()> {
    let mut sources = Sources::of_process();
    let profile = chosen(profiles, &mut sources)?;
    let (settings, environment) = Config::load_from(profile, sources)?;
    telemetry::init(&settings.swarm)?;
    let sockets = Sockets::bind(&settings.swarm, settings.service.port)?;
    start(profile, settings, environment, sockets, running::stop_on_signals()?).await?.wait().await
}

/// The profile that the command line names first, which is taken from it.
fn chosen(profiles: &[&'static Profile], sources: &mut Sources) -> Result<&'static Profile, ConfigError> {
    let named = sources.arguments.get(1).and_then(|argument| argument.to_str()).unwrap_or_default();
    if let Some(profile) = profiles.iter().find(|profile| profile.entry.name == named) {
        sources.arguments.remove(1);
        return Ok(profile);
    }
    let binary = profiles.first().map_or("pas-adapter", |profile| profile.entry.binary);
    let names: Vec<&str> = profiles.iter().map(|profile| profile.entry.name).collect();
    let usage = format!(
        "usage: {binary} NAME [FLAG...]; `{binary} NAME --help` shows its flags\nnames: {}",
        names.join(", ")
    );
    Err(match named {
        "--version" | "-V" => ConfigError::Answered(format!("{binary} {}", env!("CARGO_PKG_VERSION"))),
        "--help" | "-h" => ConfigError::Answered(usage),
        _ => ConfigError::Refused(usage),
    })
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
    if !root.origin.tls && profile.needs_credential && !is_loopback(&root.origin.host) {
        let reason = format!("credentials go unencrypted to {}", config.base_url);
        tracing::warn!("{reason}");
        health.set("address", HealthStatus::Ok, reason);
    }
    let provider = Provider::new(profile, root, &config.base_url);
    let (counts, threads) = (Counts::new(&metrics), config.threads());
    health.set(
        "models",
        HealthStatus::Recovering,
        format!("{} is being asked for its models", profile.title),
    );
    let stop = running.shutdown().clone();
    let app =
        App::new(profile, config, environment, provider, counts, measures.clone(), health.clone(), stop);
    let app = Arc::new(app);
    let loaded = app.environment().stamp();
    app.load_credentials("the start");

    let (tasks, stop) = (running.tasks(), running.shutdown());
    let registration = registration(profile, &running.url());
    tasks.spawn(tasks::follow_credentials(Arc::clone(&app), loaded, stop.clone()));
    tasks.spawn(tasks::shed_connections(Arc::clone(&app), stop.clone()));
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
    server.spawn_on_threads(threads, http::direct(&app), &swarm, sockets, &running)?;
    // It registers when it is known what there is to offer.
    presence::spawn_changing(&swarm, app.registrations(), &health, &running, move || measures.read());
    Ok(running)
}

/// Whether a host is this machine.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
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

#[cfg(test)]
mod tests {
    use pas_types::catalog;

    use super::*;

    fn sources(arguments: &[&str]) -> Sources {
        let arguments = arguments.iter().map(|argument| (*argument).into()).collect();
        Sources { arguments, environment: Vec::new() }
    }

    static ONE: Profile = Profile {
        entry: catalog::OPENAI,
        provider: None,
        title: "OpenAI",
        locality: pas_types::routing::Locality::External,
        base_url: "http://127.0.0.1:1",
        scheme: profile::Scheme::Bearer,
        needs_credential: true,
        dialects: &[],
        routes: &[],
        caps: &[],
        listings: &[],
        headers: &[],
        withheld: &[],
        remedy: "",
        pinned: None,
    };

    #[test]
    fn the_command_line_names_whose_adapter_it_is() {
        let mut named = sources(&["pas-adapter", "openai", "--port", "1"]);
        assert_eq!(chosen(&[&ONE], &mut named).unwrap().entry.name, "openai");
        assert_eq!(named.arguments, ["pas-adapter", "--port", "1"]);
        for (arguments, begins) in [
            (["x", "--version"], "pas-adapter 0."),
            (["x", "--help"], "usage: pas-adapter NAME"),
            (["x", "opnai"], "usage: "),
        ] {
            let said = chosen(&[&ONE], &mut sources(&arguments)).unwrap_err().to_string();
            assert!(said.starts_with(begins), "{said}");
        }
    }

    #[test]
    fn the_variable_for_its_address_is_short_and_a_longer_one_comes_first() {
        let address = |variables: &[(&str, &str)]| {
            let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let sources = Sources { environment: environment.collect(), ..sources(&["pas-adapter"]) };
            Config::load_from(&ONE, sources).map(|(settings, _)| settings.service.base_url)
        };
        assert_eq!(address(&[]).unwrap(), "http://127.0.0.1:1");
        let short = ("PAS_OPENAI_BASE_URL", "http://127.0.0.1:2/v1");
        assert_eq!(address(&[short]).unwrap(), "http://127.0.0.1:2/v1");
        assert_eq!(
            address(&[short, ("PAS_OPENAI__BASE_URL", "http://127.0.0.1:3")]).unwrap(),
            "http://127.0.0.1:3"
        );
        let refused =
            address(&[("PAS_OPENAI_BASE_URL", "https://me:secret@example.org/v1")]).unwrap_err().to_string();
        assert!(
            refused.contains("base_url: use an http or https URL") && !refused.contains("secret"),
            "{refused}"
        );
    }
}
