//! What a caller sends is an object, and nothing else. Serde's derive also reads a struct from a list of its fields in
//! order: `[]` for one whose fields are all optional.

use serde::de::{Deserializer, Visitor};
use serde::forward_to_deserialize_any;

/// Makes structs that are derived with `#[serde(remote = "Self")]` readable from objects alone.
macro_rules! only_objects {
    ($($name:ident),+ $(,)?) => {
        $(
            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    $name::deserialize($crate::object::AsObject(deserializer))
                }
            }

            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    $name::serialize(self, serializer)
                }
            }
        )+
    };
}

pub(crate) use only_objects;

/// Reads a struct as a map.
pub(crate) struct AsObject<D>(pub(crate) D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for AsObject<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use crate::registry::BrakeRelease;

    #[test]
    fn a_list_is_no_object() {
        assert_eq!(serde_json::from_str::<BrakeRelease>("{}").unwrap(), BrakeRelease::default());
        assert!(serde_json::from_str::<BrakeRelease>("[]").is_err());
    }
}
