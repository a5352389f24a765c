//! What a receipt holds of what was asked and answered.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::object::only_objects;

/// What was asked and answered: by length and hash, and as text where the policy says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct Content {
    /// The body of the request, as the caller sent it.
    pub request: ContentPart,
    /// The body of the answer, as the caller got it; none when it got none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<ContentPart>,
}

/// One body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct ContentPart {
    /// Its length.
    #[schema(minimum = 0, maximum = 9007199254740991u64)]
    pub bytes: u64,
    /// Its SHA-256 hash. One of the two hashes is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
    /// Its blake3 hash, where it came in one piece and is long, which that is quicker for; earlier receipts have it of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blake3: Option<Digest>,
    /// Itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 262144)]
    pub text: Option<Box<str>>,
    /// Whether `text` is only its beginning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

only_objects!(Content, ContentPart);

/// A hash; 64 hexadecimal digits on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    fn digits(self) -> [u8; 64] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [0; 64];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        digits
    }

    fn read(text: &str) -> Option<Self> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != 32 || !rest.is_empty() {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::read(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("`{text}` is no hash: it has 64 lower-case hexadecimal digits"))
        })
    }
}

impl PartialSchema for Digest {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .description(Some("A hash."))
            .pattern(Some("^[0-9a-f]{64}$"));
        Schema::Object(object.build()).into()
    }
}

impl ToSchema for Digest {}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_hash_comes_back_from_the_wire_as_it_was(bytes: [u8; 32]) {
            let text = Digest(bytes).to_string();
            proptest::prop_assert_eq!(Digest::read(&text), Some(Digest(bytes)));
        }
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        for text in [String::new(), "0".repeat(63), "0".repeat(65), "A".repeat(64), "g".repeat(64)] {
            assert_eq!(Digest::read(&text), None, "{text}");
        }
    }
}
