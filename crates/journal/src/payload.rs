//! What a caller appends: one JSON object, checked before it is queued, so that the writer can splice without looking.

use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use thiserror::Error;

/// The names at the top of an object that are the journal's own.
const RESERVED: [&str; 4] = ["seq", "more", "prev", "hash"];

/// One JSON object on one line, without the names that the journal adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload(Vec<u8>);

/// Why some bytes are no payload.
#[derive(Debug, Error)]
pub enum PayloadError {
    /// Longer than [`Payload::MAX_BYTES`].
    #[error("a payload has {bytes} bytes, {} are allowed", Payload::MAX_BYTES)]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// A newline or another control byte, which no JSON text needs.
    #[error("a payload has the control byte {byte:#04x} at {at}; a record is one line")]
    ControlByte {
        /// The byte.
        byte: u8,
        /// Where it stands.
        at: usize,
    },
    /// Something stands before its first brace or after its last.
    #[error("a payload begins with `{{` and ends with `}}`")]
    NotBare,
    /// Not one JSON object, or one that uses a reserved name.
    #[error("a payload is one JSON object without `seq`, `more`, `prev` and `hash`")]
    NotAnObject(#[source] serde_json::Error),
}

impl Payload {
    /// The longest payload.
    pub const MAX_BYTES: usize = 32 * 1024 * 1024;

    /// Checks `bytes`; they are kept as they are.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, PayloadError> {
        let bytes = bytes.into();
        if bytes.len() > Self::MAX_BYTES {
            return Err(PayloadError::TooLong { bytes: bytes.len() });
        }
        if let Some(at) = bytes.iter().position(|byte| *byte < 0x20) {
            return Err(PayloadError::ControlByte { byte: bytes[at], at });
        }
        if !bytes.starts_with(b"{") || !bytes.ends_with(b"}") {
            return Err(PayloadError::NotBare);
        }
        match keys(&bytes) {
            // `{ }` is brought to the form after which no comma is written.
            Ok(0) => Ok(Self(b"{}".to_vec())),
            Ok(_) => Ok(Self(bytes)),
            Err(error) => Err(PayloadError::NotAnObject(error)),
        }
    }

    /// What `value` is as JSON, with room for about so many bytes. That it is an object without the journal's own names is
    /// its type's business, and looked at in debug builds alone: what serde has just written need not be read again.
    pub fn of(value: &impl Serialize, room: usize) -> Result<Self, PayloadError> {
        let mut bytes = Vec::with_capacity(room);
        serde_json::to_writer(&mut bytes, value).map_err(PayloadError::NotAnObject)?;
        debug_assert!(Self::new(bytes.clone()).is_ok(), "{}", bytes.escape_ascii());
        match bytes.len() {
            ..=Self::MAX_BYTES => Ok(Self(bytes)),
            bytes => Err(PayloadError::TooLong { bytes }),
        }
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The number of names at the top of an object, none of which is reserved.
fn keys(bytes: &[u8]) -> Result<usize, serde_json::Error> {
    let text = std::str::from_utf8(bytes).map_err(serde_json::Error::custom)?;
    let mut json = serde_json::Deserializer::from_str(text);
    let count = json.deserialize_map(Top)?;
    json.end()?;
    Ok(count)
}

struct Top;

impl<'de> Visitor<'de> for Top {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while map.next_key_seed(Name)?.is_some() {
            map.next_value::<IgnoredAny>()?;
            count += 1;
        }
        Ok(count)
    }
}

struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<(), E> {
        if RESERVED.contains(&name) {
            return Err(E::custom(format_args!("`{name}` is reserved")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_on_one_line_is_kept_as_it_is() {
        for text in ["{\"a\":1}", "{ \"a\" : {\"seq\":1}, \"a\":2 }", "{}"] {
            assert_eq!(Payload::new(text).unwrap().as_bytes(), text.as_bytes());
        }
        assert_eq!(Payload::new("{  }").unwrap().as_bytes(), b"{}");
    }

    #[test]
    fn what_would_break_the_line_is_refused() {
        let refused = |bytes: &[u8]| Payload::new(bytes).unwrap_err();
        assert!(matches!(refused(b"{\"a\":\n1}"), PayloadError::ControlByte { byte: b'\n', at: 5 }));
        assert!(matches!(refused(b"[1]"), PayloadError::NotBare));
        assert!(matches!(refused(b"{\"a\":1} "), PayloadError::NotBare));
        for bytes in [
            &b"{\"a\":1}{}"[..],
            b"{\"a\":1,}",
            b"{\"a\":\"\xff\"}",
            b"{\"seq\":1}",
            b"{\"a\":1,\"more\":true}",
            b"{\"prev\":0}",
            b"{\"ha\\u0073h\":0}",
        ] {
            assert!(matches!(refused(bytes), PayloadError::NotAnObject(_)), "{}", bytes.escape_ascii());
        }
        let long = vec![b' '; Payload::MAX_BYTES + 1];
        assert!(matches!(refused(&long), PayloadError::TooLong { .. }));
    }
}
