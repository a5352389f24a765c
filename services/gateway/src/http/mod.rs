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
    let (router, openapi) = receipts::described().split_for_parts();
    let (mut all, mut described) = described().split_for_parts();
    all = all.merge(router.with_state(receipts));
    described.merge(openapi);
    (all, described)
}

/// The description of the routes.
pub fn openapi() -> OpenApi {
    let mut openapi = described().into_openapi();
    openapi.merge(receipts::described().into_openapi());
    openapi
}

fn described() -> OpenApiRouter {
    OpenApiRouter::with_openapi(openapi::base(&ENTRY))
}
