//! OpenAI. Sources: developers.openai.com/api/docs/guides/error-codes (401, 403, 429 with its codes, 503) and the official SDK
//! (`openai` 3.57.0, `types/model.py`, `types/shared/error_object.py`). It never answers 402. Where the guide has no wording,
//! as for who has no key, the sentence is our own.

use serde_json::{Value, json};

use super::{Model, message, sentence};
use crate::provider::dialect::{Ask, Dialect};
use crate::provider::script::{Fault, Script};

const CREATED: u64 = 1_763_000_000;
pub(super) const INVALID: &str = "invalid_request_error";

/// One of the list. Nothing tells how much fits in.
pub(super) fn model(model: &Model) -> Value {
    json!({"id": model.offer.id, "object": "model", "created": CREATED, "owned_by": "system", "shutdown_date": null})
}

/// An error.
pub(super) fn error(ask: &Ask, script: &Script, status: u16) -> Value {
    let (kind, code, param, usual) = match (script.fault, status) {
        (Some(Fault::ContextTooLong), _) if ask.dialect == Dialect::OpenAiResponses => (
            INVALID,
            Some("context_length_exceeded"),
            Some("input"),
            "Your input exceeds the context window of this model. Please adjust your input and try again."
                .to_owned(),
        ),
        (Some(Fault::ContextTooLong), _) => (
            INVALID,
            Some("context_length_exceeded"),
            Some("messages"),
            "This model's maximum context length is 128000 tokens. However, your messages resulted in 140000 tokens. \
             Please reduce the length of the messages."
                .to_owned(),
        ),
        (Some(Fault::Quota), _) => (
            "insufficient_quota",
            Some("credit_balance_exhausted"),
            None,
            "You exceeded your current quota, please check your plan and billing details.".to_owned(),
        ),
        (Some(Fault::UnknownModel), _) | (_, 404) => {
            let usual = format!("The model `{}` does not exist or you do not have access to it.", ask.model);
            (INVALID, Some("model_not_found"), None, usual)
        }
        (_, 401) => match &ask.key {
            // In truth only its ends are told.
            Some(key) => {
                let usual = format!("Incorrect API key provided: {}.", key.text);
                (INVALID, Some("invalid_api_key"), None, usual)
            }
            None => (INVALID, None, None, "You didn't provide an API key.".to_owned()),
        },
        (_, 403) => {
            (INVALID, Some("unsupported_country_region_territory"), None, "Not supported here.".to_owned())
        }
        (_, 429) => {
            ("requests", Some("rate_limit_exceeded"), None, "Rate limit reached for requests.".to_owned())
        }
        (_, 400..=499) => (INVALID, None, None, sentence(status)),
        (_, 503) => (
            "service_unavailable_error",
            Some("server_is_overloaded"),
            None,
            "Our servers are currently overloaded. Please try again later.".to_owned(),
        ),
        _ => (
            "server_error",
            None,
            None,
            "The server had an error while processing your request.".to_owned(),
        ),
    };
    shape(&message(script, usual), kind, param, code.into())
}

/// The shape that many have taken over from it.
pub(super) fn shape(message: &str, kind: &str, param: Option<&str>, code: Value) -> Value {
    json!({"error": {"message": message, "type": kind, "param": param, "code": code}})
}
