//! The routes of Anthropic's dialect.

use axum::extract::{Request, State};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::endpoint::{Asking, answer};
use crate::app::App;
use crate::call::{Form, Operation};

pub(super) fn described() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(messages)).routes(routes!(count_tokens))
}

/// A message, as Anthropic spells it: <https://docs.anthropic.com/en/api/messages>.
#[utoipa::path(post, path = "/v1/messages", request_body = serde_json::Value, responses(
    (status = 200, description = "The answer of whoever was asked, byte for byte", body = serde_json::Value),
    (status = "default", description = "An error in Anthropic's shape", body = serde_json::Value),
))]
async fn messages(State(app): State<App>, request: Request) -> Response {
    answer(app, request, Asking::of("/v1/messages", Operation::Messages)).await
}

/// The tokens of a message: <https://docs.anthropic.com/en/api/messages-count-tokens>.
#[utoipa::path(post, path = "/v1/messages/count_tokens", request_body = serde_json::Value, responses(
    (status = 200, description = "The answer of whoever was asked, byte for byte", body = serde_json::Value),
    (status = "default", description = "An error in Anthropic's shape", body = serde_json::Value),
))]
async fn count_tokens(State(app): State<App>, request: Request) -> Response {
    let asking = Asking::of("/v1/messages/count_tokens", Operation::CountTokens);
    answer(app, request, Asking { form: Some(Form::Whole), ..asking }).await
}
