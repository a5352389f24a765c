//! A measured time: whole microseconds inside, milliseconds on the wire.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use crate::limits;

/// How long something took. On the wire it is a number of milliseconds, exact to a microsecond.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = f64, minimum = 0, maximum = 1000000000000u64, examples(0.25))]
pub struct Millis(u64);

impl Millis {
    /// So many microseconds.
    pub const fn from_micros(micros: u64) -> Self {
        let most = limits::MILLIS * 1_000;
        Self(if micros < most { micros } else { most })
    }

    /// In microseconds.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// In milliseconds.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1_000.0
    }
}

impl From<Duration> for Millis {
    fn from(duration: Duration) -> Self {
        Self::from_micros(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
    }
}

impl std::fmt::Display for Millis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ms", self.as_millis_f64())
    }
}

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Most are short or whole; a whole number is written without a fraction, and faster.
        if self.0.is_multiple_of(1_000) {
            serializer.serialize_u64(self.0 / 1_000)
        } else {
            serializer.serialize_f64(self.as_millis_f64())
        }
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let millis = f64::deserialize(deserializer)?;
        if (0.0..=limits::MILLIS as f64).contains(&millis) {
            return Ok(Self::from_micros((millis * 1_000.0).round() as u64));
        }
        let message = format!("{millis} is no time in ms: use a number from 0 to {}", limits::MILLIS);
        Err(serde::de::Error::custom(message))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_time_comes_back_from_the_wire_as_it_was(micros in 0..=limits::MILLIS * 1_000) {
            let text = serde_json::to_string(&Millis(micros)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Millis>(&text).unwrap(), Millis(micros));
        }
    }

    #[test]
    fn a_time_is_written_as_short_as_it_is() {
        let written = [0, 20, 512_000, 310_250].map(|micros| serde_json::to_string(&Millis(micros)).unwrap());
        assert_eq!(written, ["0", "0.02", "512", "310.25"]);
    }
}
