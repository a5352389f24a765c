//! The routes. Each decodes, makes one call, and encodes.

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use pas_service::web::{Failure, Json, Pairs, Segment};
use pas_types::catalog;
use pas_types::error::ErrorEnvelope;
use pas_types::id::ServiceId;
use pas_types::registry::{
    AdminOutcome, BrakeRelease, BrakeState, Deregister, Deregistered, DiscoveryPage, DiscoveryQuery,
    Heartbeat, HeartbeatAnswer, Probe, Promote, ReachabilityReport, Registered, Registration, Selector,
    ServiceDetail, ServiceView, path,
};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::error::Refusal;

type Answer<T> = Result<Json<T>, Failure>;

/// The routes and their description.
pub fn routes(app: App) -> (Router, OpenApi) {
    let (router, openapi) = described().split_for_parts();
    (router.with_state(app), openapi)
}

/// The description of the routes.
pub fn openapi() -> OpenApi {
    described().into_openapi()
}

fn described() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(pas_service::openapi::base(&catalog::REGISTRY))
        .routes(routes!(register))
        .routes(routes!(heartbeat))
        .routes(routes!(discover))
        .routes(routes!(service))
        .routes(routes!(promote))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(deregister))
        .routes(routes!(reachability))
        .routes(routes!(release_brake))
}

/// Says that a service exists. Said again, it is the same service, as it describes itself now; its lease stays, unless
/// another `boot_id` says that it is another process, which then fences the old one.
#[utoipa::path(post, path = path::REGISTER, request_body = Registration, responses(
    (status = 201, description = "It is new, or was gone", body = Registered),
    (status = 200, description = "It was known", body = Registered),
    (status = 400, description = "A registration that isn't one", body = ErrorEnvelope),
    (status = 409, description = "It contradicts what is known, or the list is full", body = ErrorEnvelope),
    (status = 503, description = "It can't be written now", body = ErrorEnvelope),
))]
async fn register(
    State(app): State<App>,
    Json(registration): Json<Registration>,
) -> Result<impl IntoResponse, Failure> {
    let (registered, created) = app.register(registration).await.map_err(failure)?;
    Ok((if created { StatusCode::CREATED } else { StatusCode::OK }, Json(registered)))
}

/// Says that a service lives, and how it is.
#[utoipa::path(put, path = path::HEARTBEAT, request_body = Heartbeat, responses(
    (status = 200, description = "When the next beat is wanted", body = HeartbeatAnswer),
    (status = 400, description = "A beat that isn't one", body = ErrorEnvelope),
    (status = 404, description = "It is not registered: register (again)", body = ErrorEnvelope),
    (status = 409, description = "The lease is another process's by now", body = ErrorEnvelope),
))]
async fn heartbeat(State(app): State<App>, Json(beat): Json<Heartbeat>) -> Answer<HeartbeatAnswer> {
    app.beat(&beat).map(Json).map_err(failure)
}

/// Lists the services that fit, sorted by name and id.
#[utoipa::path(get, path = path::DISCOVER, params(DiscoveryQuery), responses(
    (status = 200, description = "A page of services", body = DiscoveryPage),
    (status = 400, description = "A filter that isn't one, or a cursor of no page", body = ErrorEnvelope),
))]
async fn discover(State(app): State<App>, query: Pairs) -> Answer<DiscoveryPage> {
    let query = DiscoveryQuery::from_pairs(query.iter())?;
    app.discover(&query).map(Json).map_err(failure)
}

/// Shows a service and what happened to it; for a day after its end as well.
#[utoipa::path(get, path = path::SERVICE, params(("service_id" = ServiceId, Path, description = "The service")),
    responses(
    (status = 200, description = "The service", body = ServiceDetail),
    (status = 400, description = "No id", body = ErrorEnvelope),
    (status = 404, description = "No such service", body = ErrorEnvelope),
    (status = 503, description = "Its history can't be read now", body = ErrorEnvelope),
))]
async fn service(State(app): State<App>, Segment(id): Segment<ServiceId>) -> Answer<ServiceDetail> {
    app.service(id).await.map(Json).map_err(failure)
}

