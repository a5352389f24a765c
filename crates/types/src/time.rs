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

/// A time of a year with four digits as it is on the wire.
struct Spelled([u8; 24]);

impl Spelled {
    /// Done by hand: an answer holds a hundred of them.
    fn new(time: WireTime) -> Option<Self> {
        let (seconds, millis) = (time.as_millis().div_euclid(1000), time.as_millis().rem_euclid(1000));
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = date(days);
        let year = u32::try_from(year).ok().filter(|year| *year <= 9999)?;
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut put = |end: usize, digits: usize, mut number: u32| {
            for place in (end - digits..end).rev() {
                text[place] = b'0' + (number % 10) as u8;
                number /= 10;
            }
        };
        let (second, millis) = (second as u32, millis as u32);
        put(4, 4, year);
        put(7, 2, month);
        put(10, 2, day);
        put(13, 2, second / 3600);
        put(16, 2, second / 60 % 60);
        put(19, 2, second % 60);
        put(23, 3, millis);
        Some(Self(text))
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Year, month and day of a day counted from 1970, counting years from March so that the leap day is the last.
fn date(days: i64) -> (i64, u32, u32) {
    const DAYS_IN_400_YEARS: i64 = 146_097;
    let since_march_of_year_0 = days + 719_468;
    let era = since_march_of_year_0.div_euclid(DAYS_IN_400_YEARS);
    let day_of_era = since_march_of_year_0.rem_euclid(DAYS_IN_400_YEARS);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / (DAYS_IN_400_YEARS - 1)) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 } as u32;
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

impl std::fmt::Display for WireTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match Spelled::new(*self) {
            Some(text) => f.write_str(text.as_str()),
            None => write!(f, "{:.3}", self.0),
        }
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
        match Spelled::new(*self) {
            Some(text) => serializer.serialize_str(text.as_str()),
            None => serializer.collect_str(self),
        }
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

    proptest::proptest! {
        #[test]
        fn a_time_is_spelled_as_the_calendar_has_it(millis in WireTime(Timestamp::MIN).as_millis()..253_402_300_800_000) {
            let time = WireTime::from_millis(millis);
            proptest::prop_assert_eq!(time.to_string(), format!("{:.3}", time.timestamp()));
        }
    }

    #[test]
    fn the_edges_of_years_are_spelled_as_the_calendar_has_them() {
        for text in [
            "-009999-01-02T01:59:59.000Z",
            "0000-02-29T23:59:59.999Z",
            "1900-02-28T23:59:59.999Z",
            "1900-03-01T00:00:00.000Z",
            "1969-12-31T23:59:59.999Z",
            "2000-02-29T00:00:00.000Z",
            "2024-12-31T23:59:59.999Z",
            "9999-12-30T21:59:59.999Z",
        ] {
            let time = WireTime::from(text.parse::<Timestamp>().unwrap());
            assert_eq!(time.to_string(), text);
        }
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
