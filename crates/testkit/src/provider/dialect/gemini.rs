//! Gemini's generateContent. Sources: ai.google.dev/api/generate-content (GenerateContentResponse, Candidate, FinishReason,
//! UsageMetadata), ai.google.dev/gemini-api/docs/thinking (parts that are thoughts), and the official SDK (`google-genai`
//! 3.6.1, `types.py`; `_api_client.py` for `alt=sse`). Without `alt=sse` a stream is a JSON array.

use serde_json::{Value, json};

use super::said::Usage;
use super::{Ask, EXTRA_MARK, Frame, Kind, Said};
use crate::provider::script::Stop;

const ID: &str = "scriptedResponse1";

/// A whole answer.
pub(super) fn body(ask: &Ask, said: &Said) -> Value {
    let mut parts = Vec::new();
    if !said.thinking.is_empty() {
        parts.push(json!({"text": said.thinking.concat(), "thought": true}));
    }
    if !said.text.is_empty() {
        parts.push(json!({"text": said.whole_text()}));
    }
    parts.extend(said.calls.iter().enumerate().map(call));
    object(ask, candidate(said, parts, true), said.usage)
}

/// A streamed one. Whatever has a finish reason is the last; there is no other end mark.
pub(super) fn events(ask: &Ask, said: &Said) -> Vec<Frame> {
    let thoughts = said.thinking.iter().map(|piece| json!({"text": piece, "thought": true}));
    let texts = said.text.iter().map(|piece| json!({"text": piece}));
    let parts = thoughts.chain(texts).chain(said.calls.iter().enumerate().map(call));
    let mut frames: Vec<_> = parts
        .map(|part| Frame::data(Kind::Content, object(ask, candidate(said, vec![part], false), said.usage)))
        .collect();
    let last = if said.is_refused { Vec::new() } else { vec![json!({"text": ""})] };
    frames.push(Frame::data(Kind::End, object(ask, candidate(said, last, true), said.usage)));
    frames
}

fn object(ask: &Ask, candidate: Value, usage: Option<Usage>) -> Value {
    let mut object = json!({
        "candidates": [candidate], "modelVersion": ask.model, "responseId": ID, "x_extra": EXTRA_MARK,
    });
    if let Some(usage) = usage {
        object["usageMetadata"] = self::usage(usage);
    }
    object
}

fn candidate(said: &Said, parts: Vec<Value>, is_last: bool) -> Value {
    let mut candidate = json!({"index": 0});
    if !parts.is_empty() {
        candidate["content"] = json!({"role": "model", "parts": parts});
    } else if !said.is_refused {
        candidate["content"] = json!({"role": "model"});
    }
    if is_last {
        candidate["finishReason"] = finish(said.stop).into();
    }
    if is_last && said.is_refused {
        candidate["safetyRatings"] =
            json!([{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": true}]);
    }
    candidate
}

fn call((place, call): (usize, &crate::provider::script::Call)) -> Value {
    json!({"functionCall": {"id": format!("scripted{place}"), "name": call.name, "args": call.value()}})
}

/// Calls of functions have no reason of their own.
fn finish(stop: Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Tools => "STOP",
        Stop::Length => "MAX_TOKENS",
        Stop::Filter => "SAFETY",
    }
}

/// Tokens from a cache are counted among those of the prompt; thoughts are counted apart.
fn usage(usage: Usage) -> Value {
    let prompt = usage.input + usage.cache_read + usage.cache_write;
    let mut metadata = json!({
        "promptTokenCount": prompt, "candidatesTokenCount": usage.output.saturating_sub(usage.reasoning),
        "totalTokenCount": prompt + usage.output,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}],
    });
    if usage.cache_read > 0 {
        metadata["cachedContentTokenCount"] = usage.cache_read.into();
    }
    if usage.reasoning > 0 {
        metadata["thoughtsTokenCount"] = usage.reasoning.into();
    }
    metadata
}
