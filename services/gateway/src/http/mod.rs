//! The routes. Each decodes, makes one call, and encodes.

mod receipts;

use axum::Router;
use pas_service::openapi;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::ENTRY;
use crate::receipts::Receipts;

/// The routes and their description.
pub fn routes(receipts: Receipts) -> (Router, OpenApi) {
    let (router, openapi) = described().split_for_parts();
    (router.with_state(receipts), openapi)
}

/// The description of the routes.
pub fn openapi() -> OpenApi {
    described().into_openapi()
}

fn described() -> OpenApiRouter<Receipts> {
    OpenApiRouter::with_openapi(openapi::base(&ENTRY)).merge(receipts::described())
}
