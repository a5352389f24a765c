//! Reading a flat event: one object holds the fields that every event may carry and those of its type.
//!
//! Serde's own `flatten` would buffer the whole object, forget where in it a fault is, and let unknown fields pass. Here
//! the fields of the type are read by its derived reader, straight from the text, and the others are drawn off on the
//! way.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::body::{Body, EventType};
use crate::id::{RunId, ServiceId};
use crate::object::AsObject;
use crate::time::WireTime;

/// What every event may carry.
#[derive(Debug, Default)]
pub(super) struct Common {
    pub(super) seq: Option<u64>,
    pub(super) ts: Option<WireTime>,
    pub(super) agent: Option<String>,
    pub(super) run_id: Option<RunId>,
    pub(super) service_id: Option<ServiceId>,
    pub(super) idempotency_key: Option<String>,
}

/// The fields that a publisher may set in every event.
pub(super) const COMMON: [&str; 6] = ["event_type", "ts", "agent", "run_id", "service_id", "idempotency_key"];

/// Reads an event of a known type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flat {
    pub(super) event_type: EventType,
    /// Refuses what a publisher may not send: unknown fields, and a `seq`.
    pub(super) strict: bool,
}

impl<'de> DeserializeSeed<'de> for Flat {
    type Value = (Common, Body);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let mut common = Common::default();
        let split = Split { deserializer, common: &mut common, strict: self.strict };
        let body = Body::read(self.event_type, split)?;
        Ok((common, body))
    }
}

/// Reads the word of an event's type, wherever in the object it stands; empty where there is none.
#[derive(Debug, Clone, Copy)]
pub(super) struct TypeWord;

impl<'de> DeserializeSeed<'de> for TypeWord {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        #[derive(Deserialize)]
        struct Typed<'a> {
            #[serde(borrow, default)]
            event_type: Cow<'a, str>,
        }
        Typed::deserialize(AsObject(deserializer)).map(|typed| typed.event_type)
    }
}

/// Shows a struct its own fields of an object, and keeps the common ones.
struct Split<'c, D> {
    deserializer: D,
    common: &'c mut Common,
    strict: bool,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Split<'_, D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let Self { deserializer, common, strict } = self;
        deserializer.deserialize_map(Drawn { inner: visitor, fields, common, strict })
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.deserializer.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// A visitor, or what it visits, that doesn't get to see the common fields.
struct Drawn<'c, T> {
    inner: T,
    fields: &'static [&'static str],
    common: &'c mut Common,
    strict: bool,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Drawn<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let Self { inner, fields, common, strict } = self;
        inner.visit_map(Drawn { inner: map, fields, common, strict })
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Drawn<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(Text(key)) = self.inner.next_key()? {
            if let Some(field) = self.fields.iter().find(|field| **field == key) {
                return seed.deserialize(BorrowedStrDeserializer::new(field)).map(Some);
            }
            self.draw(&key)?;
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.inner.next_value_seed(seed)
    }
}

impl<'de, A: MapAccess<'de>> Drawn<'_, A> {
    fn draw(&mut self, key: &str) -> Result<(), A::Error> {
        match key {
            // Read already, to know the reader of the type.
            "event_type" => self.inner.next_value::<IgnoredAny>().map(|_| ()),
            "ts" => keep(&mut self.common.ts, "ts", &mut self.inner),
            "agent" => keep(&mut self.common.agent, "agent", &mut self.inner),
            "run_id" => keep(&mut self.common.run_id, "run_id", &mut self.inner),
            "service_id" => keep(&mut self.common.service_id, "service_id", &mut self.inner),
            "idempotency_key" => keep(&mut self.common.idempotency_key, "idempotency_key", &mut self.inner),
            _ if self.strict => Err(A::Error::custom(unknown(key, self.fields))),
            "seq" => keep(&mut self.common.seq, "seq", &mut self.inner),
            _ => self.inner.next_value::<IgnoredAny>().map(|_| ()),
        }
    }
}

fn keep<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    slot: &mut Option<T>,
    key: &'static str,
    map: &mut A,
) -> Result<(), A::Error> {
    if slot.is_some() {
        return Err(A::Error::duplicate_field(key));
    }
    *slot = map.next_value()?;
    Ok(())
}

/// As serde says it of a struct.
fn unknown(key: &str, fields: &[&str]) -> String {
    let legal: Vec<String> = COMMON.iter().chain(fields).map(|field| format!("`{field}`")).collect();
    format!("unknown field `{key}`, expected one of {}", legal.join(", "))
}

/// Text that stays where it is, unless it has an escape in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    /// By hand, since what looks for the place of a fault doesn't see through a derived one.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}
