//! Pieces of JSON Schema that a derive can't say: the bounds of what is inside a list or a map. A field names one as
//! its `value_type`; none is ever a value.

use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, ObjectBuilder, OneOfBuilder, SchemaType, Type,
};
use utoipa::openapi::{Object, RefOr, Schema};

use crate::limits;

macro_rules! piece {
    ($(#[$doc:meta])* $name:ident = $object:expr) => {
        $(#[$doc])*
        pub(crate) enum $name {}

        impl utoipa::PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                Schema::Object($object).into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

piece! {
    /// A name inside a list.
    Name = text(1, limits::NAME_BYTES, "A name: printable text.", Some(PRINTABLE))
}
piece! {
    /// A sentence or a path inside a list.
    Line = text(1, limits::LINE_BYTES, "A sentence or a path.", None)
}
piece! {
    /// A capability inside a list.
    Capability = text(1, limits::CAPABILITY_BYTES, "A capability: one word.", Some(r"^[^,\s\p{Cc}]+$"))
}
piece! {
    /// A word of a caller's own.
    Word = text(1, limits::CAPABILITY_BYTES, "One word.", Some(r"^[^,\s\p{Cc}]+$"))
}
piece! {
    /// Why something is as it is.
    Reason = text(0, limits::REASON_BYTES, "Why.", None)
}
piece! {
    /// A path in the tree of budgets.
    BudgetPath = text(
        1,
        limits::BUDGET_PATH_BYTES,
        "A path in the tree of budgets: segments, percent-encoded.",
        Some(r"^[^/\s\p{Cc}]+(/[^/\s\p{Cc}]+)*$"),
    )
}
piece! {
    /// A number of tokens.
    Tokens = tokens()
}
piece! {
    /// The labels of a registration.
    LabelMap = map(SchemaType::from_iter([Type::String, Type::Null]), "Labels by key.")
}
piece! {
    /// The labels of a query.
    LabelFilter = map(SchemaType::new(Type::String), "The value that is wanted, by key.")
}

/// Text without control characters.
const PRINTABLE: &str = r"^\P{Cc}*$";

/// A count of ports, or a list of different ones.
pub(crate) fn ports() -> RefOr<Schema> {
    let number = |min: u16, max: usize, description| {
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::Integer))
            .description(Some(description))
            .minimum(Some(min))
            .maximum(Some(max))
    };
    let list = ArrayBuilder::new()
        .description(Some("These."))
        .items(number(1, usize::from(u16::MAX), "The number of a port."))
        .max_items(Some(limits::PORTS))
        .unique_items(true);
    let either = OneOfBuilder::new()
        .description(Some("Network ports: so many, whichever are free, or exactly these."))
        .item(number(0, limits::PORTS, "So many."))
        .item(list);
    Schema::OneOf(either.build()).into()
}

/// A place in the event stream.
pub(crate) fn cursor() -> RefOr<Schema> {
    let description =
        "A place in the event stream, as `3:4711`: epoch and number of an event that has been seen.";
    Schema::Object(text(3, 41, description, Some("^[0-9]+:[0-9]+$"))).into()
}

/// Counts by word.
pub(crate) fn counts(description: &str) -> RefOr<Schema> {
    let count = ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::Integer))
        .minimum(Some(0))
        .maximum(Some(u32::MAX))
        .build();
    let mut map = ObjectBuilder::new()
        .description(Some(description))
        .max_properties(Some(limits::LABELS))
        .additional_properties(Some(AdditionalProperties::RefOr(Schema::Object(count).into())))
        .build();
    let word = text(1, limits::CAPABILITY_BYTES, "A word.", Some(r"^[^,\s\p{Cc}]+$"));
    map.property_names = Some(Box::new(Schema::Object(word)));
    Schema::Object(map).into()
}

fn text(min: usize, max: usize, description: &str, pattern: Option<&str>) -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .description(Some(description))
        .min_length(Some(min))
        .max_length(Some(max))
        .pattern(pattern)
        .build()
}

fn tokens() -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::Integer))
        .description(Some("A number of tokens."))
        .minimum(Some(0))
        .maximum(Some(limits::TOKENS))
        .build()
}

fn map(value_type: SchemaType, description: &str) -> Object {
    let value = ObjectBuilder::new().schema_type(value_type).max_length(Some(limits::LABEL_BYTES)).build();
    let mut map = ObjectBuilder::new()
        .description(Some(description))
        .max_properties(Some(limits::LABELS))
        .additional_properties(Some(AdditionalProperties::RefOr(Schema::Object(value).into())))
        .build();
    map.property_names =
        Some(Box::new(Schema::Object(text(1, limits::NAME_BYTES, "A key.", Some(PRINTABLE)))));
    map
}
