//! The section `event_stream` of the configuration.

use std::path::Path;
use std::time::Duration;

use pas_journal::{Fsync, Options};
use pas_service::config::{self, check_range};
use pas_types::event::{Class, Header};
use pas_types::time::Now;
use pas_types::{Error, catalog};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::core::window;

const HOUR: Duration = Duration::from_secs(3_600);

/// The settings of the event stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The port to listen on; 0 for a free one.
    pub port: u16,
    /// Hours that events are kept which say how things stood: heartbeats, status updates, contexts, steps, logs.
    pub keep_short_h: u64,
    /// Hours that all others are kept.
    pub keep_long_h: u64,
    /// Mebibytes of events that are kept; beyond it the oldest go.
    pub keep_mb: u64,
    /// Mebibytes of one file.
    pub segment_mb: u64,
    /// Minutes after which a file is closed; ages are exact to this, or to a 32nd of themselves.
    pub segment_min: u64,
    /// Whether each event carries a hash of the one before, so that a change would show.
    pub chained: bool,
    /// Idempotency keys that are remembered.
    pub keys: usize,
    /// Frames that a Socket.IO client may leave unacknowledged.
    pub window: usize,
    /// Seconds without an acknowledgement after which a Socket.IO client that owes one is cut off.
    pub ack_timeout_s: u64,
    /// Milliseconds between two frames to a Socket.IO client; what comes meanwhile goes together.
    pub frame_ms: u64,
    /// Milliseconds between two frames of gauges.
    pub gauges_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: catalog::EVENT_STREAM.port,
            keep_short_h: 24,
            keep_long_h: 30 * 24,
            keep_mb: 2_048,
            segment_mb: 32,
            segment_min: 60,
            chained: false,
            keys: 100_000,
            window: 32,
            ack_timeout_s: 10,
            frame_ms: 10,
            gauges_ms: 1_000,
        }
    }
}

impl Config {
    /// Whether the event stream may run with it.
    pub fn validate(&self) -> Result<(), Error> {
        check_range("keep_short_h", self.keep_short_h, 1, 87_600)?;
        check_range("keep_long_h", self.keep_long_h, 1, 87_600)?;
        check_range("keep_mb", self.keep_mb, 1, 1_048_576)?;
        check_range("segment_mb", self.segment_mb, 1, 1_024)?;
        check_range("segment_min", self.segment_min, 1, 1_440)?;
        check_range("keys", self.keys as u64, 1_000, 10_000_000)?;
        check_range("window", self.window as u64, 1, 1_024)?;
        check_range("ack_timeout_s", self.ack_timeout_s, 1, 600)?;
        check_range("frame_ms", self.frame_ms, 0, 1_000)?;
        check_range("gauges_ms", self.gauges_ms, 100, 60_000)
    }

    /// How a Socket.IO client's acknowledgements are watched.
    pub fn window(&self) -> window::Rules {
        window::Rules { frames: self.window, patience: Duration::from_secs(self.ack_timeout_s) }
    }

    /// How the journal is opened.
    pub fn journal(&self, directory: &Path, fsync: config::Fsync, now: Now) -> Options {
        let class = |class: Class, hours: u64| pas_journal::Class {
            name: class.as_str(),
            max_age: Some(HOUR.saturating_mul(u32::try_from(hours).unwrap_or(u32::MAX))),
        };
        Options {
            chained: self.chained,
            fsync: match fsync {
                config::Fsync::Always => Fsync::Always,
                config::Fsync::Interval => Fsync::Interval,
                config::Fsync::Os => Fsync::Os,
            },
            segment_bytes: self.segment_mb << 20,
            segment_age: Duration::from_secs(self.segment_min * 60),
            max_bytes: self.keep_mb << 20,
            classes: vec![class(Class::Short, self.keep_short_h), class(Class::Long, self.keep_long_h)],
            classify: |line| match Header::read(line).map(|header| header.event_type.class()) {
                Ok(Class::Short) => 0,
                Ok(Class::Long) => 1,
                // Kept, for nobody knows what it is.
                Err(_) => usize::MAX,
            },
            ..Options::new(directory, u64::try_from(now.wall.as_second()).unwrap_or(1))
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
        let error = Config { window: 0, ..Config::default() }.validate().unwrap_err();
        assert_eq!(error, Error::invalid("window", "window is 0: use a number from 1 to 1024"));
    }
}
