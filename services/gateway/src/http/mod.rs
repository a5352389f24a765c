//! The routes. Each decodes, makes one call, and encodes.

mod anthropic;
mod encode;
mod endpoint;
mod gemini;
mod inflight;
mod invoke;
mod models;
mod openai;
mod receipts;
mod waiting;

use axum::Router;
use pas_service::openapi;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::ENTRY;
use crate::app::App;
use crate::receipts::Receipts;

/// The routes and their description.
pub fn routes(app: App) -> (Router, OpenApi) {
    let (receipts, of_receipts) = of_receipts(app.receipts().clone());
    let (calls, mut openapi) = described().split_for_parts();
    openapi.merge(of_receipts);
    (calls.merge(endpoint::unsupported()).with_state(app).merge(receipts), openapi)
}

/// Those that tell of receipts alone.
pub fn of_receipts(receipts: Receipts) -> (Router, OpenApi) {
    let (router, openapi) = receipts::described().split_for_parts();
    (router.with_state(receipts), openapi)
}

/// The description of the routes.
pub fn openapi() -> OpenApi {
    let mut openapi = described().into_openapi();
    openapi.merge(receipts::described().into_openapi());
    openapi
}

fn described() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::base(&ENTRY))
        .merge(invoke::described())
        .merge(openai::described())
        .merge(anthropic::described())
        .merge(gemini::described())
        .merge(models::described())
        .merge(inflight::described())
}
