//! The section `gateway` of the configuration.

use pas_service::config::check_range;
use pas_types::id::is_file_safe;
use pas_types::{Error, catalog};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::receipts;

/// Bytes of an instance's name: with it a call's id must still be one.
const INSTANCE_BYTES: usize = 32;

/// The settings of the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The port to listen on; 0 for a free one.
    pub port: u16,
    /// What ids of calls end with, where more than one gateway runs; empty where one does.
    pub instance: String,
    /// Where the provider router is.
    pub router_url: String,
    /// Threads that carry calls; 0 for as many as there are cores.
    pub threads: usize,
    /// Calls that may be under way at once.
    pub in_flight: usize,
    /// Bytes of an answer that is held whole.
    pub answer_bytes: usize,
    /// Bytes of one event of a stream.
    pub event_bytes: usize,
    /// How receipts are kept.
    pub receipts: receipts::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: catalog::GATEWAY.port,
            instance: String::new(),
            router_url: "http://127.0.0.1:6103".to_owned(),
            threads: 0,
            in_flight: 4096,
            answer_bytes: 32 * 1024 * 1024,
            event_bytes: 8 * 1024 * 1024,
            receipts: receipts::Config::default(),
        }
    }
}

impl Config {
    /// How many threads carry calls.
    pub fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        if self.threads == 0 { cores() } else { self.threads }
    }

    /// Whether the gateway may run with it.
    pub fn validate(&self) -> Result<(), Error> {
        check_range("instance", self.instance.len() as u64, 0, INSTANCE_BYTES as u64)?;
        if !self.instance.is_empty() && !is_file_safe(&self.instance) {
            let message =
                format!("instance is `{}`: use letters, digits, `.`, `_` or `-`, as `a`", self.instance);
            return Err(Error::invalid("instance", message));
        }
        check_range("threads", self.threads as u64, 0, 256)?;
        check_range("in_flight", self.in_flight as u64, 1, 100_000)?;
        check_range("answer_bytes", self.answer_bytes as u64, 1024, 1 << 30)?;
        check_range("event_bytes", self.event_bytes as u64, 1024, 1 << 30)?;
        self.receipts.validate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(Config::default().validate(), Ok(()));
    }

    #[test]
    fn an_instance_that_could_be_no_part_of_a_file_name_is_refused_by_name() {
        let error = Config { instance: "a/b".to_owned(), ..Config::default() }.validate().unwrap_err();
        let message = "instance is `a/b`: use letters, digits, `.`, `_` or `-`, as `a`";
        assert_eq!(error, Error::invalid("instance", message));
    }
}
