//! Money: whole nano-dollars inside, a decimal number of dollars on the wire.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

const NANOS_PER_USD: u64 = 1_000_000_000;
const DECIMALS: usize = 9;

/// An amount of money in nano-dollars. On the wire it is a number of dollars, exact to a nano-dollar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = f64, minimum = 0, maximum = 8000000, examples(0.25))]
pub struct NanoUsd(u64);

impl NanoUsd {
    /// The largest amount on the wire, eight million dollars: beyond 2^23 a double can no longer tell two neighbouring
    /// nano-dollars apart.
    pub const MAX: Self = Self(8_000_000 * NANOS_PER_USD);

    /// So many nano-dollars, if it is not more than [`NanoUsd::MAX`].
    pub const fn from_nanos(nanos: u64) -> Option<Self> {
        if nanos <= Self::MAX.0 { Some(Self(nanos)) } else { None }
    }

    /// The amount in nano-dollars.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Reads dollars as a JSON number is written, with an exponent or without. Digits beyond the ninth decimal must
    /// be zeros: what can't be kept is refused, not rounded.
    fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_end_matches('0');
        if significant.is_empty() && !digits.is_empty() {
            return Some(Self(0));
        }
        // The place of the last significant digit, counted in nano-dollars.
        let dropped = i32::try_from(digits.len() - significant.len()).ok()?;
        let place = exponent - i32::try_from(fraction.len()).ok()? + dropped + DECIMALS as i32;
        let scale = 10_u64.checked_pow(u32::try_from(place).ok()?)?;
        Self::from_nanos(significant.parse::<u64>().ok()?.checked_mul(scale)?)
    }
}

impl std::fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fraction = format!("{:09}", self.0 % NANOS_PER_USD);
        write!(f, "{}.{:0<2}", self.0 / NANOS_PER_USD, fraction.trim_end_matches('0'))
    }
}

impl Serialize for NanoUsd {
    /// Up to [`NanoUsd::MAX`] both numbers are exact as doubles, so their quotient is the double nearest to the decimal
    /// amount, and the shortest text of that double is the amount again.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0 as f64 / NANOS_PER_USD as f64)
    }
}

impl<'de> Deserialize<'de> for NanoUsd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        Self::parse(&number.to_string()).ok_or_else(|| {
            let message = format!("{number} is no amount in USD: use 0 to 8000000 with at most 9 decimals");
            serde::de::Error::custom(message)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<u64> {
        serde_json::from_str::<NanoUsd>(text).ok().map(NanoUsd::as_nanos)
    }

    proptest! {
        #[test]
        fn an_amount_comes_back_from_the_wire_as_it_was(nanos in 0..=NanoUsd::MAX.0) {
            let amount = NanoUsd(nanos);
            let text = serde_json::to_string(&amount).unwrap();
            prop_assert_eq!(read(&text), Some(nanos));
            prop_assert_eq!(read(&amount.to_string()), Some(nanos));
        }
    }

    #[test]
    fn the_edges_come_back_from_the_wire_as_they_were() {
        for nanos in [0, 1, NANOS_PER_USD - 1, NANOS_PER_USD, NanoUsd::MAX.0 - 1, NanoUsd::MAX.0] {
            assert_eq!(read(&serde_json::to_string(&NanoUsd(nanos)).unwrap()), Some(nanos));
        }
    }

    #[test]
    fn any_way_to_write_a_json_number_is_read_exactly() {
        let cases = [("0", 0), ("0.25", 250_000_000), ("1e-9", 1), ("1.5E3", 1_500 * NANOS_PER_USD)];
        for (text, nanos) in cases {
            assert_eq!(read(text), Some(nanos), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_and_never_rounded() {
        for text in ["-0.01", "1e-10", "0.0000000015", "8000000.000000001", "1e300", "\"1\"", "null"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn an_amount_is_shown_with_at_least_cents() {
        let shown = [0, 1, 250_000_000, 12 * NANOS_PER_USD].map(|nanos| NanoUsd(nanos).to_string());
        assert_eq!(shown, ["0.00", "0.000000001", "0.25", "12.00"]);
    }
}
