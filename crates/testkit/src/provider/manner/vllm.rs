//! vLLM. Sources: docs.vllm.ai/en/latest/serving/openai_compatible_server.html and vllm-project/vllm, its OpenAI server's protocol
//! (`ModelCard.max_model_len`, errors in an object with an integer for a code) and `AuthenticationMiddleware` (401).

use serde_json::{Value, json};

use super::openai::shape;
use super::{Model, message, sentence};
use crate::provider::dialect::Ask;
use crate::provider::script::{Fault, Script};

/// One of the list: what goes in and what comes out share `max_model_len`.
pub(super) fn model(model: &Model) -> Value {
    let id = &model.offer.id;
    json!({"id": id, "object": "model", "created": 1_763_000_000, "owned_by": "vllm", "root": id, "parent": null,
        "max_model_len": model.offer.context, "permission": []})
}

/// An error.
pub(super) fn error(ask: &Ask, script: &Script, status: u16) -> Value {
    let (kind, param, usual) = match (script.fault, status) {
        (_, 401) => return json!({"error": message(script, "Unauthorized")}),
        (Some(Fault::ContextTooLong), _) => (
            "BadRequestError",
            None,
            "This model's maximum context length is 32768 tokens. However, your request has 40000 input tokens. Please \
             reduce the length of the input messages."
                .to_owned(),
        ),
        (Some(Fault::UnknownModel), _) | (_, 404) => {
            ("NotFoundError", Some("model"), format!("The model `{}` does not exist.", ask.model))
        }
        (_, 400..=499) => ("BadRequestError", None, sentence(status)),
        _ => ("InternalServerError", None, sentence(status)),
    };
    shape(&message(script, usual), kind, param, status.into())
}
