//! The routes of OpenAI's dialects; each also without `/v1`, which an SDK's base URL may lack.

use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::endpoint::{Asking, answer};
use crate::app::App;
use crate::call::{Form, Operation};

pub(super) fn described() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(chat))
        .routes(routes!(responses))
        .routes(routes!(count_tokens))
        .routes(routes!(embeddings))
        .route("/chat/completions", post(chat))
        .route("/responses", post(responses))
        .route("/responses/input_tokens", post(count_tokens))
        .route("/embeddings", post(embeddings))
}

/// A chat, as OpenAI spells it: <https://platform.openai.com/docs/api-reference/chat>. `model` is `cap:…`, a named route, a
/// model's id, an alias or a service's name.
#[utoipa::path(post, path = "/v1/chat/completions", request_body = serde_json::Value, responses(
    (status = 200, description = "The answer of whoever was asked, byte for byte", body = serde_json::Value),
    (status = "default", description = "An error in OpenAI's shape", body = serde_json::Value),
))]
async fn chat(State(app): State<App>, request: Request) -> Response {
    answer(app, request, Asking::of("/v1/chat/completions", Operation::Chat)).await
}

/// A response, as OpenAI spells it: <https://platform.openai.com/docs/api-reference/responses>.
#[utoipa::path(post, path = "/v1/responses", request_body = serde_json::Value, responses(
    (status = 200, description = "The answer of whoever was asked, byte for byte", body = serde_json::Value),
    (status = "default", description = "An error in OpenAI's shape", body = serde_json::Value),
))]
async fn responses(State(app): State<App>, request: Request) -> Response {
    answer(app, request, Asking::of("/v1/responses", Operation::Responses)).await
}

/// The tokens of a response's input: <https://platform.openai.com/docs/api-reference/responses/input-tokens>.
#[utoipa::path(post, path = "/v1/responses/input_tokens", request_body = serde_json::Value, responses(
    (status = 200, description = "The answer of whoever was asked, byte for byte", body = serde_json::Value),
    (status = "default", description = "An error in OpenAI's shape", body = serde_json::Value),
))]
async fn count_tokens(State(app): State<App>, request: Request) -> Response {
    let asking = Asking::of("/v1/responses/input_tokens", Operation::CountResponses);
    answer(app, request, Asking { form: Some(Form::Whole), ..asking }).await
}

/// Embeddings, as OpenAI spells them: <https://platform.openai.com/docs/api-reference/embeddings>.
#[utoipa::path(post, path = "/v1/embeddings", request_body = serde_json::Value, responses(
    (status = 200, description = "The answer of whoever was asked, byte for byte", body = serde_json::Value),
    (status = "default", description = "An error in OpenAI's shape", body = serde_json::Value),
))]
async fn embeddings(State(app): State<App>, request: Request) -> Response {
    answer(app, request, Asking::of("/v1/embeddings", Operation::Embeddings)).await
}
