//! The calls that are under way.

use axum::extract::State;
use pas_service::clock;
use pas_service::web::{Failure, Json, Segment};
use pas_types::error::ErrorEnvelope;
use pas_types::flight::{Cancelled, InFlight, InFlightPage};
use pas_types::id::CallId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::error::Error;

pub(super) fn described() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(cancel))
}

/// The calls that are under way, the oldest first.
#[utoipa::path(get, path = "/inflight", responses((status = 200, description = "All of them", body = InFlightPage)))]
async fn list(State(app): State<App>) -> Json<InFlightPage> {
    let now = clock::monotonic();
    let flights = app.in_flight().all();
    let inflight = flights.iter().map(|flight| {
        let (service, model) =
            flight.asked().map(|(service, model)| (service.to_string(), model.to_string())).unzip();
        InFlight {
            run_id: flight.run_id.clone(),
            ts: flight.ts,
            age_ms: u64::try_from(now.saturating_sub(flight.since).as_millis()).unwrap_or(u64::MAX),
            route: flight.route.to_owned(),
            agent: flight.agent.clone(),
            service,
            model,
        }
    });
    Json(InFlightPage { inflight: inflight.collect(), next_cursor: None })
}

/// Ends a call: whoever is asked is left, and the caller is told.
#[utoipa::path(post, path = "/inflight/{run_id}/cancel", params(("run_id" = CallId, Path, description = "The call")), responses(
    (status = 200, description = "It is told to end", body = Cancelled),
    (status = 404, description = "No such call is under way", body = ErrorEnvelope),
))]
async fn cancel(
    State(app): State<App>,
    Segment(run_id): Segment<CallId>,
) -> Result<Json<Cancelled>, Failure> {
    if !app.in_flight().cancel(&run_id) {
        return Err(Failure(Error::NotInFlight(run_id).into()));
    }
    Ok(Json(Cancelled { run_id, cancelling: true }))
}
