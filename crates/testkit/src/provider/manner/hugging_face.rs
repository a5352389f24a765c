//! The router of Hugging Face. Sources: huggingface.co/docs/inference-providers (the list with its providers, 402) and
//! huggingface/huggingface_hub (2.4.0, `utils/_http.py`). The sentences are as they were recorded; what a provider behind the
//! router says comes through as it is: here in OpenAI's shape, and in vLLM's words when a prompt is too long.

use serde_json::{Value, json};

use super::openai::{INVALID, shape};
use super::{Model, Offer, message, sentence};
use crate::provider::dialect::Ask;
use crate::provider::script::{Fault, Script};

const CREATED: u64 = 1_738_368_000;

/// The list. The last of it is a model that no provider serves.
pub(super) fn models(models: &[Model]) -> Value {
    let unserved = item(&Offer::new("scripted/unserved"), &[provider("together", "staging", Some(4_096))]);
    let data: Vec<_> = models.iter().map(model).chain(models.first().map(|_| unserved)).collect();
    json!({"object": "list", "data": data})
}

/// One of it: two providers serve it, of which one has room for less; one that has room for the least is out of order.
pub(super) fn model(model: &Model) -> Value {
    let context = model.offer.context;
    let providers = [
        provider("together", "live", context.map(|tokens| 4 * tokens)),
        provider("novita", "live", context),
        provider("deepinfra", "error", context.map(|tokens| tokens / 2)),
    ];
    item(&model.offer, &providers)
}

fn item(offer: &Offer, providers: &[Value]) -> Value {
    json!({"id": offer.id, "object": "model", "created": CREATED, "owned_by": "scripted", "providers": providers,
        "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]}})
}

fn provider(name: &str, status: &str, context: Option<u64>) -> Value {
    let mut provider = json!({"provider": name, "status": status, "pricing": {"input": 3, "output": 7},
        "is_free": false, "supports_tools": true, "supports_structured_output": true, "is_model_author": false});
    if let Some(tokens) = context {
        provider["context_length"] = tokens.into();
    }
    provider
}

/// An error: a sentence alone of what concerns the account, an object of the rest.
pub(super) fn error(ask: &Ask, script: &Script, status: u16) -> Value {
    let sentence = match status {
        401 => "Invalid credentials in Authorization header",
        402 => {
            "You have exceeded your monthly included credits for Inference Providers. Subscribe to PRO to get 20x more \
             monthly included credits."
        }
        403 => {
            "This authentication method does not have sufficient permissions to call Inference Providers on behalf of \
             user scripted"
        }
        _ => {
            let (kind, code, param, usual) = match (script.fault, status) {
                (Some(Fault::ContextTooLong), _) => (
                    "BadRequestError",
                    None,
                    None,
                    "This model's maximum context length is 32768 tokens. However, your request has 40000 input tokens. \
                     Please reduce the length of the input messages."
                        .to_owned(),
                ),
                (Some(Fault::UnknownModel), _) | (None, 400) if script.message.is_none() => {
                    let usual = format!(
                        "The requested model '{}' is not supported by any provider you have enabled.",
                        ask.model
                    );
                    (INVALID, Some("model_not_supported"), Some("model"), usual)
                }
                (_, 429) => ("rate_limit_error", None, None, sentence(status)),
                (_, 400..=499) => (INVALID, None, None, sentence(status)),
                _ => ("server_error", None, None, sentence(status)),
            };
            return shape(&message(script, usual), kind, param, code.into());
        }
    };
    json!({"error": message(script, sentence)})
}
