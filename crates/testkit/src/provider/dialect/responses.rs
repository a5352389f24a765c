//! OpenAI's responses. Sources: the API reference (developers.openai.com/api/reference, "Responses", "Streaming events"), the
//! guide developers.openai.com/docs/guides/streaming-responses, and the types of the official SDK, which are generated from
//! OpenAI's specification (`openai` 3.57.0, `types/responses/response.py` and the events beside it). The stream ends with
//! `response.completed` or `response.incomplete`; there is no other end mark.

use serde_json::{Value, json};

use super::said::Usage;
use super::{Ask, EXTRA_MARK, Frame, Kind, Said};
use crate::provider::script::{Call, Stop};

const ID: &str = "resp_scripted1";
const CREATED: u64 = 1_763_000_000;
const REFUSAL: &str = "I'm sorry, but I can't help with that.";

/// A whole answer.
pub(super) fn body(ask: &Ask, said: &Said) -> Value {
    response(ask, said, Some(outputs(said)))
}

/// A streamed one.
pub(super) fn events(ask: &Ask, said: &Said) -> Vec<Frame> {
    let mut stream = Stream { frames: Vec::new(), number: 0 };
    let open = response(ask, said, None);
    stream.add(Kind::Prelude, "response.created", json!({"response": open}));
    stream.add(Kind::Prelude, "response.in_progress", json!({"response": open}));
    for (place, item) in outputs(said).into_iter().enumerate() {
        match item["type"].as_str() {
            Some("reasoning") => reasoning(&mut stream, place, &item, said),
            Some("message") => message(&mut stream, place, &item, said),
            _ => call(&mut stream, place, &item, said),
        }
        stream.add(Kind::Prelude, "response.output_item.done", json!({"output_index": place, "item": item}));
    }
    let end = match said.stop {
        Stop::End | Stop::Tools => "response.completed",
        Stop::Length | Stop::Filter => "response.incomplete",
    };
    stream.add(Kind::End, end, json!({"response": response(ask, said, Some(outputs(said)))}));
    stream.frames
}

/// An error in a stream.
pub(super) fn error(error: &Value) -> Frame {
    let error = &error["error"];
    let event = json!({"type": "error", "sequence_number": 0, "code": error["code"], "message": error["message"],
        "param": error["param"]});
    Frame::named(Kind::Content, "error", event)
}

struct Stream {
    frames: Vec<Frame>,
    number: u64,
}

impl Stream {
    fn add(&mut self, kind: Kind, name: &'static str, mut event: Value) {
        event["type"] = name.into();
        event["sequence_number"] = self.number.into();
        if kind == Kind::Content {
            event["x_extra"] = EXTRA_MARK.into();
        }
        self.number += 1;
        self.frames.push(Frame::named(kind, name, event));
    }
}

fn reasoning(stream: &mut Stream, place: usize, item: &Value, said: &Said) {
    let at =
        |event: Value| with(event, json!({"item_id": item["id"], "output_index": place, "summary_index": 0}));
    let empty = with(item.clone(), json!({"summary": []}));
    stream.add(Kind::Prelude, "response.output_item.added", json!({"output_index": place, "item": empty}));
    let part = json!({"type": "summary_text", "text": ""});
    stream.add(Kind::Prelude, "response.reasoning_summary_part.added", at(json!({ "part": part })));
    for piece in &said.thinking {
        stream.add(Kind::Content, "response.reasoning_summary_text.delta", at(json!({ "delta": piece })));
    }
    let text = said.thinking.concat();
    stream.add(Kind::Prelude, "response.reasoning_summary_text.done", at(json!({ "text": text })));
    let part = json!({"type": "summary_text", "text": text});
    stream.add(Kind::Prelude, "response.reasoning_summary_part.done", at(json!({ "part": part })));
}

fn message(stream: &mut Stream, place: usize, item: &Value, said: &Said) {
    let at =
        |event: Value| with(event, json!({"item_id": item["id"], "output_index": place, "content_index": 0}));
    let empty = with(item.clone(), json!({"status": "in_progress", "content": []}));
    stream.add(Kind::Prelude, "response.output_item.added", json!({"output_index": place, "item": empty}));
    let part = &item["content"][0];
    if said.is_refused {
        let empty = json!({"type": "refusal", "refusal": ""});
        stream.add(Kind::Prelude, "response.content_part.added", at(json!({ "part": empty })));
        stream.add(Kind::Content, "response.refusal.delta", at(json!({ "delta": REFUSAL })));
        stream.add(Kind::Prelude, "response.refusal.done", at(json!({ "refusal": REFUSAL })));
    } else {
        let empty = with(part.clone(), json!({"text": ""}));
        stream.add(Kind::Prelude, "response.content_part.added", at(json!({ "part": empty })));
        for piece in &said.text {
            let delta = at(json!({"delta": piece, "logprobs": []}));
            stream.add(Kind::Content, "response.output_text.delta", delta);
        }
        let done = at(json!({"text": said.whole_text(), "logprobs": []}));
        stream.add(Kind::Prelude, "response.output_text.done", done);
    }
    stream.add(Kind::Prelude, "response.content_part.done", at(json!({ "part": part })));
}

