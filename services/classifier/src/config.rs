//! The section `classifier` of the configuration.

use std::path::PathBuf;

use pas_service::config::check_range;
use pas_types::{Error, catalog};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The settings of the classifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The port to listen on; 0 for a free one.
    pub port: u16,
    /// Where the examples lie that it learns from: every file *.jsonl in there.
    #[schema(value_type = String)]
    pub training_dir: PathBuf,
    /// Milliseconds between two looks at whether the examples have changed.
    pub reload_ms: u64,
    /// Long texts that are worked on at the same time, each on a thread of its own.
    pub workers: usize,
    /// Long texts that may wait for that; more are refused.
    pub queue: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: catalog::CLASSIFIER.port,
            training_dir: "config/classifier/train".into(),
            reload_ms: 1_000,
            workers: 2,
            queue: 64,
        }
    }
}

impl Config {
    /// Whether the classifier may run with it.
    pub fn validate(&self) -> Result<(), Error> {
        if self.training_dir.as_os_str().is_empty() {
            let message = "training_dir is empty: name a directory, as config/classifier/train";
            return Err(Error::invalid("training_dir", message));
        }
        check_range("reload_ms", self.reload_ms, 10, 3_600_000)?;
        check_range("workers", self.workers as u64, 1, 64)?;
        check_range("queue", self.queue as u64, 0, 10_000)
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
    fn a_value_out_of_its_range_is_refused_by_name() {
        let error = Config { workers: 0, ..Config::default() }.validate().unwrap_err();
        assert_eq!(error, Error::invalid("workers", "workers is 0: use a number from 1 to 64"));
    }
}
