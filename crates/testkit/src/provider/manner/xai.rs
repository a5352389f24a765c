//! xAI. Sources: docs.x.ai/developers/rest-api-reference/inference/models (`/v1/models`, `/v1/language-models`; neither tells how
//! much fits in) and docs.x.ai/developers/debugging (statuses; a wrong key is a 400). Codes and sentences are as they were
//! recorded; those of 5xx nobody has, and ours are our own.

use serde_json::{Value, json};

use super::{Model, message, sentence};
use crate::provider::dialect::Ask;
use crate::provider::script::{Fault, Script};

const CREATED: u64 = 1_763_000_000;
const EXHAUSTED: &str = "Some resource has been exhausted";
const INVALID: &str = "Client specified an invalid argument";

/// One of the short list.
pub(super) fn model(model: &Model) -> Value {
    json!({"id": model.offer.id, "created": CREATED, "object": "model", "owned_by": "xai"})
}

/// The long list.
pub(super) fn language_models(models: &[Model]) -> Value {
    let models = models.iter().map(|model| {
        json!({"id": model.offer.id, "fingerprint": "fp_scripted", "created": CREATED, "object": "model",
            "owned_by": "xai", "version": "1.0", "input_modalities": ["text", "image"], "output_modalities": ["text"],
            "prompt_text_token_price": 20_000, "cached_prompt_text_token_price": 5_000,
            "prompt_image_token_price": 0, "completion_text_token_price": 60_000, "search_price": 0, "aliases": []})
    });
    json!({"models": models.collect::<Vec<_>>()})
}

/// An error: flat, its code a phrase.
pub(super) fn error(ask: &Ask, script: &Script, status: u16) -> Value {
    let (code, usual) = match (script.fault, status, &ask.key) {
        (Some(Fault::ContextTooLong), ..) => (
            "invalid-argument",
            "This model's maximum prompt length is 500000 but the request contains 637815 tokens.".to_owned(),
        ),
        (Some(Fault::Quota), ..) => (
            EXHAUSTED,
            "Your team has either used all available credits or reached its monthly spending limit."
                .to_owned(),
        ),
        // In truth only its ends are told.
        (Some(Fault::UnknownKey), 400, Some(key)) => {
            let text = &key.text;
            let usual = format!(
                "Incorrect API key provided: {text}. You can obtain an API key from https://console.x.ai."
            );
            (INVALID, usual)
        }
        (Some(Fault::UnknownModel), ..) | (_, 404, _) => {
            let usual = format!(
                "The model {} does not exist or your team scripted-team does not have access to it. If you believe this \
                 is a mistake, please contact support and quote your team ID and the model name.",
                ask.model
            );
            ("not-found", usual)
        }
        (_, 401, _) => ("unauthenticated:no-credentials", "No credentials provided".to_owned()),
        (_, 403, _) => ("permission denied", "The caller does not have permission".to_owned()),
        (_, 429, _) => (EXHAUSTED, "Too many requests".to_owned()),
        (_, 400..=499, _) => (INVALID, sentence(status)),
        _ => ("internal", sentence(status)),
    };
    json!({"code": code, "error": message(script, usual)})
}
