//! Streams of `openai.chat`: <https://platform.openai.com/docs/api-reference/chat/streaming>

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Finish, Meter, Part};
use crate::{said, says_something};

impl Meter {
    pub(super) fn openai_chat(&mut self, data: &[u8]) -> Option<Part> {
        if data == b"[DONE]" {
            return Some(Part::End);
        }
        let chunk: Chunk<'_> = serde_json::from_slice(data).ok()?;
        if chunk.error.is_some_and(says_something) {
            return Some(Part::Error(said::read(data).unwrap_or_default()));
        }
        self.note_model(chunk.model);
        let has_usage = self.note_usage(chunk.usage);
        let choices = chunk.choices?;
        if choices.is_empty() {
            return Some(if has_usage { Part::Usage } else { Part::Prelude });
        }
        let mut part = Part::Prelude;
        for choice in choices {
            if let Some(reason) = choice.finish_reason {
                self.finish = Some(finish(&reason));
            }
            let delta = choice.delta.unwrap_or_default();
            let said = [
                delta.content,
                delta.tool_calls,
                delta.function_call,
                delta.refusal,
                delta.reasoning_content,
                delta.reasoning,
                delta.audio,
            ];
            for raw in said.into_iter().flatten().filter(|raw| says_something(raw)) {
                part = self.content(raw);
            }
        }
        Some(part)
    }
}

/// What it says of why an answer ended.
pub(crate) fn finish(reason: &str) -> Finish {
    match reason {
        "stop" => Finish::Stop,
        "length" => Finish::Length,
        "tool_calls" | "function_call" => Finish::Tools,
        "content_filter" => Finish::Filtered,
        _ => Finish::Other,
    }
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
struct Delta<'a> {
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_calls: Option<&'a RawValue>,
    #[serde(borrow, default)]
    function_call: Option<&'a RawValue>,
    #[serde(borrow, default)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow, default)]
    audio: Option<&'a RawValue>,
}
