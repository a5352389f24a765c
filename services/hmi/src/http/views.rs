//! What the HMI answers itself.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use http::header;
use pas_service::web::{Failure, Json, Pairs};
use pas_types::Error;
use pas_types::error::ErrorEnvelope;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answers::{HealthPage, Hello, ServicesPage};
use crate::app::App;
use crate::core::changes::Cursor;
use crate::core::tree::Node;

pub(super) fn described() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(hello))
        .routes(routes!(services))
        .routes(routes!(tree))
        .routes(routes!(health))
}

/// Says which version this is, and where the services are.
#[utoipa::path(get, path = "/api/hello", responses((status = 200, description = "Where things are", body = Hello)))]
async fn hello(State(app): State<Arc<App>>) -> Json<Hello> {
    Json(app.hello())
}

/// Lists what is registered, as the registry's watch tells it: what changed since a cursor; everything without one, with one
/// of another start of the HMI, or with one from before the oldest removal that is remembered.
#[utoipa::path(get, path = "/api/services",
    params(("since" = Option<String>, Query, description = "The `cursor` of the answer before")), responses(
    (status = 200, description = "What is new, and what is gone", body = ServicesPage),
    (status = 400, description = "No cursor", body = ErrorEnvelope),
))]
async fn services(State(app): State<Arc<App>>, query: Pairs) -> Result<Json<ServicesPage>, Failure> {
    Ok(Json(app.services(since(&query)?)))
}

fn since(query: &Pairs) -> Result<Option<Cursor>, Error> {
    let mut since = None;
    for (key, value) in query.iter() {
        if key != "since" {
            return Err(Error::invalid(key, format!("{key} is no parameter of /api/services: use since")));
        }
        since = Some(value.parse()?);
    }
    Ok(since)
}

/// Shows the agents as a tree, by their labels `parent`: nodes whose `children` are nodes. The root is the swarm, which is as
/// well as the worst of its agents.
#[utoipa::path(get, path = "/api/tree", responses(
    (status = 200, description = "The root; beside what is said here it has `children`, as every node", body = Node),
    (status = 503, description = "The registry can't be asked", body = ErrorEnvelope),
))]
async fn tree(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Failure> {
    let tree = app.tree().await.map_err(|error| Failure(error.into()))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], tree))
}

/// Asks the HMI and those whose view it is how they are, all at once; who says nothing within a second is unreachable.
#[utoipa::path(get, path = "/api/health", responses((status = 200, description = "Each", body = HealthPage)))]
async fn health(State(app): State<Arc<App>>) -> Json<HealthPage> {
    Json(HealthPage { services: app.health().await })
}