/// Gives a model or a tool another rung, up or down.
#[utoipa::path(post, path = path::PROMOTE, request_body = Promote, responses(
    (status = 200, description = "The service as it is now", body = ServiceView),
    (status = 400, description = "No rung", body = ErrorEnvelope),
    (status = 404, description = "No such service", body = ErrorEnvelope),
    (status = 422, description = "An agent, or a part of PAS: they have no rungs", body = ErrorEnvelope),
    (status = 503, description = "It can't be written now", body = ErrorEnvelope),
))]
async fn promote(State(app): State<App>, Json(request): Json<Promote>) -> Answer<ServiceView> {
    app.promote(request).await.map(Json).map_err(failure)
}

/// Takes services out of service: one, those of a name, a subtree, or all but PAS itself.
#[utoipa::path(post, path = path::PAUSE, request_body = Selector, responses(
    (status = 200, description = "Who was meant, and who was not paused before", body = AdminOutcome),
    (status = 400, description = "Not exactly one selection", body = ErrorEnvelope),
    (status = 404, description = "Nobody of that id or name", body = ErrorEnvelope),
    (status = 503, description = "It can't be written now", body = ErrorEnvelope),
))]
async fn pause(State(app): State<App>, Json(request): Json<Selector>) -> Answer<AdminOutcome> {
    app.pause(request).await.map(Json).map_err(failure)
}

/// The reverse of a pause.
#[utoipa::path(post, path = path::RESUME, request_body = Selector, responses(
    (status = 200, description = "Who was meant, and who was paused before", body = AdminOutcome),
    (status = 400, description = "Not exactly one selection", body = ErrorEnvelope),
    (status = 404, description = "Nobody of that id or name", body = ErrorEnvelope),
    (status = 503, description = "It can't be written now", body = ErrorEnvelope),
))]
async fn resume(State(app): State<App>, Json(request): Json<Selector>) -> Answer<AdminOutcome> {
    app.resume(request).await.map(Json).map_err(failure)
}

/// Takes a service off the list. Said again, it answers the same.
#[utoipa::path(post, path = path::DEREGISTER, request_body = Deregister, responses(
    (status = 200, description = "Since when and why it is gone", body = Deregistered),
    (status = 400, description = "A request that isn't one", body = ErrorEnvelope),
    (status = 404, description = "No such service", body = ErrorEnvelope),
    (status = 409, description = "The lease is another process's by now", body = ErrorEnvelope),
    (status = 503, description = "It can't be written now", body = ErrorEnvelope),
))]
async fn deregister(State(app): State<App>, Json(request): Json<Deregister>) -> Answer<Deregistered> {
    app.deregister(request).await.map(Json).map_err(failure)
}

/// Says what the monitor's probe of a service found. Answers what is known of its reachability now.
#[utoipa::path(post, path = path::REACHABILITY, request_body = ReachabilityReport, responses(
    (status = 200, description = "What is known now", body = Probe),
    (status = 400, description = "A report that isn't one", body = ErrorEnvelope),
    (status = 404, description = "No such service", body = ErrorEnvelope),
))]
async fn reachability(State(app): State<App>, Json(report): Json<ReachabilityReport>) -> Answer<Probe> {
    app.probed(&report).map(Json).map_err(failure)
}

/// Ends the eviction brake: whom it holds back is taken off the list at once.
#[utoipa::path(post, path = path::BRAKE_RELEASE,
    request_body(content = Option<BrakeRelease>, description = "Why, if there is something to say"), responses(
    (status = 200, description = "Whether it was on, and how many it held back", body = BrakeState),
    (status = 400, description = "A body that isn't one", body = ErrorEnvelope),
    (status = 503, description = "It can't be written now", body = ErrorEnvelope),
))]
async fn release_brake(State(app): State<App>, request: Option<Json<BrakeRelease>>) -> Answer<BrakeState> {
    let request = request.map_or_else(BrakeRelease::default, |Json(request)| request);
    app.release_brake(request).await.map(Json).map_err(failure)
}

fn failure(refusal: Refusal) -> Failure {
    Failure(refusal.into())
}
