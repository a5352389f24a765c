//! What can be asked for as `model`.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use pas_dialects::Family;
use pas_service::web::Json;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::endpoint::family;
use crate::app::App;

pub(super) fn described() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).route("/models", get(list)).route("/v1beta/models", get(list))
}

/// The models that somebody serves, and the named routes; in Anthropic's shape where the request has `anthropic-version`, in
/// Gemini's where it has `x-goog-api-key`.
#[utoipa::path(get, path = "/v1/models", responses((status = 200, description = "All of them", body = serde_json::Value)))]
async fn list(State(app): State<App>, request: Request) -> Response {
    let snapshot = app.snapshots().take();
    let models = snapshot.fleet.model_names();
    let routes = snapshot.table().route_names();
    let named = models.iter().map(|model| (&**model, "model")).chain(routes.map(|route| (route, "route")));
    let value = match family(request.uri().path(), request.headers()) {
        Family::Anthropic => {
            let data: Vec<_> = named
                .map(|(id, _)| json!({"type": "model", "id": id, "display_name": id, "created_at": "1970-01-01T00:00:00Z"}))
                .collect();
            let (first, last) =
                (data.first().map(|model| &model["id"]), data.last().map(|model| &model["id"]));
            json!({"first_id": first, "last_id": last, "has_more": false, "data": data})
        }
        Family::Gemini => {
            let methods = ["generateContent", "streamGenerateContent", "countTokens"];
            let models: Vec<_> = named
                .map(|(id, _)| json!({"name": format!("models/{id}"), "displayName": id, "supportedGenerationMethods": methods}))
                .collect();
            json!({ "models": models })
        }
        Family::OpenAi | Family::Pas => {
            let data: Vec<_> = named
                .map(|(id, kind)| json!({"id": id, "object": "model", "created": 0, "owned_by": format!("pas-{kind}")}))
                .collect();
            json!({"object": "list", "data": data})
        }
    };
    Json(value).into_response()
}
