//! Ollama's `/api/chat`. Sources: ollama/ollama, docs/api.md ("Generate a chat completion"), docs/openapi.yaml
//! (`ChatStreamEvent`, `ChatResponse`) and api/types.go (`ChatResponse`, `Metrics`; what is zero there is left out). A stream
//! is JSON, one object a line; the one that is done is the last.

use serde_json::{Value, json};

use super::said::Usage;
use super::{Ask, EXTRA_MARK, Frame, Kind, Said};
use crate::provider::script::Stop;

const CREATED: &str = "2026-10-26T17:14:07.414671Z";

/// A whole answer. Who has no messages has the model loaded, and is told nothing else.
pub(super) fn body(ask: &Ask, said: &Said) -> Value {
    if is_load(ask) {
        return loaded(ask);
    }
    let mut message = json!({"role": "assistant", "content": said.whole_text()});
    if !said.thinking.is_empty() {
        message["thinking"] = said.thinking.concat().into();
    }
    if !said.calls.is_empty() {
        message["tool_calls"] = said.calls.iter().enumerate().map(call).collect();
    }
    done(ask, said, message)
}

/// A streamed one. A call is never in pieces.
pub(super) fn events(ask: &Ask, said: &Said) -> Vec<Frame> {
    if is_load(ask) {
        return vec![Frame::data(Kind::End, loaded(ask))];
    }
    let content = |message| Frame::data(Kind::Content, line(ask, message));
    let thoughts = said
        .thinking
        .iter()
        .map(|piece| content(json!({"role": "assistant", "content": "", "thinking": piece})));
    let texts = said.text.iter().map(|piece| content(json!({"role": "assistant", "content": piece})));
    let calls = said
        .calls
        .iter()
        .enumerate()
        .map(|placed| content(json!({"role": "assistant", "content": "", "tool_calls": [call(placed)]})));
    let last = done(ask, said, json!({"role": "assistant", "content": ""}));
    thoughts.chain(texts).chain(calls).chain([Frame::data(Kind::End, last)]).collect()
}

fn line(ask: &Ask, message: Value) -> Value {
    json!({"model": ask.model, "created_at": CREATED, "message": message, "done": false, "x_extra": EXTRA_MARK})
}

fn is_load(ask: &Ask) -> bool {
    ask.body["messages"].as_array().is_none_or(Vec::is_empty)
}

fn loaded(ask: &Ask) -> Value {
    last(ask, json!({"role": "assistant", "content": ""}), "load")
}

fn last(ask: &Ask, message: Value, reason: &str) -> Value {
    let mut line = line(ask, message);
    line["done"] = true.into();
    line["done_reason"] = reason.into();
    line
}

fn done(ask: &Ask, said: &Said, message: Value) -> Value {
    let mut line = last(ask, message, reason(said.stop));
    if let Some(usage) = said.usage {
        measure(&mut line, usage);
    }
    line
}

/// How long it took, in nanoseconds, and how many tokens. Tokens from a cache are counted among those of the prompt.
fn measure(line: &mut Value, usage: Usage) {
    let prompt = usage.input + usage.cache_read + usage.cache_write;
    let measures = [
        ("total_duration", 174_560_334),
        ("load_duration", 101_397_084),
        ("prompt_eval_count", prompt),
        ("prompt_eval_duration", 13_074_791),
        ("eval_count", usage.output),
        ("eval_duration", 52_479_709),
    ];
    for (name, measure) in measures.into_iter().filter(|(_, measure)| *measure > 0) {
        line[name] = measure.into();
    }
}

/// The arguments are an object.
fn call((place, call): (usize, &crate::provider::script::Call)) -> Value {
    json!({"id": format!("call_scripted{place}"),
        "function": {"index": place, "name": call.name, "arguments": call.value()}})
}

/// Neither calls nor filters have a reason of their own.
fn reason(stop: Stop) -> &'static str {
    match stop {
        Stop::Length => "length",
        Stop::End | Stop::Tools | Stop::Filter => "stop",
    }
}
