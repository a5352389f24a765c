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
use pas_service::request::Direct;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::ENTRY;
use crate::app::App;
use crate::call::Operation;
use crate::http::endpoint::Asking;
use crate::receipts::Receipts;

/// The routes and their description.
pub fn routes(app: App) -> (Router, OpenApi) {
    let (receipts, of_receipts) = of_receipts(app.receipts().clone());
    let (calls, mut openapi) = described().split_for_parts();
    openapi.merge(of_receipts);
    (calls.merge(endpoint::unsupported()).with_state(app).merge(receipts), openapi)
}

/// The routes by which nearly all calls come.
const DIRECT: [(&str, Operation); 4] = [
    ("/v1/chat/completions", Operation::Chat),
    ("/v1/messages", Operation::Messages),
    ("/v1/responses", Operation::Responses),
    ("/v1/embeddings", Operation::Embeddings),
];

/// Those, to be answered before the router.
pub fn direct(app: &App) -> Vec<Direct> {
    DIRECT
        .map(|(route, operation)| {
            let app = app.clone();
            Direct::post(route, move |request| {
                endpoint::answer(app.clone(), request, Asking::of(route, operation))
            })
        })
        .into()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_answered_before_the_router_is_a_route_of_its_dialect() {
        let openapi = openapi();
        for (route, operation) in DIRECT {
            assert_eq!(operation.path("m", false), route, "as upstream");
            assert!(openapi.paths.paths.get(route).is_some_and(|path| path.post.is_some()), "{route}");
        }
    }
}
