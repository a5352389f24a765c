//! The routes. Each decodes, makes one call, and encodes.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use pas_service::web::{Failure, Json, Pairs, Segment};
use pas_service::{clock, openapi};
use pas_types::alert::{AckRequest, AlertPage, AlertQuery, HeartbeatAlert, Mute, MutePage, MuteRequest};
use pas_types::error::ErrorEnvelope;
use pas_types::id::AlertId;
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
        .routes(routes!(list))
        .routes(routes!(acknowledge))
        .routes(routes!(mute))
        .routes(routes!(mutes))
}

/// Lists alerts, newest first.
#[utoipa::path(get, path = "/alerts", params(AlertQuery), responses(
    (status = 200, description = "A page of alerts", body = AlertPage),
    (status = 400, description = "A filter that isn't one, or a cursor of no page", body = ErrorEnvelope),
))]
async fn list(State(app): State<Arc<App>>, query: Pairs) -> Answer<AlertPage> {
    let query = AlertQuery::from_pairs(query.iter())?;
    app.page(query).await.map(Json).map_err(failure)
}

/// Takes note of an alert. The first acknowledgement counts; each answers the alert as it is now.
#[utoipa::path(post, path = "/alerts/{alert_id}/ack", params(("alert_id" = AlertId, Path, description = "The alert")),
    request_body(content = Option<AckRequest>, description = "Why, if there is something to say"), responses(
    (status = 200, description = "The alert", body = HeartbeatAlert),
    (status = 400, description = "No id, or a body that isn't one", body = ErrorEnvelope),
    (status = 404, description = "No such alert", body = ErrorEnvelope),
))]
async fn acknowledge(
    State(app): State<Arc<App>>,
    Segment(alert_id): Segment<AlertId>,
    request: Option<Json<AckRequest>>,
) -> Answer<HeartbeatAlert> {
    let request = request.map_or_else(AckRequest::default, |Json(request)| request);
    request.validate()?;
    app.acknowledge(alert_id, request, clock::now()).await.map(Json).map_err(failure)
}

/// Keeps quiet about some alerts for a while. A second mute of the same alerts takes the place of the first.
#[utoipa::path(post, path = "/alerts/mute", request_body = MuteRequest, responses(
    (status = 200, description = "The mute", body = Mute),
    (status = 400, description = "A mute that isn't one, or of everything", body = ErrorEnvelope),
    (status = 409, description = "Too many mutes", body = ErrorEnvelope),
))]
async fn mute(State(app): State<Arc<App>>, Json(request): Json<MuteRequest>) -> Answer<Mute> {
    request.validate()?;
    app.mute(request, clock::now()).await.map(Json).map_err(failure)
}

/// Lists the mutes that are in force.
#[utoipa::path(get, path = "/alerts/mutes", responses((status = 200, description = "The mutes", body = MutePage)))]
async fn mutes(State(app): State<Arc<App>>) -> Json<MutePage> {
    Json(app.mutes(clock::now()).await)
}

fn failure(error: Error) -> Failure {
    Failure(error.into())
}
