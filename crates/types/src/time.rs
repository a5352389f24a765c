//! Time as a parameter: what a core is told, and how a time looks on the wire.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The present, as a shell reads it and a core is told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Time since a fixed point of this process; never goes back. Deadlines are made of it.
    pub monotonic: Duration,
    /// The time of day; may jump. For display only.
    pub wall: Timestamp,
}

impl Now {
    /// This moment plus `by`, on both clocks.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        let wall = self.wall.checked_add(by).unwrap_or(Timestamp::MAX);
        Self { monotonic: self.monotonic + by, wall }
    }
}

/// A time on the wire: RFC 3339, UTC, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, format = DateTime, examples("2025-11-06T10:30:00.123Z"))]
pub struct WireTime(Timestamp);

impl WireTime {
    /// Milliseconds since 1970, as databases keep it.
    pub fn as_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// The reverse of [`WireTime::as_millis`]; what no calendar has becomes the nearest time that it has.
    pub fn from_millis(millis: i64) -> Self {
        let edge = if millis < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Self(Timestamp::from_millisecond(millis).unwrap_or(edge))
    }

    /// The timestamp.
    pub fn timestamp(self) -> Timestamp {
        self.0
    }
}

impl From<Timestamp> for WireTime {
    fn from(timestamp: Timestamp) -> Self {
        Self::from_millis(timestamp.as_millisecond())
    }
}

impl std::fmt::Display for WireTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl std::str::FromStr for WireTime {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !looks_like_rfc_3339(text) {
            return Err(jiff::Error::from_args(format_args!("not in the form of RFC 3339")));
        }
        text.parse::<Timestamp>().map(Self::from)
    }
}

/// Jiff reads more forms than RFC 3339 has: without separators, without seconds, with a comma, with a zone's name.
fn looks_like_rfc_3339(text: &str) -> bool {
    let text = text.to_ascii_uppercase();
    let bytes = text.as_bytes();
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let offset = &bytes[bytes.len().saturating_sub(6)..];
    separators.iter().all(|(place, separator)| bytes.get(*place) == Some(separator))
        && !text.contains(',')
        && match offset {
            [b'+' | b'-', hours @ .., b':', _, _] => hours < b"24",
            _ => text.ends_with('Z'),
        }
}

impl Serialize for WireTime {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WireTime {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(|_| {
            serde::de::Error::custom(format!(
                "`{text}` is not a time: use RFC 3339, as 2025-11-06T10:30:00.123Z"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_on_the_wire_has_exactly_milliseconds() {
        let time: WireTime = "2025-11-06T10:30:00Z".parse().unwrap();
        assert_eq!(serde_json::to_value(time).unwrap(), serde_json::json!("2025-11-06T10:30:00.000Z"));
    }

    #[test]
    fn what_only_resembles_rfc_3339_is_refused() {
        for text in [
            "2025-11-06",
            "2025-11-06 10:30:00Z",
            "2025-11-06T10:30Z",
            "2025-11-06T10:30:00",
            "2025-11-06T10:30:00,5Z",
            "2025-11-06T10:30:00-24:30",
            "2025-11-06T10:30:00Z[UTC]",
            "20251106T103000Z",
        ] {
            assert!(text.parse::<WireTime>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_in_another_zone_becomes_utc() {
        let time: WireTime = serde_json::from_str("\"2025-11-06T11:30:00.1239+01:00\"").unwrap();
        assert_eq!(time.to_string(), "2025-11-06T10:30:00.123Z");
    }
}
