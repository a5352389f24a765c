//! An answer that comes in pieces: what each event is, and what all of them say together.

pub(crate) mod anthropic;
pub(crate) mod gemini;
pub(crate) mod openai;
mod responses;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeSet;

use pas_types::event::CallUsage;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::Spoken;
use crate::said::Said;
use crate::{Dialect, says_something, sse, usage};

/// What one event is to whoever passes it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// It says nothing yet: a comment, a ping, a role, the frame of what is to come.
    Prelude,
    /// It bears content.
    Content,
    /// It tells the usage, and nothing else.
    Usage,
    /// It is the end mark, or the last event before it from which on the answer is whole.
    End,
    /// It is an error.
    Error(Said),
    /// It is not what this dialect has.
    Garbage,
}

/// Why an answer ended, by the provider's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// It was done.
    Stop,
    /// It ran into a limit of tokens.
    Length,
    /// It calls tools.
    Tools,
    /// Its content was refused.
    Filtered,
    /// Something else.
    Other,
}

/// Follows one stream.
#[derive(Debug)]
pub struct Meter {
    dialect: Dialect,
    /// The tokens, as far as the provider told them.
    pub usage: Option<CallUsage>,
    /// The model that answers, by its own word.
    pub model: Option<String>,
    /// Why it ended.
    pub finish: Option<Finish>,
    /// Bytes of content, for an estimate.
    pub content_bytes: u64,
    /// Some content has come.
    pub has_content: bool,
    response_id: Option<String>,
    sequence: Option<u64>,
    /// Of several answers at once: those that have begun, and those that are done.
    candidates: (BTreeSet<u64>, BTreeSet<u64>),
}

impl Meter {
    /// Of a stream in this dialect.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            usage: None,
            model: None,
            finish: None,
            content_bytes: 0,
            has_content: false,
            response_id: None,
            sequence: None,
            candidates: Default::default(),
        }
    }

    /// Takes in an event, with the blank line that ends it.
    pub fn read(&mut self, event: &[u8]) -> Part {
        let Some(data) = sse::data(event) else { return Part::Prelude };
        let part = match self.dialect {
            Dialect::OpenaiChat | Dialect::OpenaiEmbeddings => self.openai_chat(&data),
            Dialect::OpenaiResponses => self.openai_responses(&data),
            Dialect::AnthropicMessages => self.anthropic(&data),
            Dialect::GeminiGenerate => self.gemini(&data),
            Dialect::Pas | Dialect::OllamaChat => Some(Part::Content),
        };
        part.unwrap_or(Part::Garbage)
    }

    /// An answer that is whole and has nothing in it, though nothing explains that.
    pub fn is_empty(&self) -> bool {
        !self.has_content && matches!(self.finish, None | Some(Finish::Stop))
    }

    /// The dialect that it follows.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What the last word of a stream that breaks must repeat.
    pub fn spoken(&self) -> Spoken {
        Spoken { response_id: self.response_id.clone(), model: self.model.clone(), sequence: self.sequence }
    }

    fn content(&mut self, raw: &RawValue) -> Part {
        self.content_bytes += raw.get().len() as u64;
        self.has_content = true;
        Part::Content
    }

    fn note_model(&mut self, model: Option<Cow<'_, str>>) {
        if let (None, Some(model)) = (&self.model, model) {
            self.model = Some(model.into_owned());
        }
    }

    fn note_usage(&mut self, raw: Option<&RawValue>) -> bool {
        let told = raw.filter(|raw| says_something(raw)).and_then(|raw| usage::read(self.dialect, raw));
        if let Some(told) = told {
            self.usage = Some(usage::later(self.usage, told));
        }
        told.is_some()
    }
}

/// What has a type of its own: an item of a response, a block of a message.
#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
}
