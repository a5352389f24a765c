//! The routes. Each decodes, makes one call, and encodes.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use pas_service::openapi;
use pas_service::web::{Failure, Json};
use pas_types::error::ErrorEnvelope;
use pas_types::routing::{MatrixView, PoliciesView, PricesView, RouteAnswer, RouteRequest};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::ENTRY;
use crate::app::App;
use crate::error::Error;

type Answer<T> = Result<Json<T>, Failure>;

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
    OpenApiRouter::with_openapi(openapi::base(&ENTRY))
        .routes(routes!(route))
        .routes(routes!(matrix))
        .routes(routes!(policies))
        .routes(routes!(prices))
}

/// Says who would be asked, in which order, and who would not, and why. Nothing is called.
#[utoipa::path(post, path = "/route", request_body = RouteRequest, responses(
    (status = 200, description = "Who would be asked; with a refusal when nobody would", body = RouteAnswer),
    (status = 400, description = "A request that isn't one, or a policy that there isn't", body = ErrorEnvelope),
    (status = 503, description = "The files have had faults since the start", body = ErrorEnvelope),
))]
async fn route(State(app): State<Arc<App>>, Json(request): Json<RouteRequest>) -> Answer<RouteAnswer> {
    request.validate()?;
    Ok(Json(app.route(&request)?))
}

/// The providers and models that are known.
#[utoipa::path(get, path = "/matrix", responses(
    (status = 200, description = "What is in force", body = MatrixView),
    (status = 503, description = "The files have had faults since the start", body = ErrorEnvelope),
))]
async fn matrix(State(app): State<Arc<App>>) -> Answer<MatrixView> {
    app.matrix().map(Json).map_err(failure)
}

/// The rules by which one is chosen.
#[utoipa::path(get, path = "/policies", responses(
    (status = 200, description = "What is in force", body = PoliciesView),
    (status = 503, description = "The files have had faults since the start", body = ErrorEnvelope),
))]
async fn policies(State(app): State<Arc<App>>) -> Answer<PoliciesView> {
    app.policies().map(Json).map_err(failure)
}

/// What each model costs.
#[utoipa::path(get, path = "/prices", responses(
    (status = 200, description = "One of each model", body = PricesView),
    (status = 503, description = "The files have had faults since the start", body = ErrorEnvelope),
))]
async fn prices(State(app): State<Arc<App>>) -> Answer<PricesView> {
    app.prices().map(Json).map_err(failure)
}

fn failure(error: Error) -> Failure {
    Failure(error.into())
}
