//! The command line of a service: a flag for every key, described by the key's own documentation.

use std::path::PathBuf;

use clap::{Arg, ArgAction, Command};
use pas_types::catalog;
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::{ConfigError, Sources};

/// What the command line said.
#[derive(Debug)]
pub(super) struct Flags {
    pub(super) config: Option<PathBuf>,
    pub(super) print_config: bool,
    /// Path of the key, value as text.
    pub(super) values: Vec<(String, String)>,
}

/// The flag of a key: `registry.ttl_s` is `--ttl-s`.
pub(super) fn name(path: &str) -> String {
    let key = path.split_once('.').map_or(path, |(_, key)| key);
    key.replace(['_', '.'], "-")
}

pub(super) fn parse(
    entry: &catalog::Entry,
    leaves: &[(String, Value)],
    schemas: &[(&str, RefOr<Schema>)],
    sources: &Sources,
) -> Result<Flags, ConfigError> {
    let mut command = Command::new(entry.binary)
        .version(env!("CARGO_PKG_VERSION"))
        .about(format!("PAS: the service {}", entry.name))
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .help(format!("Settings [default: {}, if it exists]", super::DEFAULT_FILE)),
        )
        .arg(
            Arg::new("print-config")
                .long("print-config")
                .action(ArgAction::SetTrue)
                .help("Print the settings in force and end"),
        );
    for (path, default) in leaves {
        let help = format!("{} [default: {default}]", description(path, schemas));
        let flag = Arg::new(path.clone()).long(name(path)).value_name("VALUE").help(help);
        command = command.arg(match default {
            // `--insecure-bind` says yes; to say no takes `=false`.
            Value::Bool(_) => flag.num_args(0..=1).require_equals(true).default_missing_value("true"),
            _ => flag.allow_negative_numbers(true),
        });
    }
    let matches = command.try_get_matches_from(&sources.arguments).map_err(|error| {
        let text = error.render().to_string();
        if error.use_stderr() { ConfigError::Refused(text) } else { ConfigError::Answered(text) }
    })?;
    let given = |(path, _): &(String, Value)| Some((path.clone(), matches.get_one::<String>(path)?.clone()));
    Ok(Flags {
        config: matches.get_one::<PathBuf>("config").cloned(),
        print_config: matches.get_flag("print-config"),
        values: leaves.iter().filter_map(given).collect(),
    })
}

/// The first line of the documentation of the key at `path`.
fn description(path: &str, schemas: &[(&str, RefOr<Schema>)]) -> String {
    let find = || {
        let (section, key) = path.split_once('.')?;
        let (_, schema) = schemas.iter().find(|(name, _)| *name == section)?;
        let schema = serde_json::to_value(schema).ok()?;
        Some(schema.pointer(&format!("/properties/{key}/description"))?.as_str()?.to_owned())
    };
    find().unwrap_or_else(|| path.to_owned())
}
