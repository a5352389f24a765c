//! The part `receipts` of the section `gateway`.

use std::path::Path;
use std::time::Duration;

use pas_journal::{Fsync, Options};
use pas_service::config::{self, check_range};
use pas_types::Error;
use pas_types::time::Now;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::line;

/// How long records of calls that began are kept; no call is open as long.
const OPEN_AGE: Duration = Duration::from_secs(24 * 3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// How receipts are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Days that receipts are kept.
    pub keep_days: u64,
    /// Mebibytes of the journal that are kept; beyond it the oldest receipts go.
    pub keep_mb: u64,
    /// Mebibytes of one file of the journal.
    pub segment_mb: u64,
    /// Minutes after which a file of the journal is closed; ages are exact to this.
    pub segment_min: u64,
    /// Milliseconds that a call may take before it is recorded as begun; one that is over sooner has its receipt alone.
    pub open_after_ms: u64,
    /// Keep an index of the receipts, for lists and figures.
    pub index: bool,
    /// Write each receipt into a file of its own, too.
    pub files: bool,
    /// Files that are kept; beyond it the oldest go.
    pub files_kept: u64,
    /// Files a second in the long run, three seconds' worth at once; receipts beyond it have none.
    pub files_per_s: u64,
    /// Tell the event stream of each receipt.
    pub events: bool,
    /// Percent of one core that index, files and events may take while calls come.
    pub follow_percent: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            keep_days: 400,
            keep_mb: 4_096,
            segment_mb: 32,
            segment_min: 60,
            open_after_ms: 5,
            index: true,
            files: true,
            files_kept: 10_000,
            files_per_s: 50,
            events: true,
            follow_percent: 10,
        }
    }
}

impl Config {
    /// Whether receipts can be kept so.
    pub fn validate(&self) -> Result<(), Error> {
        check_range("receipts.keep_days", self.keep_days, 1, 36_500)?;
        check_range("receipts.keep_mb", self.keep_mb, 1, 1_048_576)?;
        check_range("receipts.segment_mb", self.segment_mb, 1, 1_024)?;
        check_range("receipts.segment_min", self.segment_min, 1, 1_440)?;
        check_range("receipts.open_after_ms", self.open_after_ms, 0, 1_000)?;
        check_range("receipts.files_kept", self.files_kept, 1, 1_000_000)?;
        check_range("receipts.files_per_s", self.files_per_s, 1, 10_000)?;
        check_range("receipts.follow_percent", self.follow_percent, 1, 100)
    }

    /// The share of a core, in percent, that each of two may take that follow the journal.
    pub(super) fn share(&self) -> u32 {
        let percent = u32::try_from(self.follow_percent).unwrap_or(100);
        if self.events && (self.index || self.files) { (percent / 2).max(1) } else { percent }
    }

    /// How the journal is opened.
    pub(super) fn journal(&self, directory: &Path, fsync: config::Fsync, now: Now) -> Options {
        let days = u32::try_from(self.keep_days).unwrap_or(u32::MAX);
        Options {
            chained: true,
            fsync: match fsync {
                config::Fsync::Always => Fsync::Always,
                config::Fsync::Interval => Fsync::Interval,
                config::Fsync::Os => Fsync::Os,
            },
            segment_bytes: self.segment_mb << 20,
            segment_age: Duration::from_secs(self.segment_min * 60),
            max_bytes: self.keep_mb << 20,
            classes: line::classes(DAY.saturating_mul(days), OPEN_AGE),
            classify: line::classify,
            ..Options::new(directory, u64::try_from(now.wall.as_second()).unwrap_or(1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_out_of_its_range_is_refused_by_name() {
        let error = Config { follow_percent: 0, ..Config::default() }.validate().unwrap_err();
        let message = "receipts.follow_percent is 0: use a number from 1 to 100";
        assert_eq!(error, Error::invalid("receipts.follow_percent", message));
    }
}
