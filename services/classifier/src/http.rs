//! The routes. Each decodes, makes one call, and encodes.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use http::HeaderMap;
use pas_service::web::{Failure, Json, Text};
use pas_service::{json, openapi};
use pas_types::classifier::{Answer, BODY_BYTES, CAPS_HEADER, Invocation};
use pas_types::error::ErrorEnvelope;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::ENTRY;
use crate::app::App;

/// The routes and their description.
pub fn routes(app: Arc<App>) -> (Router, OpenApi) {
    let (router, openapi) = described().split_for_parts();
    (router.with_state(app), openapi)
}

/// The description of the routes.
pub fn openapi() -> OpenApi {
    described().into_openapi()
}

fn described() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(openapi::base(&ENTRY)).routes(routes!(invoke))
}

/// Says what a text is about, or says it in short.
#[utoipa::path(post, path = "/invoke", request_body = Invocation,
    params(("x-pas-caps" = Option<String>, Header,
        description = "The capabilities that the call requires, with commas; the first that is a task is done, unless the body names one")),
    responses(
    (status = 200, description = "The answer", body = Answer),
    (status = 400, description = "Not an invocation; `field` says where", body = ErrorEnvelope),
    (status = 413, description = "A text of more than 1 MiB, or a body of more than 2 MiB", body = ErrorEnvelope),
    (status = 503, description = "Too many long texts wait, or nothing has been learned", body = ErrorEnvelope),
))]
async fn invoke(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Text(body): Text<{ BODY_BYTES }>,
) -> Result<Json<Answer>, Failure> {
    let order = json::parse::<Invocation>(&body)?.order(&caps(&headers))?;
    app.invoke(order).await.map(Json).map_err(|error| Failure(error.into()))
}

/// The capabilities that the call requires, as far as they can be read.
fn caps(headers: &HeaderMap) -> String {
    let lists = headers.get_all(CAPS_HEADER).iter().filter_map(|list| list.to_str().ok());
    lists.collect::<Vec<_>>().join(",")
}
