use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::error::{Error, ErrorCode};
use crate::schema;

/// A place in the event stream: everything up to this event has been seen. On the wire it is `epoch:seq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    /// The life of the journal that `seq` belongs to. Places in different ones can't be compared.
    pub epoch: u64,
    /// The number of the event; 0 is before the first.
    pub seq: u64,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.epoch, self.seq)
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        // `u64` would take a sign as well.
        let number = |digits: &str| digits.parse().ok().filter(|_| !digits.starts_with('+'));
        let (epoch, seq) = text.split_once(':').unwrap_or_default();
        match (number(epoch), number(seq)) {
            (Some(epoch), Some(seq)) => Ok(Self { epoch, seq }),
            _ => {
                let message =
                    format!("`{text}` is not a cursor: use epoch:seq, two whole numbers, as 3:4711");
                Err(Error::new(ErrorCode::InvalidArgument, message))
            }
        }
    }
}

impl Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl PartialSchema for Cursor {
    fn schema() -> RefOr<Schema> {
        schema::cursor()
    }
}

impl ToSchema for Cursor {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_comes_back_from_the_wire_as_it_was(epoch: u64, seq: u64) {
            let cursor = Cursor { epoch, seq };
            let text = serde_json::to_string(&cursor).unwrap();
            prop_assert_eq!(serde_json::from_str::<Cursor>(&text).unwrap(), cursor);
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused_with_what_one_looks_like() {
        for text in
            ["", "4711", ":", "3:", ":4711", "3:+4", "-3:4", "3:4:5", "3:4.0", "3:18446744073709551616"]
        {
            let message = format!("`{text}` is not a cursor: use epoch:seq, two whole numbers, as 3:4711");
            assert_eq!(text.parse::<Cursor>(), Err(Error::new(ErrorCode::InvalidArgument, message)));
        }
    }
}
