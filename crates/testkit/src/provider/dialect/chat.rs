//! OpenAI's chat completions. Sources: the API reference (developers.openai.com/api/reference, "Chat", "Streaming events")
//! and the types of the official SDK, which are generated from OpenAI's specification (`openai` 3.57.0,
//! `types/chat/chat_completion.py`, `chat_completion_chunk.py`, `types/completion_usage.py`).

use serde_json::{Value, json};

use super::said::Usage;
use super::{Ask, EXTRA_MARK, Frame, Kind, Said};
use crate::provider::script::Stop;

const ID: &str = "chatcmpl-scripted1";
const CREATED: u64 = 1_763_000_000;
const FINGERPRINT: &str = "fp_scripted";

/// A whole answer.
pub(super) fn body(ask: &Ask, said: &Said) -> Value {
    let mut message =
        json!({"role": "assistant", "content": content(said), "refusal": null, "annotations": []});
    if said.is_refused {
        message["refusal"] = "I'm sorry, but I can't help with that.".into();
    }
    if !said.thinking.is_empty() {
        // Not OpenAI's own: what servers that speak its dialect send (vLLM, DeepSeek).
        message["reasoning_content"] = said.thinking.concat().into();
    }
    if !said.calls.is_empty() {
        let calls = said.calls.iter().enumerate().map(|(place, call)| {
            json!({"id": id(place), "type": "function",
                "function": {"name": call.name, "arguments": call.arguments}})
        });
        message["tool_calls"] = calls.collect();
    }
    let mut body = json!({
        "id": ID, "object": "chat.completion", "created": CREATED, "model": ask.model,
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish(said.stop)}],
        "service_tier": "default", "system_fingerprint": FINGERPRINT, "x_extra": EXTRA_MARK,
    });
    if let Some(usage) = said.usage {
        body["usage"] = self::usage(usage);
    }
    body
}

/// A streamed one.
pub(super) fn events(ask: &Ask, said: &Said) -> Vec<Frame> {
    let chunk = |kind, delta: Value, finish: Option<&str>| {
        let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish});
        Frame::data(kind, object(ask, json!([choice])))
    };
    let mut frames =
        vec![chunk(Kind::Prelude, json!({"role": "assistant", "content": "", "refusal": null}), None)];
    frames.extend(
        said.thinking.iter().map(|piece| chunk(Kind::Content, json!({ "reasoning_content": piece }), None)),
    );
    frames.extend(said.text.iter().map(|piece| chunk(Kind::Content, json!({ "content": piece }), None)));
    for (place, call) in said.calls.iter().enumerate() {
        let first = json!({"index": place, "id": id(place), "type": "function",
            "function": {"name": call.name, "arguments": ""}});
        frames.push(chunk(Kind::Content, json!({ "tool_calls": [first] }), None));
        frames.extend(call.argument_pieces().into_iter().map(|piece| {
            let call = json!({"index": place, "function": {"arguments": piece}});
            chunk(Kind::Content, json!({ "tool_calls": [call] }), None)
        }));
    }
    frames.push(chunk(Kind::Closing, json!({}), Some(finish(said.stop))));
    if let (true, Some(usage)) = (ask.include_usage, said.usage) {
        let mut last = object(ask, json!([]));
        last["usage"] = self::usage(usage);
        frames.push(Frame::data(Kind::Closing, last));
    }
    frames.push(Frame::done());
    frames
}

/// A chunk that says nothing.
pub(super) fn nothing(ask: &Ask) -> Frame {
    let choice = json!({"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": null});
    Frame::data(Kind::Content, object(ask, json!([choice])))
}

fn object(ask: &Ask, choices: Value) -> Value {
    let mut chunk = json!({
        "id": ID, "object": "chat.completion.chunk", "created": CREATED, "model": ask.model,
        "service_tier": "default", "system_fingerprint": FINGERPRINT, "choices": choices, "x_extra": EXTRA_MARK,
    });
    if ask.include_usage {
        // Then every chunk has the field, null but in the last one.
        chunk["usage"] = Value::Null;
    }
    chunk
}

fn content(said: &Said) -> Value {
    if said.is_refused || !said.calls.is_empty() && said.text.is_empty() {
        return Value::Null;
    }
    said.whole_text().into()
}

fn id(place: usize) -> String {
    format!("call_scripted{place}")
}

fn finish(stop: Stop) -> &'static str {
    match stop {
        Stop::End => "stop",
        Stop::Tools => "tool_calls",
        Stop::Length => "length",
        Stop::Filter => "content_filter",
    }
}

/// Tokens from a cache are counted among those of the prompt.
fn usage(usage: Usage) -> Value {
    let prompt = usage.input + usage.cache_read + usage.cache_write;
    json!({
        "prompt_tokens": prompt, "completion_tokens": usage.output, "total_tokens": prompt + usage.output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning, "audio_tokens": 0, "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0},
    })
}
