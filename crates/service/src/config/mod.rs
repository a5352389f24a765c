//! Settings in layers: defaults in code ← `config/pas.yaml` ← environment ← flags. What isn't known is refused.

mod flags;
mod layers;
mod limits;
mod swarm;
mod tree;

use std::ffi::OsString;
use std::path::Path;

use http::Uri;
use pas_types::{Error, catalog};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use utoipa::PartialSchema;

use layers::Layers;
pub use limits::Limits;
pub use swarm::{Fsync, LogFormat, Swarm};
use tree::Tree;

/// The file that is read when no flag names another.
pub const DEFAULT_FILE: &str = "config/pas.yaml";

/// What a service runs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings<C> {
    /// What all services share.
    pub swarm: Swarm,
    /// The service's own section.
    pub service: C,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Nothing is wrong: a flag asked for this text instead of a run.
    #[error("{0}")]
    Answered(String),
    /// The settings can't be used.
    #[error("{0}")]
    Refused(String),
}

/// Where settings come from, besides the defaults.
#[derive(Clone, Default)]
pub struct Sources {
    /// The command line, with the program's name first.
    pub arguments: Vec<OsString>,
    /// The environment.
    pub environment: Vec<(String, String)>,
}

impl std::fmt::Debug for Sources {
    /// The environment may hold credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources").field("arguments", &self.arguments).finish_non_exhaustive()
    }
}

impl Sources {
    /// Those of this process.
    pub fn of_process() -> Self {
        let readable =
            |(key, value): (OsString, OsString)| Some((key.into_string().ok()?, value.into_string().ok()?));
        Self {
            arguments: std::env::args_os().collect(),
            environment: std::env::vars_os().filter_map(readable).collect(),
        }
    }
}

/// The settings of this process for the service `entry`, checked by `validate`.
pub fn load<C>(
    entry: &catalog::Entry,
    validate: impl FnOnce(&C) -> Result<(), Error>,
) -> Result<Settings<C>, ConfigError>
where
    C: Default + DeserializeOwned + PartialSchema + Serialize,
{
    load_from(entry, validate, &Sources::of_process())
}

/// The settings that `sources` make for the service `entry`.
pub fn load_from<C>(
    entry: &catalog::Entry,
    validate: impl FnOnce(&C) -> Result<(), Error>,
    sources: &Sources,
) -> Result<Settings<C>, ConfigError>
where
    C: Default + DeserializeOwned + PartialSchema + Serialize,
{
    load_over(entry, C::default(), validate, sources)
}

/// The same over other defaults than the type's own.
pub fn load_over<C>(
    entry: &catalog::Entry,
    defaults: C,
    validate: impl FnOnce(&C) -> Result<(), Error>,
    sources: &Sources,
) -> Result<Settings<C>, ConfigError>
where
    C: DeserializeOwned + PartialSchema + Serialize,
{
    let defaults = json!({ "swarm": value(&Swarm::default())?, entry.section: value(&defaults)? });
    let mut layers = Layers::new(defaults);
    let flags = flags::parse(
        entry,
        &layers.leaves(),
        &[("swarm", Swarm::schema()), (entry.section, C::schema())],
        sources,
    )?;

    let mut sections: Vec<&str> = catalog::SERVICES.iter().map(|entry| entry.section).collect();
    sections.push("swarm");
    if let Some((file, tree)) = read_file(flags.config.as_deref())? {
        layers.lay_file(&file, tree, &sections)?;
    }
    for (name, text) in &sources.environment {
        if let Some(path) = variable_path(name, entry, &sections)? {
            layers.lay_text(&path, text, name)?;
        }
    }
    for (path, text) in &flags.values {
        layers.lay_text(path, text, &format!("--{}", flags::name(path)))?;
    }

    let swarm: Swarm = section(&layers, "swarm")?;
    let service: C = section(&layers, entry.section)?;
    swarm.validate().map_err(|error| refused(&layers, "swarm", &error))?;
    validate(&service).map_err(|error| refused(&layers, entry.section, &error))?;
    if flags.print_config {
        return Err(ConfigError::Answered(print(entry, &swarm, &service)?));
    }
    Ok(Settings { swarm, service })
}

/// For a section's `validate`: whether a number is within its bounds.
pub fn check_range(field: &str, value: u64, least: u64, most: u64) -> Result<(), Error> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::invalid(field, format!("{field} is {value}: use a number from {least} to {most}")))
}

/// For a section's `validate`: whether this is the address of another service of PAS, as of `example`.
pub fn check_url(field: &str, url: &str, example: &catalog::Entry) -> Result<(), Error> {
    let parsed = url.parse::<Uri>().ok().filter(|url| url.scheme_str() == Some("http"));
    if parsed.and_then(|url| url.authority().map(|name| name.as_str().contains('@'))) == Some(false) {
        return Ok(());
    }
    let message = format!("{field} is `{url}`: use an http URL, as http://127.0.0.1:{}", example.port);
    Err(Error::invalid(field, message))
}

/// `PAS_REGISTRY__SWEEP_MS` is `registry.sweep_ms`. The keys of other services are theirs to check, but not what nobody has.
fn variable_path(
    name: &str,
    entry: &catalog::Entry,
    sections: &[&str],
) -> Result<Option<String>, ConfigError> {
    let Some((section, key)) = name.strip_prefix("PAS_").and_then(|rest| rest.split_once("__")) else {
        return Ok(None);
    };
    let section = section.to_ascii_lowercase();
    if !sections.contains(&section.as_str()) {
        return Err(layers::unknown(name, "section", &section, sections.iter().copied()));
    }
    let ours = section == "swarm" || section == entry.section;
    Ok(ours.then(|| format!("{section}.{}", key.to_ascii_lowercase().replace("__", "."))))
}

fn read_file(named: Option<&Path>) -> Result<Option<(String, Tree)>, ConfigError> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    let shown = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => return Ok(None),
        Err(error) => return Err(ConfigError::Refused(format!("{shown}: can't be read: {error}"))),
    };
    if text.trim().is_empty() {
        return Ok(None);
    }
    let tree =
        serde_saphyr::from_str(&text).map_err(|error| ConfigError::Refused(format!("{shown}: {error}")))?;
    Ok(Some((shown, tree)))
}

fn section<T: DeserializeOwned>(layers: &Layers, name: &str) -> Result<T, ConfigError> {
    serde_path_to_error::deserialize(layers.section(name)).map_err(|error| {
        let path = format!("{name}.{}", error.path()).trim_end_matches('.').to_owned();
        let at = layers.origin(&path).map(|origin| format!("{origin}: ")).unwrap_or_default();
        ConfigError::Refused(format!("{at}{path}: {}", crate::json::in_words(&error.inner().to_string())))
    })
}

fn refused(layers: &Layers, section: &str, error: &Error) -> ConfigError {
    let origin = error.field.as_ref().and_then(|field| layers.origin(&format!("{section}.{field}")));
    let at = origin.map(|origin| format!("{origin}: ")).unwrap_or_default();
    ConfigError::Refused(format!("{at}{section}: {error}"))
}

fn value<T: Serialize>(settings: &T) -> Result<Value, ConfigError> {
    serde_json::to_value(settings).map_err(|error| ConfigError::Refused(error.to_string()))
}

fn print<C: Serialize>(entry: &catalog::Entry, swarm: &Swarm, service: &C) -> Result<String, ConfigError> {
    let all = json!({ "swarm": value(swarm)?, entry.section: value(service)? });
    serde_saphyr::to_string(&all).map_err(|error| ConfigError::Refused(error.to_string()))
}

#[cfg(test)]
mod tests;
