//! What the description of every service begins with: who it is, and the routes that the chassis serves for it.

use pas_types::catalog;
use pas_types::health::{Check, Health, HealthStatus};
use utoipa::openapi::path::{HttpMethod, OperationBuilder, PathItem, PathsBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, ResponseBuilder, Schema,
};

const JSON: &str = "application/json";

/// The beginning of the description of `entry`, to which it adds its own routes.
pub fn base(entry: &catalog::Entry) -> OpenApi {
    let health: RefOr<Schema> = Ref::from_schema_name("Health").into();
    let text: RefOr<Schema> = Schema::from(ObjectBuilder::new().schema_type(Type::String)).into();
    let object: RefOr<Schema> = Schema::from(ObjectBuilder::new()).into();
    let well = ("200", "It works, if perhaps not as it should");
    let down = ("503", "It is down, and says why");
    let whole = ("200", "All of it");
    let paths = PathsBuilder::new()
        .path("/health", get("Says how the service is.", JSON, health, &[well, down]))
        .path("/metrics", get("Counts, for Prometheus.", "application/openmetrics-text", text, &[whole]))
        .path("/openapi.json", get("This description.", JSON, object, &[whole]));
    let components =
        ComponentsBuilder::new().schema_from::<Health>().schema_from::<Check>().schema_from::<HealthStatus>();
    let info = InfoBuilder::new().title(entry.name).version(env!("CARGO_PKG_VERSION"));
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components.build())).build()
}

fn get(summary: &str, content_type: &str, schema: RefOr<Schema>, answers: &[(&str, &str)]) -> PathItem {
    let mut operation = OperationBuilder::new().summary(Some(summary));
    for (status, meaning) in answers {
        let content = Content::new(Some(schema.clone()));
        let response = ResponseBuilder::new().description(*meaning).content(content_type, content);
        operation = operation.response(*status, response);
    }
    PathItem::new(HttpMethod::Get, operation)
}
