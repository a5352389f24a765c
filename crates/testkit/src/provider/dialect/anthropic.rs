//! Anthropic's messages. Sources: platform.claude.com/docs/en/build-with-claude/streaming (the order of events, pings, deltas
//! of text, of a tool's input and of thoughts with their signature), platform.claude.com/docs/en/api/messages, and the types
//! of the official SDK (`anthropic` 2.14.0, `types/message.py`, `raw_*_event.py`, `usage.py`, `stop_reason.py`).

use serde_json::{Value, json};

use super::said::Usage;
use super::{Ask, EXTRA_MARK, Frame, Kind, Said};
use crate::provider::script::Stop;

const ID: &str = "msg_scripted1";
/// Of a thought; only its maker can check it.
const SIGNATURE: &str = "EqQBCgIYAhIkc2NyaXB0ZWQgc2lnbmF0dXJl";

/// A whole answer.
pub(super) fn body(ask: &Ask, said: &Said) -> Value {
    let mut content = Vec::new();
    if !said.thinking.is_empty() {
        content.push(json!({"type": "thinking", "thinking": said.thinking.concat(), "signature": SIGNATURE}));
    }
    if !said.text.is_empty() {
        content.push(json!({"type": "text", "text": said.whole_text()}));
    }
    content.extend(said.calls.iter().enumerate().map(|(place, call)| {
        json!({"type": "tool_use", "id": id(place), "name": call.name, "input": call.value()})
    }));
    let mut message = message(ask, said, content.into());
    message["stop_reason"] = stop(said.stop).into();
    if said.is_refused {
        message["stop_details"] = refusal();
    }
    if let Some(usage) = said.usage {
        message["usage"] = self::usage(usage, usage.output);
    }
    message
}

/// A streamed one.
pub(super) fn events(ask: &Ask, said: &Said) -> Vec<Frame> {
    let mut start = message(ask, said, json!([]));
    if let Some(usage) = said.usage {
        start["usage"] = self::usage(usage, 1);
    }
    let mut blocks = Blocks {
        frames: vec![Frame::named(
            Kind::Prelude,
            "message_start",
            json!({"type": "message_start", "message": start}),
        )],
        index: 0,
    };
    if !said.thinking.is_empty() {
        let empty = json!({"type": "thinking", "thinking": "", "signature": ""});
        let thoughts = said.thinking.iter().map(|piece| json!({"type": "thinking_delta", "thinking": piece}));
        let signature = json!({"type": "signature_delta", "signature": SIGNATURE});
        blocks.add(Kind::Prelude, empty, thoughts.chain([signature]));
    }
    if !said.text.is_empty() {
        let deltas = said.text.iter().map(|piece| json!({"type": "text_delta", "text": piece}));
        blocks.add(Kind::Prelude, json!({"type": "text", "text": ""}), deltas);
    }
    for (place, call) in said.calls.iter().enumerate() {
        let empty = json!({"type": "tool_use", "id": id(place), "name": call.name, "input": {}});
        let pieces = std::iter::once(String::new()).chain(call.argument_pieces());
        let deltas = pieces.map(|piece| json!({"type": "input_json_delta", "partial_json": piece}));
        blocks.add(Kind::Content, empty, deltas);
    }
    let mut delta = json!({"stop_reason": stop(said.stop), "stop_sequence": null});
    if said.is_refused {
        delta["stop_details"] = refusal();
    }
    let mut end = json!({"type": "message_delta", "delta": delta});
    if let Some(usage) = said.usage {
        end["usage"] = self::usage(usage, usage.output);
    }
    let mut frames = blocks.frames;
    frames.push(Frame::named(Kind::Closing, "message_delta", end));
    frames.push(Frame::named(Kind::End, "message_stop", json!({"type": "message_stop"})));
    frames
}

struct Blocks {
    frames: Vec<Frame>,
    index: usize,
}

impl Blocks {
    fn add(&mut self, kind: Kind, empty: Value, deltas: impl Iterator<Item = Value>) {
        let index = self.index;
        self.frames.push(Frame::named(
            kind,
            "content_block_start",
            json!({"type": "content_block_start", "index": index, "content_block": empty}),
        ));
        self.frames.extend(deltas.map(|delta| {
            let event =
                json!({"type": "content_block_delta", "index": index, "delta": delta, "x_extra": EXTRA_MARK});
            Frame::named(Kind::Content, "content_block_delta", event)
        }));
        let stop = json!({"type": "content_block_stop", "index": index});
        self.frames.push(Frame::named(Kind::Prelude, "content_block_stop", stop));
        self.index += 1;
    }
}

fn message(ask: &Ask, said: &Said, content: Value) -> Value {
    let mut message = json!({
        "id": ID, "type": "message", "role": "assistant", "model": ask.model, "content": content,
        "stop_reason": null, "stop_sequence": null, "x_extra": EXTRA_MARK,
    });
    if said.is_refused {
        message["stop_details"] = Value::Null;
    }
    message
}

fn refusal() -> Value {
    json!({"type": "refusal", "category": "general_harms", "explanation": "The request was declined."})
}

fn id(place: usize) -> String {
    format!("toolu_scripted{place}")
}

fn stop(stop: Stop) -> &'static str {
    match stop {
        Stop::End => "end_turn",
        Stop::Tools => "tool_use",
        Stop::Length => "max_tokens",
        Stop::Filter => "refusal",
    }
}

/// Tokens from a cache are counted apart; thoughts are part of the output.
fn usage(usage: Usage, output: u64) -> Value {
    json!({
        "input_tokens": usage.input, "output_tokens": output,
        "cache_read_input_tokens": usage.cache_read, "cache_creation_input_tokens": usage.cache_write,
        "service_tier": "standard",
    })
}
