//! The server of llama.cpp. Source: ggml-org/llama.cpp, tools/server/README.md (`/health`, `/v1/models`, `/props`, errors with
//! an integer for a code, `--api-key`).

use serde_json::{Value, json};

use super::{Model, message, sentence};
use crate::provider::dialect::Ask;
use crate::provider::script::{Fault, Script};

/// One of the list. It tells what the model was trained for, not what it has.
pub(super) fn model(model: &Model) -> Value {
    json!({"id": model.offer.id, "object": "model", "created": 1_763_000_000, "owned_by": "llamacpp",
        "meta": {"vocab_type": 2, "n_vocab": 128_256, "n_ctx_train": model.offer.trained(), "n_embd": 4_096,
            "n_params": 8_030_261_312_u64, "size": 4_912_898_304_u64}})
}

/// What the one model has that is loaded: `n_ctx` is a slot's.
pub(super) fn properties(models: &[Model]) -> Value {
    let offer = models.first().map(|model| &model.offer);
    json!({"default_generation_settings": {"n_ctx": offer.and_then(|offer| offer.context)}, "total_slots": 4,
        "model_path": offer.map(|offer| format!("/models/{}.gguf", offer.id)),
        "modalities": {"vision": false, "audio": false}, "chat_template": "", "build_info": "b9999-scripted",
        "is_sleeping": false})
}

/// An error.
pub(super) fn error(ask: &Ask, script: &Script, status: u16) -> Value {
    let (kind, usual) = match (script.fault, status) {
        (Some(Fault::ContextTooLong), _) => (
            "exceed_context_size_error",
            "request (4170 tokens) exceeds the available context size (4096 tokens), try increasing it"
                .to_owned(),
        ),
        (_, 401) => ("authentication_error", "Invalid API Key".to_owned()),
        (Some(Fault::UnknownModel), _) => ("not_found_error", format!("model '{}' not found", ask.model)),
        (_, 404) => ("not_found_error", "File Not Found".to_owned()),
        (_, 400..=499) => ("invalid_request_error", sentence(status)),
        (_, 501) => ("not_supported_error", "This server does not support it.".to_owned()),
        (_, 503) => ("unavailable_error", "Loading model".to_owned()),
        _ => ("server_error", sentence(status)),
    };
    let mut error = json!({"code": status, "message": message(script, usual), "type": kind});
    if script.fault == Some(Fault::ContextTooLong) {
        error["n_prompt_tokens"] = 4_170.into();
        error["n_ctx"] = 4_096.into();
    }
    json!({ "error": error })
}
