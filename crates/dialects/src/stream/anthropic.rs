//! Streams of `anthropic.messages`: <https://docs.anthropic.com/en/docs/build-with-claude/streaming>

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Finish, Item, Meter, Part};
use crate::{said, says_something};

impl Meter {
    pub(super) fn anthropic(&mut self, data: &[u8]) -> Option<Part> {
        let event: Event<'_> = serde_json::from_slice(data).ok()?;
        Some(match &*event.kind? {
            "message_start" => {
                let message = event.message?;
                self.note_model(message.model);
                self.note_usage(message.usage);
                Part::Prelude
            }
            "content_block_start" => match event.content_block?.kind.as_deref() {
                Some("text" | "thinking") | None => Part::Prelude,
                Some(_) => {
                    self.has_content = true;
                    Part::Content
                }
            },
            "content_block_delta" => {
                let delta = event.delta?;
                let said = [delta.text, delta.partial_json, delta.thinking, delta.signature, delta.citation];
                match said.into_iter().flatten().find(|raw| says_something(raw)) {
                    Some(raw) => self.content(raw),
                    None => Part::Prelude,
                }
            }
            "message_delta" => {
                self.note_usage(event.usage);
                if let Some(reason) = event.delta.and_then(|delta| delta.stop_reason) {
                    self.finish = Some(finish(&reason));
                }
                Part::Prelude
            }
            "message_stop" => Part::End,
            "error" => Part::Error(said::read(data).unwrap_or_default()),
            // Whatever else there may be one day is passed on.
            _ => Part::Prelude,
        })
    }
}

/// What it says of why an answer ended.
pub(crate) fn finish(reason: &str) -> Finish {
    match reason {
        "end_turn" => Finish::Stop,
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::Tools,
        "refusal" => Finish::Filtered,
        // A stop sequence may well be the first thing that it says.
        _ => Finish::Other,
    }
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    message: Option<Message<'a>>,
    #[serde(borrow, default)]
    content_block: Option<Item<'a>>,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    partial_json: Option<&'a RawValue>,
    #[serde(borrow, default)]
    thinking: Option<&'a RawValue>,
    #[serde(borrow, default)]
    signature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    citation: Option<&'a RawValue>,
    #[serde(borrow, default)]
    stop_reason: Option<Cow<'a, str>>,
}
