//! The section `provider_router` of the configuration.

use std::path::PathBuf;
use std::time::Duration;

use pas_service::config::check_range;
use pas_types::{Error, catalog};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The settings of the provider router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The port to listen on; 0 for a free one.
    pub port: u16,
    /// The file that says which providers and models there are. When it isn't there, what is shipped with this program.
    #[schema(value_type = String)]
    pub matrix: PathBuf,
    /// The file that says by which rules one is chosen. When it isn't there, what is shipped with this program.
    #[schema(value_type = String)]
    pub policies: PathBuf,
    /// Milliseconds between two looks at the files.
    pub look_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: catalog::PROVIDER_ROUTER.port,
            matrix: "config/providers.matrix.json".into(),
            policies: "config/policies.yaml".into(),
            look_ms: 1_000,
        }
    }
}

impl Config {
    /// Whether the router may run with it.
    pub fn validate(&self) -> Result<(), Error> {
        check_range("look_ms", self.look_ms, 10, 60_000)
    }

    /// The time between two looks at the files.
    pub fn look(&self) -> Duration {
        Duration::from_millis(self.look_ms)
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
        let error = Config { look_ms: 0, ..Config::default() }.validate().unwrap_err();
        assert_eq!(error, Error::invalid("look_ms", "look_ms is 0: use a number from 10 to 60000"));
    }
}
