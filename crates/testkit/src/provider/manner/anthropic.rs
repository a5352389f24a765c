//! Anthropic. Sources: platform.claude.com/docs/en/api/errors (types, 402, 413, 529), platform.claude.com/docs/en/api/models-list
//! and the official SDK (`anthropic` 2.14.0, `types/model_info.py`, `types/model_list_params.py`, `pagination.py`,
//! `_error_classes.py`). No message is documented to be stable, and those for who has no key, for a model that isn't there and
//! for a limit of the list are not documented at all: nobody may rely on them.

use serde_json::{Map, Value, json};

use super::{Model, message, sentence};
use crate::provider::dialect::{Ask, error::REQUEST_ID, value_of};
use crate::provider::script::{Fault, Script};

/// So many are on a page, unless it is asked for more or less.
const LIMIT: usize = 20;

/// A page of the list.
pub(super) fn models(models: &[Model], ask: &Ask) -> Value {
    let after = value_of(&ask.query, "after_id");
    let begin = after.map_or(0, |after| {
        models.iter().position(|model| model.offer.id == after).map_or(models.len(), |place| place + 1)
    });
    let end = models.len().min(begin + limit(ask).unwrap_or(LIMIT));
    let page = &models[begin..end];
    let id = |model: Option<&Model>| model.map(|model| model.offer.id.clone());
    json!({"data": page.iter().map(model).collect::<Vec<_>>(), "has_more": end < models.len(),
        "first_id": id(page.first()), "last_id": id(page.last())})
}

/// One of it.
pub(super) fn model(model: &Model) -> Value {
    let capabilities: Map<_, _> = [
        "batch",
        "citations",
        "code_execution",
        "context_management",
        "effort",
        "image_input",
        "pdf_input",
        "server_tools",
        "structured_outputs",
        "thinking",
    ]
    .into_iter()
    .map(|name| (name.to_owned(), json!({"supported": true})))
    .collect();
    let offer = &model.offer;
    json!({"type": "model", "id": offer.id, "display_name": offer.id, "created_at": "2025-11-13T00:00:00Z",
        "lifecycle": "active", "line": "scripted", "deprecated_at": null, "retires_at": null,
        "max_input_tokens": offer.context, "max_tokens": offer.output, "capabilities": capabilities})
}

/// How many are wanted, if that is from 1 to 1000; none when it isn't.
pub(super) fn limit(ask: &Ask) -> Option<usize> {
    let Some(limit) = value_of(&ask.query, "limit") else { return Some(LIMIT) };
    limit.parse().ok().filter(|limit| (1..=1_000).contains(limit))
}

/// An error.
pub(super) fn error(ask: &Ask, script: &Script, status: u16) -> Value {
    let is_bearer = ask.key.as_ref().is_some_and(|key| key.is_bearer);
    let (kind, usual) = match (script.fault, status) {
        (Some(Fault::ContextTooLong), _) => {
            ("invalid_request_error", "prompt is too long: 213462 tokens > 200000 maximum".to_owned())
        }
        (Some(Fault::UnknownModel), _) | (_, 404) => ("not_found_error", format!("model: {}", ask.model)),
        (_, 401) => {
            let usual = match &ask.key {
                None => "x-api-key header is required",
                Some(_) if is_bearer => "Invalid bearer token",
                Some(_) => "invalid x-api-key",
            };
            ("authentication_error", usual.to_owned())
        }
        (_, 402) => ("billing_error", "Your credit balance is too low.".to_owned()),
        (_, 403) => {
            ("permission_error", "Your API key does not have permission to use the resource.".to_owned())
        }
        (_, 409) => ("conflict_error", "The request conflicts with the state of the resource.".to_owned()),
        (_, 413) => ("request_too_large", "Request exceeds the maximum size".to_owned()),
        (_, 429) => {
            ("rate_limit_error", "This request would exceed your organization's rate limit.".to_owned())
        }
        (_, 400..=499) => ("invalid_request_error", sentence(status)),
        (_, 504) => ("timeout_error", "Request timed out.".to_owned()),
        (_, 529) => ("overloaded_error", "Overloaded".to_owned()),
        _ => ("api_error", "Internal server error".to_owned()),
    };
    let mut error = json!({"type": kind, "message": message(script, usual)});
    if is_bearer && status == 401 {
        error["details"] = json!({"error_visibility": "user_facing"});
    }
    json!({"type": "error", "error": error, "request_id": REQUEST_ID})
}