fn call(stream: &mut Stream, place: usize, item: &Value, said: &Said) {
    let at = |event: Value| with(event, json!({"item_id": item["id"], "output_index": place}));
    let empty = with(item.clone(), json!({"status": "in_progress", "arguments": ""}));
    stream.add(Kind::Content, "response.output_item.added", json!({"output_index": place, "item": empty}));
    let made = said.calls.iter().enumerate().find(|(number, _)| item["id"] == item_id(*number));
    for piece in made.map(|(_, call)| call.argument_pieces()).unwrap_or_default() {
        stream.add(Kind::Content, "response.function_call_arguments.delta", at(json!({ "delta": piece })));
    }
    let done = at(json!({"arguments": item["arguments"]}));
    stream.add(Kind::Prelude, "response.function_call_arguments.done", done);
}

/// Everything that a turn puts out, in order.
fn outputs(said: &Said) -> Vec<Value> {
    let mut items = Vec::new();
    if !said.thinking.is_empty() {
        let summary = json!([{"type": "summary_text", "text": said.thinking.concat()}]);
        items.push(json!({"type": "reasoning", "id": "rs_scripted1", "summary": summary}));
    }
    if said.is_refused || !said.text.is_empty() {
        let part = match said.is_refused {
            true => json!({"type": "refusal", "refusal": REFUSAL}),
            false => {
                json!({"type": "output_text", "text": said.whole_text(), "annotations": [], "logprobs": []})
            }
        };
        items.push(
            json!({"type": "message", "id": "msg_scripted1", "role": "assistant", "status": "completed",
            "content": [part]}),
        );
    }
    items.extend(said.calls.iter().enumerate().map(|(number, Call { name, arguments })| {
        json!({"type": "function_call", "id": item_id(number), "call_id": format!("call_scripted{number}"),
            "name": name, "arguments": arguments, "status": "completed"})
    }));
    items
}

fn item_id(number: usize) -> String {
    format!("fc_scripted{number}")
}

/// The object around it; before its end without outputs.
fn response(ask: &Ask, said: &Said, outputs: Option<Vec<Value>>) -> Value {
    let reason = match said.stop {
        Stop::End | Stop::Tools => None,
        Stop::Length => Some("max_output_tokens"),
        Stop::Filter => Some("content_filter"),
    };
    let status = match (&outputs, reason) {
        (None, _) => "in_progress",
        (Some(_), None) => "completed",
        (Some(_), Some(_)) => "incomplete",
    };
    let is_ended = outputs.is_some();
    let mut response = json!({
        "id": ID, "object": "response", "created_at": CREATED, "model": ask.model, "status": status,
        "output": outputs.unwrap_or_default(), "error": null, "incomplete_details": null, "instructions": null,
        "max_output_tokens": null, "metadata": {}, "parallel_tool_calls": true, "previous_response_id": null,
        "reasoning": {"effort": null, "summary": null}, "store": true, "temperature": 1.0,
        "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": tools(ask), "top_p": 1.0,
        "truncation": "disabled", "usage": null, "user": null, "x_extra": EXTRA_MARK,
    });
    if let (true, Some(reason)) = (is_ended, reason) {
        response["incomplete_details"] = json!({ "reason": reason });
    }
    if let (true, Some(usage)) = (is_ended, said.usage) {
        response["usage"] = self::usage(usage);
    }
    response
}

/// The tools that were offered, as they were.
fn tools(ask: &Ask) -> Value {
    if ask.body["tools"].is_array() { ask.body["tools"].clone() } else { json!([]) }
}

fn with(mut value: Value, more: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut value, more) {
        fields.extend(more);
    }
    value
}

/// Tokens from a cache are counted among those of the input.
fn usage(usage: Usage) -> Value {
    let input = usage.input + usage.cache_read + usage.cache_write;
    json!({
        "input_tokens": input,
        "input_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write},
        "output_tokens": usage.output, "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": input + usage.output,
    })
}
