//! The routes of Gemini's dialect. They end with a verb behind a colon, which a model's name may hold as well.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::post;
use pas_dialects::Family;
use pas_types::Error;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::encode;
use super::endpoint::{Asking, answer};
use crate::app::App;
use crate::call::{Form, Operation};

pub(super) fn described() -> OpenApiRouter<App> {
    // Newer SDKs leave the `beta` out.
    OpenApiRouter::new().routes(routes!(generate)).route("/v1/models/{model_and_verb}", post(generate))
}

/// Content, as Gemini spells it: <https://ai.google.dev/api/generate-content>. The verb behind the last colon is
/// `generateContent`, `streamGenerateContent` or `countTokens`.
#[utoipa::path(post, path = "/v1beta/models/{model_and_verb}", request_body = serde_json::Value,
    params(("model_and_verb" = String, Path, description = "A model, a colon and a verb: `gemini-2.5-flash:generateContent`")),
    responses(
    (status = 200, description = "The answer of whoever was asked, byte for byte", body = serde_json::Value),
    (status = "default", description = "An error in Gemini's shape", body = serde_json::Value),
))]
async fn generate(State(app): State<App>, Path(named): Path<String>, request: Request) -> Response {
    let (model, verb) = named.rsplit_once(':').unwrap_or((&named, ""));
    let wants_events =
        request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair == "alt=sse"));
    let (route, operation, form) = match verb {
        "generateContent" => ("/v1beta/models/{model}:generateContent", Operation::Generate, Form::Whole),
        "streamGenerateContent" => {
            let form = if wants_events { Form::Events } else { Form::List };
            ("/v1beta/models/{model}:streamGenerateContent", Operation::Generate, form)
        }
        "countTokens" => ("/v1beta/models/{model}:countTokens", Operation::CountGenerate, Form::Whole),
        other => {
            let other: String = other.chars().take(100).collect();
            let message = format!(
                "there is no `{other}` here: use generateContent, streamGenerateContent or countTokens"
            );
            let request_id = pas_service::request::id().unwrap_or_default();
            return encode::error(Family::Gemini, &Error::not_found(message), &request_id, None);
        }
    };
    answer(app, request, Asking { route, operation, model: Some(model.to_owned()), form: Some(form) }).await
}
