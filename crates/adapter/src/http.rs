//! The routes: those of the provider, each relayed.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::routing::on;
use http::Method;
use pas_service::openapi;
use pas_service::request::Direct;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{Content, ObjectBuilder, OpenApi, PathItem, RefOr, Required, ResponseBuilder, Schema};

use crate::app::App;
use crate::profile::Profile;
use crate::relay::relay;

/// The routes of a profile.
pub(crate) fn routes(app: &Arc<App>) -> Router {
    let mut router = Router::new();
    for route in app.profile.routes {
        let filter = if route.method == Method::GET {
            axum::routing::MethodFilter::GET
        } else {
            axum::routing::MethodFilter::POST
        };
        let app = Arc::clone(app);
        let handler = async move |request: Request| relay(&app, route, request).await;
        router = router.route(route.path, on(filter, handler));
    }
    router
}

/// Those that need no router: what is sent to just one path.
pub(crate) fn direct(app: &Arc<App>) -> Vec<Direct> {
    let fixed =
        app.profile.routes.iter().filter(|route| route.method == Method::POST && !route.path.contains('{'));
    let direct = fixed.map(|route| {
        let app = Arc::clone(app);
        Direct::post(route.path, move |request| {
            let app = Arc::clone(&app);
            async move { relay(&app, route, request).await }
        })
    });
    direct.collect()
}

/// The description of the routes of a profile.
pub fn openapi(profile: &Profile) -> OpenApi {
    let mut document = openapi::base(&profile.entry);
    for route in profile.routes {
        let object: RefOr<Schema> = Schema::from(ObjectBuilder::new()).into();
        let content = || Content::new(Some(object.clone()));
        let of = format!("As {} documents it ({}).", profile.title, route.dialect);
        let answer = ResponseBuilder::new()
            .description("As the provider answers")
            .content("application/json", content());
        let mut operation = OperationBuilder::new().summary(Some(of)).response("200", answer);
        for parameter in parameters(route.path) {
            let text: RefOr<Schema> = Schema::from(ObjectBuilder::new().schema_type(Type::String)).into();
            let parameter =
                ParameterBuilder::new().name(parameter).parameter_in(ParameterIn::Path).schema(Some(text));
            operation = operation.parameter(parameter.required(Required::True));
        }
        let method = if route.method == Method::GET { HttpMethod::Get } else { HttpMethod::Post };
        if method == HttpMethod::Post {
            operation = operation
                .request_body(Some(RequestBodyBuilder::new().content("application/json", content()).build()));
        }
        let item = PathItem::new(method, operation);
        let path = route.path.replace("{*", "{");
        match document.paths.paths.get_mut(&path) {
            Some(known) => known.merge_operations(item),
            None => drop(document.paths.paths.insert(path, item)),
        }
    }
    document
}

fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| name.trim_start_matches('*'))
}
