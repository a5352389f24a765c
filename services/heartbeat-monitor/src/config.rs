//! The section `heartbeat_monitor` of the configuration.

use std::time::Duration;

use pas_service::config::check_range;
use pas_types::{Error, catalog};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::core::{flapping, probes, watchdog};

/// How often the watchdog looks.
const WATCHDOG_PERIOD: Duration = Duration::from_secs(1);

/// The settings of the heartbeat monitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The port to listen on; 0 for a free one.
    pub port: u16,
    /// Seconds that the registry may say nothing; it speaks every 5.
    pub registry_silent_s: u64,
    /// Seconds by which the time of day may jump without an alert.
    pub clock_jump_s: u64,
    /// Changes of status that are flapping, when they come within the window.
    pub flapping_changes: usize,
    /// Seconds of that window.
    pub flapping_window_s: u64,
    /// Seconds between two probes of a service.
    pub probe_interval_s: u64,
    /// Milliseconds within which a probe must be answered.
    pub probe_timeout_ms: u64,
    /// Probes at the same time.
    pub probe_concurrency: usize,
    /// Probes in a row that must fail before a service counts as unreachable.
    pub probe_failures: u32,
    /// Seconds after which the registry is told again what has not changed.
    pub probe_repeat_s: u64,
    /// Alerts that are kept.
    pub keep_alerts: u64,
    /// Days that an alert is kept.
    pub keep_days: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: catalog::HEARTBEAT_MONITOR.port,
            registry_silent_s: 15,
            clock_jump_s: 5,
            flapping_changes: 6,
            flapping_window_s: 600,
            probe_interval_s: 30,
            probe_timeout_ms: 2_000,
            probe_concurrency: 64,
            probe_failures: 2,
            probe_repeat_s: 300,
            keep_alerts: 100_000,
            keep_days: 90,
        }
    }
}

impl Config {
    /// Whether the monitor may run with it.
    pub fn validate(&self) -> Result<(), Error> {
        check_range("registry_silent_s", self.registry_silent_s, 1, 3_600)?;
        check_range("clock_jump_s", self.clock_jump_s, 1, 3_600)?;
        check_range("flapping_changes", self.flapping_changes as u64, 2, 100)?;
        check_range("flapping_window_s", self.flapping_window_s, 1, 86_400)?;
        check_range("probe_interval_s", self.probe_interval_s, 1, 3_600)?;
        check_range("probe_timeout_ms", self.probe_timeout_ms, 10, 60_000)?;
        check_range("probe_concurrency", self.probe_concurrency as u64, 1, 1_024)?;
        check_range("probe_failures", u64::from(self.probe_failures), 1, 100)?;
        check_range("probe_repeat_s", self.probe_repeat_s, 1, 86_400)?;
        check_range("keep_alerts", self.keep_alerts, 1, 10_000_000)?;
        check_range("keep_days", self.keep_days, 1, 3_650)
    }

    /// When the registry's silence and jumps of the clock are said.
    pub fn watchdog(&self) -> watchdog::Rules {
        watchdog::Rules {
            period: WATCHDOG_PERIOD,
            silent_after: Duration::from_secs(self.registry_silent_s),
            clock_jump: Duration::from_secs(self.clock_jump_s),
        }
    }

    /// When a service flaps.
    pub fn flapping(&self) -> flapping::Rules {
        flapping::Rules {
            changes: self.flapping_changes,
            window: Duration::from_secs(self.flapping_window_s),
        }
    }

    /// How probes are spread.
    pub fn probes(&self) -> probes::Rules {
        probes::Rules {
            interval: Duration::from_secs(self.probe_interval_s),
            failures: self.probe_failures,
            repeat_after: Duration::from_secs(self.probe_repeat_s),
        }
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
        let error = Config { probe_interval_s: 0, ..Config::default() }.validate().unwrap_err();
        assert_eq!(
            error,
            Error::invalid("probe_interval_s", "probe_interval_s is 0: use a number from 1 to 3600")
        );
    }
}
