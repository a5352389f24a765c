//! The description of what is passed on. What goes in and comes out is described by its owner.

use pas_types::error::ErrorEnvelope;
use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem, PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{
    ComponentsBuilder, Content, OpenApi, OpenApiBuilder, Ref, RefOr, Required, ResponseBuilder, Schema,
};

use crate::client::{Kind, PASSED, Passed};

const JSON: &str = "application/json";

/// The paths of all of them.
pub(in crate::http) fn openapi() -> OpenApi {
    let mut paths = PathsBuilder::new();
    for passed in PASSED {
        paths = paths.path(passed.path_here(), item(passed));
    }
    let components = ComponentsBuilder::new().schema_from::<ErrorEnvelope>().build();
    OpenApiBuilder::new().paths(paths).components(Some(components)).build()
}

fn item(passed: Passed) -> PathItem {
    let (method, who) = (passed.method(), passed.owner.spoken());
    let described = format!(
        "Query, body and answer are those of `{method} {}` of the {who}, whose description has them.{}",
        passed.path,
        more(passed.kind)
    );
    let mut operation = OperationBuilder::new()
        .summary(Some(format!("Passed on to the {who}.")))
        .description(Some(described))
        .response("default", ResponseBuilder::new().description(format!("What the {who} answers")))
        .response("503", refusal("The owner can't be reached"));
    for name in passed.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
        operation = operation.parameter(parameter.required(Required::True).schema(Some(text)));
    }
    let method = match passed.kind {
        Kind::Read => HttpMethod::Get,
        Kind::Ask | Kind::Act | Kind::Cancel | Kind::Acknowledge | Kind::Mute => {
            let content = Content::new(Some(RefOr::<Schema>::T(ObjectBuilder::new().into())));
            operation = operation
                .request_body(Some(RequestBodyBuilder::new().content(JSON, content).build()))
                .response("502", refusal("The owner broke off: it may have been carried out"))
                .response("504", refusal("The owner did not answer in time: it may have been carried out"));
            HttpMethod::Post
        }
    };
    if matches!(passed.kind, Kind::Act | Kind::Cancel) {
        operation = operation.response("400", refusal("It doesn't say why"));
    }
    PathItem::new(method, operation)
}

/// What is done here beside passing it on.
fn more(kind: Kind) -> &'static str {
    match kind {
        Kind::Read | Kind::Ask => "",
        Kind::Act => " Here, `reason` must be said.",
        Kind::Cancel => {
            " Here, the body is `{\"reason\": …}`, which is not passed on, but told the event stream."
        }
        Kind::Acknowledge | Kind::Mute => " The event stream is told of it.",
    }
}

fn refusal(meaning: &str) -> ResponseBuilder {
    let content = Content::new(Some(RefOr::<Schema>::Ref(Ref::from_schema_name("ErrorEnvelope"))));
    ResponseBuilder::new().description(meaning).content(JSON, content)
}
