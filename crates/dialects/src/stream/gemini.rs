//! Streams of `gemini.generate`: <https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse>

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Finish, Meter, Part};
use crate::{said, says_something};

impl Meter {
    pub(super) fn gemini(&mut self, data: &[u8]) -> Option<Part> {
        let chunk: Chunk<'_> = serde_json::from_slice(data).ok()?;
        if chunk.error.is_some_and(says_something) {
            return Some(Part::Error(said::read(data).unwrap_or_default()));
        }
        self.note_model(chunk.model_version);
        let has_usage = self.note_usage(chunk.usage_metadata);
        if chunk.prompt_feedback.is_some_and(|feedback| feedback.block_reason.is_some()) {
            self.finish = Some(Finish::Filtered);
            return Some(Part::End);
        }
        let candidates = chunk.candidates.unwrap_or_default();
        if candidates.is_empty() && !has_usage {
            return None;
        }
        let mut part = Part::Prelude;
        for candidate in candidates {
            let index = candidate.index.unwrap_or(0);
            self.candidates.0.insert(index);
            let parts = candidate.content.and_then(|content| content.parts).unwrap_or_default();
            for raw in parts {
                if says_something(raw) && raw.get() != r#"{"text":""}"# && raw.get() != r#"{"text": ""}"# {
                    part = self.content(raw);
                }
            }
            if let Some(reason) = candidate.finish_reason {
                self.finish = Some(finish(&reason));
                self.candidates.1.insert(index);
            }
        }
        let all_done = self.candidates.0 == self.candidates.1 && !self.candidates.0.is_empty();
        Some(if all_done { Part::End } else { part })
    }
}

/// What it says of why an answer ended.
pub(crate) fn finish(reason: &str) -> Finish {
    match reason {
        "STOP" => Finish::Stop,
        "MAX_TOKENS" => Finish::Length,
        "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "IMAGE_SAFETY" => {
            Finish::Filtered
        }
        _ => Finish::Other,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk<'a> {
    #[serde(borrow, default)]
    candidates: Option<Vec<Candidate<'a>>>,
    #[serde(borrow, default)]
    usage_metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model_version: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    prompt_feedback: Option<Feedback<'a>>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback<'a> {
    #[serde(borrow, default)]
    block_reason: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'a> {
    #[serde(default)]
    index: Option<u64>,
    #[serde(borrow, default)]
    content: Option<Content<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow, default)]
    parts: Option<Vec<&'a RawValue>>,
}
