//! The routes. Each decodes, makes one call, and encodes.

pub mod answers;
mod pages;
mod pass;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use pas_service::openapi;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::ENTRY;
use crate::app::App;
use crate::assets::Asset;
use crate::client::Owner;

/// The routes and their description: those of the HMI itself, the calls that are passed on, and the web interface.
pub fn routes(app: Arc<App>, assets: &'static [Asset]) -> (Router, OpenApi) {
    let policy = pages::Policy::new(app.owners().url(Owner::Events));
    let (own, mut openapi) = described().split_for_parts();
    openapi.merge(pass::openapi());
    let router = own.merge(pass::routes()).with_state(app).merge(pages::routes(assets));
    let guard = move |answer: Response| std::future::ready(policy.put(answer));
    (router.layer(map_response(guard)), openapi)
}

/// The description of the routes.
pub fn openapi() -> OpenApi {
    let mut openapi = described().into_openapi();
    openapi.merge(pass::openapi());
    openapi
}

fn described() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(openapi::base(&ENTRY)).merge(views::described())
}
