//! What isn't a turn: lists of models, counts of tokens, embeddings, and the echo of dialect `pas`.
//!
//! Sources: the API references (developers.openai.com/api/reference, "Models" and "Embeddings";
//! platform.claude.com/docs/en/api/models-list and /messages-count-tokens; ai.google.dev/api/models and /tokens), and the
//! types of the official SDKs (`openai` 3.57.0, `anthropic` 2.14.0, `google-genai` 3.6.1).

use serde_json::{Value, json};

use super::{Ask, Dialect, EXTRA_MARK};

/// The models of each dialect's list.
const MODELS: [&str; 2] = ["scripted-1", "scripted-2"];
/// How long an embedding is when nothing else is asked for.
const DIMENSIONS: u64 = 8;
const CREATED: u64 = 1_763_000_000;

/// The list.
pub(super) fn models(dialect: Dialect) -> Value {
    let list: Vec<_> = MODELS.iter().map(|name| model(dialect, name)).collect();
    match dialect {
        Dialect::Anthropic => {
            json!({"data": list, "has_more": false, "first_id": MODELS[0], "last_id": MODELS[1],
            "x_extra": EXTRA_MARK})
        }
        Dialect::Gemini => json!({"models": list, "x_extra": EXTRA_MARK}),
        _ => json!({"object": "list", "data": list, "x_extra": EXTRA_MARK}),
    }
}

/// One of it.
pub(super) fn model(dialect: Dialect, name: &str) -> Value {
    match dialect {
        Dialect::Anthropic => {
            json!({"type": "model", "id": name, "display_name": name, "lifecycle": "active",
            "created_at": "2025-11-13T00:00:00Z", "max_input_tokens": 200_000, "max_tokens": 64_000})
        }
        Dialect::Gemini => json!({"name": format!("models/{name}"), "version": "1", "displayName": name,
            "description": "scripted", "inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536,
            "supportedGenerationMethods": ["generateContent", "countTokens"]}),
        _ => json!({"id": name, "object": "model", "created": CREATED, "owned_by": "scripted"}),
    }
}

/// As many tokens as the request has words.
pub(super) fn count(ask: &Ask) -> Value {
    let tokens = ask.body.to_string().split_whitespace().count();
    match ask.dialect {
        Dialect::Gemini => json!({"totalTokens": tokens, "x_extra": EXTRA_MARK,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}]}),
        Dialect::OpenAiResponses => {
            json!({"object": "response.input_tokens", "input_tokens": tokens, "x_extra": EXTRA_MARK})
        }
        _ => json!({"input_tokens": tokens, "x_extra": EXTRA_MARK}),
    }
}

/// One for each input. Clients may ask for little-endian floats in base64, which the official SDK does.
pub(super) fn embeddings(ask: &Ask) -> Value {
    let inputs = match &ask.body["input"] {
        Value::Array(inputs) if inputs.iter().all(|input| !input.is_number()) => inputs.len(),
        _ => 1,
    };
    let dimensions = ask.body["dimensions"].as_u64().unwrap_or(DIMENSIONS);
    let data = (0..inputs).map(|index| {
        // Of these numbers each is a float without a remainder.
        let floats: Vec<f32> = (0..dimensions).map(|place| (place as f32 + index as f32) / 64.0).collect();
        let embedding = match ask.body["encoding_format"].as_str() {
            Some("base64") => {
                base64(&floats.iter().flat_map(|float| float.to_le_bytes()).collect::<Vec<_>>()).into()
            }
            _ => json!(floats),
        };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    });
    json!({"object": "list", "data": data.collect::<Vec<_>>(), "model": ask.model, "x_extra": EXTRA_MARK,
        "usage": {"prompt_tokens": inputs * 4, "total_tokens": inputs * 4}})
}

/// What a service of dialect `pas` was sent.
pub(super) fn echo(ask: &Ask) -> Value {
    let text = ["text", "prompt"].iter().find_map(|field| ask.body[field].as_str());
    json!({"echo": ask.body, "text": text.unwrap_or("echo"), "x_extra": EXTRA_MARK})
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let number = (0..3).fold(0, |number, place| number << 8 | u32::from(*three.get(place).unwrap_or(&0)));
        for place in 0..4 {
            let letter = LETTERS[(number >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_its_rfc() {
        let of = |text: &str| base64(text.as_bytes());
        assert_eq!(["", "f", "fo", "foo", "foob"].map(of), ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }
}
