//! The schema of an event: one strict object for each type, told apart by `event_type`.

use serde_json::json;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, SchemaType, Type};
use utoipa::openapi::{Object, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::Event;
use super::body::{Body, Described, Need};
use crate::id::{RunId, ServiceId};
use crate::schema::Name;
use crate::time::WireTime;

impl PartialSchema for Event {
    fn schema() -> RefOr<Schema> {
        let one_of = OneOfBuilder::new().description(Some("One thing that happened."));
        let types = Body::described().into_iter().map(|described| Ref::from_schema_name(name(&described)));
        Schema::OneOf(types.fold(one_of, OneOfBuilder::item).build()).into()
    }
}

impl ToSchema for Event {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.extend([definition::<WireTime>(), definition::<RunId>(), definition::<ServiceId>()]);
        schemas.push(definition::<Name>());
        for mut described in Body::described() {
            schemas.append(&mut described.definitions);
            schemas.push((name(&described), flat(described)));
        }
    }
}

fn definition<T: ToSchema>() -> (String, RefOr<Schema>) {
    (T::name().into_owned(), T::schema())
}

/// As `HeartbeatEvent`: the fields of the type alone have no name outside this crate.
fn name(described: &Described) -> String {
    let words = described.event_type.as_str().split('_');
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    words.map(capital).collect::<String>() + "Event"
}

/// The object that holds both the fields of a type and those that every event may carry.
fn flat(described: Described) -> RefOr<Schema> {
    let RefOr::T(Schema::Object(mut object)) = described.fields else { return described.fields };
    let needs = |need: Need| described.needs.contains(&need);
    let common = [
        ("ts", property::<WireTime>("When it happened. Left out: when it is received.", false)),
        ("agent", property::<Name>("The agent whose doing it was.", needs(Need::Agent))),
        ("run_id", property::<RunId>("The agent's run.", false)),
        ("service_id", property::<ServiceId>("The service that it is about.", needs(Need::ServiceId))),
        (
            "idempotency_key",
            property::<Name>("What came under the same key already is not kept twice.", false),
        ),
    ];
    let common = common.map(|(name, schema)| (name.to_owned(), schema));
    object.properties.extend([("event_type".to_owned(), type_word(described.event_type.as_str()).into())]);
    object.properties.extend(common);
    object.required.push("event_type".to_owned());
    object.required.extend(described.needs.iter().map(|need| need.as_str().to_owned()));
    object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    Schema::Object(object).into()
}

fn type_word(word: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .description(Some("Its type."))
        .enum_values(Some([json!(word)]))
        .build()
}

/// A reference to the schema of `T`; what may be left out may be null, too.
fn property<T: ToSchema>(description: &str, required: bool) -> RefOr<Schema> {
    let mut reference = Ref::from_schema_name(T::name());
    reference.description = description.to_owned();
    if required {
        return reference.into();
    }
    let null = ObjectBuilder::new().schema_type(SchemaType::new(Type::Null));
    Schema::OneOf(OneOfBuilder::new().item(reference).item(null).build()).into()
}
