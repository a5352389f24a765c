//! Streams of `openai.responses`: <https://platform.openai.com/docs/api-reference/responses-streaming>

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Finish, Item, Meter, Part};
use crate::said::{self, Said};
use crate::says_something;

impl Meter {
    pub(super) fn openai_responses(&mut self, data: &[u8]) -> Option<Part> {
        let event: Event<'_> = serde_json::from_slice(data).ok()?;
        self.sequence = event.sequence_number.or(self.sequence);
        if let Some(response) = event.response {
            let response: Response<'_> = serde_json::from_str(response.get()).ok()?;
            self.note_model(response.model);
            self.note_usage(response.usage);
            if self.response_id.is_none() {
                self.response_id = response.id.map(Cow::into_owned);
            }
        }
        let kind = event.kind?;
        Some(match &*kind {
            "error" | "response.failed" => Part::Error(error(data)),
            "response.completed" => {
                self.finish = Some(Finish::Stop);
                Part::End
            }
            "response.incomplete" => {
                self.finish = Some(Finish::Length);
                Part::End
            }
            // The frame of a text or a thought; of all else, the item itself is content.
            "response.output_item.added" | "response.output_item.done" => {
                let item: Item<'_> = serde_json::from_str(event.item?.get()).ok()?;
                match item.kind.as_deref() {
                    Some("message" | "reasoning") | None => Part::Prelude,
                    Some(_) => self.content(event.item?),
                }
            }
            kind if kind.ends_with(".delta") => match event.delta {
                Some(delta) if says_something(delta) => self.content(delta),
                _ => Part::Prelude,
            },
            _ => Part::Prelude,
        })
    }
}

/// Of `response.failed`, which has it within, or of `error`, which is one.
fn error(data: &[u8]) -> Said {
    #[derive(Deserialize)]
    struct Failed<'a> {
        #[serde(borrow, default)]
        response: Option<&'a RawValue>,
    }
    let failed = serde_json::from_slice::<Failed<'_>>(data).ok();
    let within = failed.and_then(|failed| failed.response);
    said::read(within.map_or(data, |response| response.get().as_bytes())).unwrap_or_default()
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(default)]
    sequence_number: Option<u64>,
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
    #[serde(borrow, default)]
    item: Option<&'a RawValue>,
    #[serde(borrow, default)]
    delta: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}
