//! The contracts that the outside world relies on: each a Rust type and the JSON Schema that is generated from it.

use pas_types::agent::AgentConfig;
use pas_types::alert::HeartbeatAlert;
use pas_types::event::Event;
use pas_types::invoke::InvokeRequest;
use pas_types::job::JobCard;
use pas_types::receipt::RoutingReceipt;
use pas_types::registry::{DiscoveryQuery, Heartbeat, Registration};
use pas_types::resource::ResourceRequest;
use pas_types::time::WireTime;
use pas_types::{Error, ErrorCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

/// What a Rust type says of a document.
type Judge = dyn Fn(&Value) -> Result<(), Error>;

/// A contract.
pub struct Contract {
    /// Its name, as the outside world knows it.
    pub name: &'static str,
    /// What the Rust type says of a document.
    pub judge: Box<Judge>,
    root: RefOr<Schema>,
    definitions: Vec<(String, RefOr<Schema>)>,
}

/// Every contract.
pub fn contracts() -> [Contract; 10] {
    [
        contract("service_registration", Registration::validate),
        contract("service_heartbeat", Heartbeat::validate),
        contract("service_discovery_query", DiscoveryQuery::validate),
        contract("heartbeat_alert", HeartbeatAlert::validate),
        contract("job_card", JobCard::validate),
        contract("resource_request", ResourceRequest::validate),
        contract("agent_config", AgentConfig::validate),
        contract("invoke_request", InvokeRequest::validate),
        contract("routing_receipt", RoutingReceipt::validate),
        read_by::<Event>("event", |text| Event::read(text, today()).map(|_| ())),
    ]
}

/// A contract whose type is read by its derived reader, and then checked.
fn contract<T: ToSchema + DeserializeOwned + 'static>(
    name: &'static str,
    validate: fn(&T) -> Result<(), Error>,
) -> Contract {
    read_by::<T>(name, move |text| {
        let read = serde_json::from_slice::<T>(text);
        validate(&read.map_err(|error| Error::new(ErrorCode::InvalidArgument, error.to_string()))?)
    })
}

/// A contract whose type is read in a way of its own.
fn read_by<T: ToSchema>(name: &'static str, read: impl Fn(&[u8]) -> Result<(), Error> + 'static) -> Contract {
    let mut definitions = Vec::new();
    T::schemas(&mut definitions);
    // As a service reads it: from text.
    let judge = move |document: &Value| read(document.to_string().as_bytes());
    Contract { name, judge: Box::new(judge), root: T::schema(), definitions }
}

/// The day on which the examples are judged: 2025-11-07.
fn today() -> WireTime {
    WireTime::from_millis(1_762_473_600_000)
}

impl Contract {
    /// The JSON Schema, whole: what it refers to is inside.
    pub fn schema(&self) -> Value {
        let mut schema = json!(self.root);
        if !self.definitions.is_empty() {
            schema["$defs"] =
                self.definitions.iter().map(|(name, schema)| (name.clone(), json!(schema))).collect();
        }
        schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        schema["$id"] = json!(self.file_name());
        schema["title"] = json!(self.name);
        refer_inside(&mut schema);
        schema
    }

    /// The objects that the schema describes, each by a schema that is whole: itself, or each of its alternatives.
    pub fn shapes(&self) -> Vec<Value> {
        let schema = self.schema();
        let Some(alternatives) = schema["oneOf"].as_array() else { return vec![schema] };
        let shape = |alternative: &Value| {
            let name = alternative["$ref"].as_str()?.strip_prefix("#/$defs/")?;
            let mut shape = schema["$defs"][name].clone();
            shape["$defs"] = schema["$defs"].clone();
            Some(shape)
        };
        alternatives.iter().filter_map(shape).collect()
    }

    /// The name of the file that holds the schema.
    pub fn file_name(&self) -> String {
        format!("{}.schema.json", self.name)
    }
}

/// A document as it is checked in: its keys sorted, whatever features of serde_json the build has.
pub fn pretty(mut document: Value) -> String {
    document.sort_all_objects();
    format!("{document:#}\n")
}

/// An OpenAPI document keeps what it refers to in `components`, a JSON Schema in `$defs`.
fn refer_inside(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if key == "$ref" => {
                        *text = text.replace("#/components/schemas/", "#/$defs/")
                    }
                    _ => refer_inside(value),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(refer_inside),
        _ => {}
    }
}
