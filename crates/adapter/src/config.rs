//! The settings of an adapter: its own section of the configuration.

use std::path::PathBuf;

use pas_service::config::{self, ConfigError, Settings, Sources, check_range};
use pas_types::{Error, limits};
use pas_upstream::Root;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::environment::Environment;
use crate::profile::Profile;

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The port to listen on; 0 for a free one.
    pub port: u16,
    /// The root under which the provider is called.
    pub base_url: String,
    /// The file that holds credentials which the environment doesn't.
    #[schema(value_type = String)]
    pub env_file: PathBuf,
    /// The models that are offered; none named: those that the provider lists.
    pub models: Vec<String>,
    /// Of a service with one model: the name by which its server knows it; empty: the only one that the server has.
    pub model: String,
    /// Tokens that fit the context of a model whose server doesn't say; 0 is not known.
    pub context_tokens: u64,
    /// Seconds from one look at what the provider offers to the next.
    pub look_every_s: u64,
    /// Calls that are on their way at the same time.
    pub calls: usize,
    /// Calls that may wait for that; more are refused.
    pub queue: usize,
    /// Seconds that a call may take, if its caller gives it no less.
    pub call_s: u64,
    /// Threads that carry calls; 0 is one for each processor, and four at most.
    pub threads: usize,
    /// Where the provider router is, whose matrix says what is known of models.
    pub router_url: String,
}

/// Seconds from one look to the next at what is elsewhere, and at what is on this machine and may come and go.
const LOOKS: (u64, u64) = (300, 5);
/// Threads, unless told otherwise.
const THREADS: usize = 4;

impl Config {
    /// What holds for a provider unless told otherwise.
    pub fn of(profile: &Profile) -> Self {
        let is_local = profile.locality == pas_types::routing::Locality::Local;
        Self {
            port: profile.entry.port,
            base_url: profile.base_url.to_owned(),
            env_file: ".env".into(),
            models: Vec::new(),
            model: profile.pinned.map(|pinned| pinned.model.to_owned()).unwrap_or_default(),
            context_tokens: 0,
            look_every_s: if is_local { LOOKS.1 } else { LOOKS.0 },
            calls: 1_024,
            queue: 1_024,
            call_s: 600,
            threads: 0,
            router_url: format!("http://127.0.0.1:{}", pas_types::catalog::PROVIDER_ROUTER.port),
        }
    }

    /// The settings that `sources` make, in which `PAS_<NAME>_BASE_URL` says where the provider is too; and the environment.
    pub fn load_from(
        profile: &Profile,
        mut sources: Sources,
    ) -> Result<(Settings<Self>, Environment), ConfigError> {
        let load =
            |sources: &Sources| config::load_over(&profile.entry, Self::of(profile), Self::validate, sources);
        let environment = |settings: &Settings<Self>, sources: &Sources| {
            Environment::new(sources.environment.clone(), settings.service.env_file.clone())
        };
        let first = load(&sources)?;
        // What is wrong with the file is said by /health, and must keep nobody from starting.
        let base_url = environment(&first, &sources).value(&profile.base_url_variable()).unwrap_or_default();
        let long = format!("PAS_{}__BASE_URL", profile.entry.section.to_ascii_uppercase());
        let is_said = sources.environment.iter().any(|(name, _)| *name == long);
        let Some(base_url) = base_url.filter(|_| !is_said) else {
            let environment = environment(&first, &sources);
            return Ok((first, environment));
        };
        sources.environment.push((long, base_url));
        let settings = load(&sources)?;
        let environment = environment(&settings, &sources);
        Ok((settings, environment))
    }

    /// Whether an adapter may run with it.
    pub fn validate(&self) -> Result<(), Error> {
        let has_secret = self.base_url.split_once("://").is_some_and(|(_, rest)| {
            rest.split(['/', '?']).next().is_some_and(|authority| authority.contains('@'))
                || rest.contains('?')
        });
        if has_secret || self.root().is_none() {
            let message = "base_url: use an http or https URL without a name, a password or a query, as \
                           https://api.openai.com/v1";
            return Err(Error::invalid("base_url", message));
        }
        if self.env_file.as_os_str().is_empty() {
            return Err(Error::invalid("env_file", "env_file is empty: name a file, as .env"));
        }
        if let Some(model) = self.models.iter().find(|model| model.is_empty() || model.contains([',', '='])) {
            let message = format!("models has `{model}`: use names without commas and equals signs");
            return Err(Error::invalid("models", message));
        }
        check_range("context_tokens", self.context_tokens, 0, limits::TOKENS)?;
        check_range("look_every_s", self.look_every_s, 1, 86_400)?;
        check_range("calls", self.calls as u64, 1, 100_000)?;
        check_range("queue", self.queue as u64, 0, 100_000)?;
        check_range("call_s", self.call_s, 1, 86_400)?;
        check_range("threads", self.threads as u64, 0, 64)
    }

    /// Where the provider is. A version at the end of its address is not doubled.
    pub(crate) fn root(&self) -> Option<Root> {
        Root::read(self.base_url.trim_end_matches('/').trim_end_matches("/v1beta"))
    }

    /// Threads that carry calls.
    pub(crate) fn threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from).min(THREADS),
            threads => threads,
        }
    }
}
