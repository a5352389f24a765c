//! The section `registry` of the configuration.

use std::time::Duration;

use pas_service::config::check_range;
use pas_types::{Error, catalog, limits};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::core::Tuning;

/// The settings of the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The port to listen on; 0 for a free one.
    pub port: u16,
    /// Milliseconds between two looks at who is silent.
    pub sweep_ms: u64,
    /// Seconds that a service has at least to beat again after the registry started.
    pub boot_grace_s: u64,
    /// Services on the list, at the most.
    pub max_services: usize,
    /// Percent of the services that may be evicted within the window of the eviction brake.
    pub brake_percent: usize,
    /// Seconds of that window.
    pub brake_window_s: u64,
    /// Seconds after which a brake that is on opens by itself.
    pub brake_opens_after_s: u64,
    /// Services remembered after they are gone, at the most.
    pub max_tombstones: usize,
    /// Hours that they are remembered.
    pub tombstone_hours: u64,
}

impl Default for Config {
    fn default() -> Self {
        let tuning = Tuning::default();
        Self {
            port: catalog::REGISTRY.port,
            sweep_ms: tuning.sweep_period.as_millis() as u64,
            boot_grace_s: tuning.grace.as_secs(),
            max_services: tuning.max_services,
            brake_percent: tuning.brake_percent,
            brake_window_s: tuning.brake_window.as_secs(),
            brake_opens_after_s: tuning.brake_opens_after.as_secs(),
            max_tombstones: tuning.max_tombstones,
            tombstone_hours: tuning.tombstone_age.as_secs() / 3600,
        }
    }
}

impl Config {
    /// Whether the registry may run with it.
    pub fn validate(&self) -> Result<(), Error> {
        check_range("sweep_ms", self.sweep_ms, 10, 1_000)?;
        check_range("boot_grace_s", self.boot_grace_s, 1, 3_600)?;
        check_range("max_services", self.max_services as u64, 1, limits::SERVICES as u64)?;
        check_range("brake_percent", self.brake_percent as u64, 1, 100)?;
        check_range("brake_window_s", self.brake_window_s, 1, 3_600)?;
        check_range("brake_opens_after_s", self.brake_opens_after_s, 1, 86_400)?;
        check_range("max_tombstones", self.max_tombstones as u64, 1, 100_000)?;
        check_range("tombstone_hours", self.tombstone_hours, 1, 720)
    }

    /// The numbers in the core's rules.
    pub fn tuning(&self) -> Tuning {
        Tuning {
            sweep_period: Duration::from_millis(self.sweep_ms),
            grace: Duration::from_secs(self.boot_grace_s),
            brake_percent: self.brake_percent,
            brake_window: Duration::from_secs(self.brake_window_s),
            brake_opens_after: Duration::from_secs(self.brake_opens_after_s),
            max_services: self.max_services,
            max_tombstones: self.max_tombstones,
            tombstone_age: Duration::from_secs(self.tombstone_hours * 3600),
            ..Tuning::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_are_the_cores() {
        assert_eq!(Config::default().validate(), Ok(()));
        assert_eq!(Config::default().tuning(), Tuning::default());
    }

    #[test]
    fn a_number_out_of_range_is_refused_by_name() {
        let error = Config { brake_percent: 0, ..Config::default() }.validate().unwrap_err();
        assert_eq!(
            (error.field.as_deref(), error.message.as_str()),
            (Some("brake_percent"), "brake_percent is 0: use a number from 1 to 100")
        );
    }
}
