//! Ollama. Sources: ollama/ollama, docs/api.md (`/api/version`, `/api/tags`, `/api/show`, `/api/ps`, loading by an empty prompt),
//! docs/api/errors.mdx, docs/context-length.mdx, api/types.go (`ListModelResponse`, `ProcessModelResponse`), server/routes.go
//! (messages and statuses), server/prompt.go (what is too long is cut from its beginning) and openai/openai.go (`/v1`).
//!
//! Versions differ in what a prompt that is too long comes to; this one cuts it in silence, unless the request forbids that,
//! and then has the runner's error as text within its own.

use serde_json::{Value, json};

use super::openai::shape;
use super::{Model, message, sentence};
use crate::provider::dialect::{Ask, Dialect};
use crate::provider::script::{Fault, Script};

/// What fits in when nobody says how much, and the machine is a small one.
const CONTEXT: u64 = 4_096;
const DIGEST: &str = "a2af6cc3eb7fa8be8504abaf9b04e88f17a119ec3f04a3addf55f92841195f5a";
const MODIFIED: &str = "2026-10-01T12:00:00Z";
const SIZE: u64 = 3_338_801_804;

/// A name with its tag.
pub(super) fn tagged(name: &str) -> String {
    if name.contains(':') { name.to_owned() } else { format!("{name}:latest") }
}

/// The list in OpenAI's shape; without models, it is null.
pub(super) fn models(models: &[Model]) -> Value {
    let data = models.iter().map(model).collect::<Vec<_>>();
    json!({"object": "list", "data": (!data.is_empty()).then_some(data)})
}

/// One of it.
pub(super) fn model(model: &Model) -> Value {
    json!({"id": tagged(&model.offer.id), "object": "model", "created": 1_763_000_000, "owned_by": "library"})
}

/// What is on disk.
pub(super) fn tags(models: &[Model]) -> Value {
    let models = models.iter().map(|model| {
        let name = tagged(&model.offer.id);
        json!({"name": name, "model": name, "modified_at": MODIFIED, "size": SIZE, "digest": DIGEST,
            "details": details()})
    });
    json!({"models": models.collect::<Vec<_>>()})
}

/// What is in memory, with the room that it really has.
pub(super) fn running(models: &[Model]) -> Value {
    let models = models.iter().filter(|model| model.is_loaded()).map(|model| {
        let name = tagged(&model.offer.id);
        json!({"name": name, "model": name, "size": SIZE, "digest": DIGEST, "details": details(),
            "expires_at": "2026-10-01T12:05:00.1+02:00", "size_vram": SIZE,
            "context_length": model.offer.context.unwrap_or(CONTEXT)})
    });
    json!({"models": models.collect::<Vec<_>>()})
}

/// What is known of a model: what it was trained for, and how much room it is to have, if it wasn't loaded from the start.
pub(super) fn show(model: &Model) -> Value {
    let offer = &model.offer;
    let room = offer.context.filter(|_| !offer.loaded).map(|tokens| format!("{:<30} {tokens}", "num_ctx"));
    let stop = format!("{:<30} \"<end_of_turn>\"", "stop");
    let parameters = room.into_iter().chain([stop]).collect::<Vec<_>>().join("\n");
    json!({"license": "", "modelfile": "", "parameters": parameters, "template": "{{ .Prompt }}", "details": details(),
        "model_info": {"general.architecture": "gemma3", "gemma3.context_length": offer.trained(),
            "gemma3.embedding_length": 2_560},
        "capabilities": ["completion", "tools"], "modified_at": MODIFIED})
}

/// What an empty prompt is answered: the model is in memory.
pub(super) fn loaded(ask: &Ask) -> Value {
    json!({"model": ask.model, "created_at": MODIFIED, "response": "", "done": true, "done_reason": "load"})
}

fn details() -> Value {
    json!({"parent_model": "", "format": "gguf", "family": "gemma3", "families": ["gemma3"], "parameter_size": "4.3B",
        "quantization_level": "Q4_K_M"})
}

/// What becomes of a turn whose words don't fit in: an error when `/api/chat` is told not to cut them, else some of them are
/// read in silence, which is about half of what would fit in.
pub(super) fn fitted(ask: &Ask, context: Option<u64>, script: Script) -> Script {
    let is_native = ask.dialect == Dialect::Ollama;
    let wanted = ask.body["options"]["num_ctx"].as_u64().filter(|_| is_native);
    let (Some(room), words) = (wanted.or(context), words(&ask.body["messages"])) else { return script };
    if words <= room {
        return script;
    }
    if is_native && ask.body["truncate"] == false {
        let message = Some(too_long(words, room));
        return Script { fault: Some(Fault::ContextTooLong), message, ..script };
    }
    Script { input_tokens: room / 2, cache_read_tokens: 0, cache_write_tokens: 0, ..script }
}

/// The words of messages, which stand for tokens here.
fn words(messages: &Value) -> u64 {
    let count = |text: &Value| text.as_str().unwrap_or_default().split_whitespace().count() as u64;
    let messages = messages.as_array().map(Vec::as_slice).unwrap_or_default();
    let contents = messages.iter().map(|message| match &message["content"] {
        Value::Array(parts) => parts.iter().map(|part| count(&part["text"])).sum(),
        content => count(content),
    });
    contents.sum()
}

/// The runner's error, as text.
fn too_long(tokens: u64, room: u64) -> String {
    format!(
        "{{\"error\":{{\"code\":400,\"message\":\"request ({tokens} tokens) exceeds the available context size ({room} \
         tokens), try increasing it\",\"type\":\"exceed_context_size_error\",\"n_prompt_tokens\":{tokens},\
         \"n_ctx\":{room}}}}}"
    )
}

/// An error: a sentence, and on `/v1` an object around it.
pub(super) fn error(ask: &Ask, script: &Script, status: u16) -> Value {
    let is_native = ask.dialect == Dialect::Ollama;
    let usual = match (script.fault, status) {
        (Some(Fault::ContextTooLong), _) => too_long(8_889, CONTEXT),
        (Some(Fault::UnknownModel), _) | (_, 404) => format!("model '{}' not found", ask.model),
        (_, 401) => "unauthorized".to_owned(),
        (_, 499) => "request canceled".to_owned(),
        (_, 503) => "server busy, please try again.  maximum pending requests exceeded".to_owned(),
        (_, 400..=499) => sentence(status),
        _ => "llama runner process has terminated".to_owned(),
    };
    let message = message(script, usual);
    if is_native {
        return json!({ "error": message });
    }
    let kind = match status {
        400 => "invalid_request_error",
        404 => "not_found_error",
        _ => "api_error",
    };
    shape(&message, kind, None, Value::Null)
}
