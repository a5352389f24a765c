use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use pas_types::{Error, catalog};
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use utoipa::ToSchema;

use super::{Limits, check_range, check_url};

/// The settings that every service shares: the section `swarm`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Swarm {
    /// Everything that is written lies under it.
    #[schema(value_type = String)]
    pub data_dir: PathBuf,
    /// Addresses to listen on.
    #[schema(value_type = Vec<String>)]
    pub bind: Vec<IpAddr>,
    /// Listen on addresses that other machines can reach, though nobody is authenticated.
    pub insecure_bind: bool,
    /// Host names, besides loopback's, under which requests may address a service.
    pub hosts: Vec<String>,
    /// Browser origins, besides the HMI's, whose pages may call.
    pub origins: Vec<String>,
    /// Where the registry is.
    pub registry_url: String,
    /// Where the event stream is.
    pub events_url: String,
    /// What is logged: a level, or directives as `info,pas_registry=debug`.
    pub log: String,
    /// How it looks: auto is pretty on a terminal and JSON otherwise.
    pub log_format: LogFormat,
    /// Log to this file instead of standard output; it rotates.
    #[schema(value_type = Option<String>)]
    pub log_file: Option<PathBuf>,
    /// Size at which the log file rotates.
    pub log_max_mb: u64,
    /// Rotated log files that are kept.
    pub log_keep: u32,
    /// Seconds that open requests get to end after the signal to stop.
    pub grace_s: u64,
    /// When written data is forced to the disk: always costs the most; os leaves it to the system.
    pub fsync: Fsync,
    /// What is taken of callers.
    pub limits: Limits,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Pretty on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Pretty,
    /// For machines.
    Json,
}

/// When written data is forced to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fsync {
    /// Before each acknowledgement: nothing acknowledged is lost in a power failure.
    Always,
    /// From time to time: a power failure costs the latest writes, never the file.
    Interval,
    /// When the system likes.
    Os,
}

impl Default for Swarm {
    fn default() -> Self {
        Self {
            data_dir: "artifacts".into(),
            bind: vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)],
            insecure_bind: false,
            hosts: Vec::new(),
            origins: Vec::new(),
            registry_url: format!("http://127.0.0.1:{}", catalog::REGISTRY.port),
            events_url: format!("http://127.0.0.1:{}", catalog::EVENT_STREAM.port),
            log: "info".to_owned(),
            log_format: LogFormat::Auto,
            log_file: None,
            log_max_mb: 20,
            log_keep: 3,
            grace_s: 10,
            fsync: Fsync::Interval,
            limits: Limits::default(),
        }
    }
}

impl Swarm {
    /// Whether a service may run with it.
    pub fn validate(&self) -> Result<(), Error> {
        if self.bind.is_empty() {
            return Err(Error::invalid("bind", "bind is empty: name at least one address, as 127.0.0.1"));
        }
        if let Some(open) = self.bind.iter().find(|address| !address.is_loopback())
            && !self.insecure_bind
        {
            return Err(Error::invalid(
                "bind",
                format!(
                    "{open} can be reached by other machines, and nobody is authenticated yet: \
                     use a loopback address, or set insecure_bind to accept that"
                ),
            ));
        }
        check_url("registry_url", &self.registry_url, &catalog::REGISTRY)?;
        check_url("events_url", &self.events_url, &catalog::EVENT_STREAM)?;
        if let Err(error) = EnvFilter::try_new(&self.log) {
            let message = format!(
                "log is `{}`: {error}; use a level, or directives as info,pas_registry=debug",
                self.log
            );
            return Err(Error::invalid("log", message));
        }
        check_range("log_max_mb", self.log_max_mb, 1, 100_000)?;
        check_range("log_keep", self.log_keep.into(), 0, 1_000)?;
        check_range("grace_s", self.grace_s, 0, 3_600)?;
        self.limits.validate()
    }
}
