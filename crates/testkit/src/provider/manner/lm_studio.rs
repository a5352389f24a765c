//! LM Studio. Sources: lmstudio.ai/docs/developer/openai-compat (`/v1/models`), lmstudio.ai/docs/developer/rest/endpoints
//! (`/api/v0/models`) and lmstudio.ai/docs/developer/rest (`/api/v1/models`). Errors are as they were recorded; where nobody
//! has a sentence, it is our own.

use serde_json::{Value, json};

use super::openai::{INVALID, shape};
use super::{Model, message, sentence};
use crate::provider::dialect::Ask;
use crate::provider::script::{Fault, Script};

const EMBEDDING: &str = "text-embedding-scripted";

/// The list in OpenAI's shape, which tells names alone.
pub(super) fn model(model: &Model) -> Value {
    json!({"id": model.offer.id, "object": "model", "owned_by": "organization_owner"})
}

/// The list of `/api/v0`. The last of it is no model to talk with.
pub(super) fn older(models: &[Model]) -> Value {
    let other = json!({"id": EMBEDDING, "object": "model", "type": "embeddings", "publisher": "scripted",
        "arch": "bert", "compatibility_type": "gguf", "quantization": "Q4_K_M", "state": "not-loaded",
        "max_context_length": 2_048});
    let data = models.iter().map(|model| {
        let state = if model.is_loaded() { "loaded" } else { "not-loaded" };
        let mut item = json!({"id": model.offer.id, "object": "model", "type": "llm", "publisher": "scripted",
            "arch": "llama", "compatibility_type": "gguf", "quantization": "Q4_K_M", "state": state,
            "max_context_length": model.offer.trained(), "capabilities": ["tool_use"]});
        if let Some(tokens) = model.offer.context.filter(|_| model.is_loaded()) {
            item["loaded_context_length"] = tokens.into();
        }
        item
    });
    let other = [other].into_iter().filter(|_| !models.is_empty());
    json!({"object": "list", "data": data.chain(other).collect::<Vec<_>>()})
}

/// The list of `/api/v1`. The last of it is no model to talk with.
pub(super) fn newer(models: &[Model]) -> Value {
    let other = json!({"type": "embedding", "publisher": "scripted", "key": EMBEDDING, "display_name": EMBEDDING,
        "quantization": {"name": "Q4_K_M", "bits_per_weight": 4}, "size_bytes": 84_106_624, "params_string": null,
        "loaded_instances": [], "max_context_length": 2_048, "format": "gguf"});
    let other = [other].into_iter().filter(|_| !models.is_empty());
    let models = models.iter().map(|model| {
        let offer = &model.offer;
        let mut instances = Vec::new();
        if model.is_loaded() {
            let mut config = json!({"parallel": 4});
            if let Some(tokens) = offer.context {
                config["context_length"] = tokens.into();
            }
            instances.push(json!({"id": offer.id, "config": config}));
        }
        json!({"type": "llm", "publisher": "scripted", "key": offer.id, "display_name": offer.id,
            "architecture": "llama", "quantization": {"name": "Q4_K_M", "bits_per_weight": 4},
            "size_bytes": 4_920_000_000_u64, "params_string": "8B", "loaded_instances": instances,
            "max_context_length": offer.trained(), "format": "gguf",
            "capabilities": {"vision": false, "trained_for_tool_use": true}})
    });
    json!({"models": models.chain(other).collect::<Vec<_>>()})
}

/// What is said of a path that isn't there, with status 200: an old quirk, which newer versions may not have.
pub(super) fn unknown_path(method: &str, path: &str) -> Value {
    json!({"error": format!("Unexpected endpoint or method. ({method} {path})")})
}

/// An error.
pub(super) fn error(ask: &Ask, script: &Script, status: u16) -> Value {
    let (kind, param, usual) = match (script.fault, status) {
        (Some(Fault::ContextTooLong), _) => (
            INVALID,
            None,
            "The number of tokens to keep from the initial prompt is greater than the context length (n_keep: 10000, \
             n_ctx: 8192)"
                .to_owned(),
        ),
        (Some(Fault::UnknownModel), 404) | (None, 404) => {
            let usual = format!(
                "Model \"{}\" not found. Please make sure the model is downloaded and available.",
                ask.model
            );
            (INVALID, Some("model"), usual)
        }
        (Some(Fault::UnknownModel), _) => (
            INVALID,
            Some("model"),
            "No models loaded. Please load a model in the developer page or use the 'lms load' command.".to_owned(),
        ),
        (_, 400..=499) => (INVALID, None, sentence(status)),
        _ => ("server_error", None, sentence(status)),
    };
    shape(&message(script, usual), kind, param, Value::Null)
}
