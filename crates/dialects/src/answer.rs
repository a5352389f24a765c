//! An answer that came whole.

use std::borrow::Cow;

use pas_types::event::CallUsage;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::said::{self, Said};
use crate::stream::{Finish, anthropic, gemini, openai};
use crate::{Dialect, says_something, usage};

/// What an answer says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The tokens, as far as the provider told them.
    pub usage: Option<CallUsage>,
    /// The model that answered, by its own word.
    pub model: Option<String>,
    /// Why it ended.
    pub finish: Option<Finish>,
    /// Whether there is anything in it.
    pub has_content: bool,
    /// Bytes of content, for an estimate.
    pub content_bytes: u64,
    /// Its text, where it can be read off and was asked for.
    pub text: Option<String>,
}

/// Why an answer is none, in spite of its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// It is not JSON, or not what this dialect has.
    Garbage,
    /// It is an error.
    Error(Said),
}

impl Answer {
    /// Reads the answer to a request in `dialect`; `with_text` when somebody wants to read it off.
    pub fn read(dialect: Dialect, body: &[u8], with_text: bool) -> Result<Self, Broken> {
        let text = std::str::from_utf8(body).map_err(|_| Broken::Garbage)?;
        if dialect == Dialect::Pas {
            // Whatever a tool or an agent answers is its own business.
            let _: &RawValue = serde_json::from_str(text).map_err(|_| Broken::Garbage)?;
            return Ok(Self { has_content: true, ..Self::default() });
        }
        let mut read: Body<'_> = serde_json::from_str(text).map_err(|_| Broken::Garbage)?;
        if read.error.is_some_and(says_something) {
            return Err(Broken::Error(said::read(body).unwrap_or_default()));
        }
        let model = read.model.take().or(read.model_version.take());
        let usage = read.usage.or(read.usage_metadata).filter(|raw| says_something(raw));
        let mut answer = Self {
            usage: usage.and_then(|raw| usage::read(dialect, raw)),
            model: model.map(Cow::into_owned),
            ..Self::default()
        };
        let mut said = Texts { wanted: with_text, text: None };
        match dialect {
            Dialect::OpenaiChat => answer.openai_chat(read.choices.ok_or(Broken::Garbage)?, &mut said),
            Dialect::OpenaiResponses => {
                answer.finish = read.status.as_deref().map(|status| match status {
                    "completed" => Finish::Stop,
                    "incomplete" => Finish::Length,
                    _ => Finish::Other,
                });
                match read.output {
                    Some(output) => answer.items(output, &mut said),
                    // A count of tokens has a number and no output.
                    None if read.input_tokens.is_some() => answer.has_content = true,
                    None => return Err(Broken::Garbage),
                }
            }
            Dialect::AnthropicMessages => {
                // `count_tokens` has a number and no message.
                answer.has_content = read.input_tokens.is_some();
                answer.finish = read.stop_reason.as_deref().map(anthropic::finish);
                match read.content {
                    Some(content) => answer.blocks(content, &mut said),
                    None if answer.has_content => {}
                    None => return Err(Broken::Garbage),
                }
            }
            Dialect::GeminiGenerate => answer.gemini(&read, &mut said)?,
            Dialect::OpenaiEmbeddings => {
                answer.has_content = read.data.ok_or(Broken::Garbage).map(says_something)?;
            }
            Dialect::Pas | Dialect::OllamaChat => answer.has_content = true,
        }
        answer.text = said.text;
        Ok(answer)
    }

    /// An answer that has nothing in it, though nothing explains that.
    pub fn is_empty(&self) -> bool {
        !self.has_content && matches!(self.finish, None | Some(Finish::Stop))
    }

    fn content(&mut self, raw: &RawValue) {
        if says_something(raw) {
            self.has_content = true;
            self.content_bytes += raw.get().len() as u64;
        }
    }

    fn openai_chat(&mut self, choices: Vec<Choice<'_>>, said: &mut Texts) {
        for choice in choices {
            if let Some(finish) = choice.finish_reason {
                self.finish = Some(openai::finish(&finish));
            }
            let Some(message) = choice.message else { continue };
            let parts = [
                message.content,
                message.tool_calls,
                message.function_call,
                message.refusal,
                message.audio,
                message.reasoning_content,
            ];
            parts.into_iter().flatten().for_each(|raw| self.content(raw));
            said.add(message.content);
        }
    }

    fn items(&mut self, output: Vec<&RawValue>, said: &mut Texts) {
        for raw in output {
            let Ok(item) = serde_json::from_str::<Item<'_>>(raw.get()) else { continue };
            match item.kind.as_deref() {
                Some("message") => self.blocks(item.content.unwrap_or_default(), said),
                Some("reasoning") => {}
                _ => self.content(raw),
            }
        }
    }

    fn blocks(&mut self, blocks: Vec<&RawValue>, said: &mut Texts) {
        for raw in blocks {
            match serde_json::from_str::<Item<'_>>(raw.get()) {
                Ok(Item { text: Some(text), .. }) => {
                    self.content(text);
                    said.add(Some(text));
                }
                _ => self.content(raw),
            }
        }
    }

    fn gemini(&mut self, read: &Body<'_>, said: &mut Texts) -> Result<(), Broken> {
        // `countTokens` has a number and no candidates.
        self.has_content = read.total_tokens.is_some();
        if read.prompt_feedback.is_some_and(|raw| raw.get().contains("blockReason")) {
            self.finish = Some(Finish::Filtered);
        } else if read.candidates.is_none() && !self.has_content {
            return Err(Broken::Garbage);
        }
        for raw in read.candidates.iter().flatten() {
            let candidate: Candidate<'_> = serde_json::from_str(raw.get()).map_err(|_| Broken::Garbage)?;
            if let Some(reason) = candidate.finish_reason {
                self.finish = Some(gemini::finish(&reason));
            }
            self.blocks(candidate.content.and_then(|content| content.parts).unwrap_or_default(), said);
        }
        Ok(())
    }
}

/// The text of an answer, put together where somebody wants it.
struct Texts {
    wanted: bool,
    text: Option<String>,
}

impl Texts {
    fn add(&mut self, raw: Option<&RawValue>) {
        let read = || serde_json::from_str::<Cow<'_, str>>(raw?.get()).ok();
        if let Some(more) = if self.wanted { read() } else { None } {
            self.text.get_or_insert_default().push_str(&more);
        }
    }
}

/// Names of several dialects stand side by side: none has two meanings.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "modelVersion")]
    model_version: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "usageMetadata")]
    usage_metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow, default)]
    content: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    stop_reason: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    input_tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    output: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    candidates: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default, rename = "promptFeedback")]
    prompt_feedback: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "totalTokens")]
    total_tokens: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    message: Option<Message<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Message<'a> {
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
    audio: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    content: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'a> {
    #[serde(borrow, default)]
    content: Option<Parts<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Parts<'a> {
    #[serde(borrow, default)]
    parts: Option<Vec<&'a RawValue>>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(dialect: Dialect, body: &str) -> Answer {
        Answer::read(dialect, body.as_bytes(), true).unwrap()
    }

    #[test]
    fn the_text_of_an_answer_is_read_off_in_each_dialect() {
        for (dialect, body) in [
            (
                Dialect::OpenaiChat,
                r#"{"choices":[{"message":{"content":"h\u0069 you"},"finish_reason":"stop"}]}"#,
            ),
            (
                Dialect::OpenaiResponses,
                r#"{"status":"completed","output":[{"type":"reasoning"},{"type":"message","content":[{"type":"output_text","text":"hi you"}]}]}"#,
            ),
            (
                Dialect::AnthropicMessages,
                r#"{"content":[{"type":"text","text":"hi"},{"type":"text","text":" you"}],"stop_reason":"end_turn"}"#,
            ),
            (
                Dialect::GeminiGenerate,
                r#"{"candidates":[{"content":{"parts":[{"text":"hi you"}]},"finishReason":"STOP"}]}"#,
            ),
        ] {
            let answer = read(dialect, body);
            assert_eq!((answer.text.as_deref(), answer.is_empty()), (Some("hi you"), false), "{dialect}");
        }
    }

    #[test]
    fn an_answer_without_anything_in_it_is_empty_unless_something_explains_it() {
        let openai = |reason: &str| {
            read(
                Dialect::OpenaiChat,
                &format!(r#"{{"choices":[{{"message":{{"content":null}},"finish_reason":"{reason}"}}]}}"#),
            )
            .is_empty()
        };
        assert_eq!(["stop", "length", "content_filter"].map(openai), [true, false, false]);
        assert!(read(Dialect::AnthropicMessages, r#"{"content":[],"stop_reason":"end_turn"}"#).is_empty());
        assert!(!read(Dialect::AnthropicMessages, r#"{"input_tokens":7}"#).is_empty());
        assert!(!read(Dialect::GeminiGenerate, r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#).is_empty());
    }

    #[test]
    fn whatever_a_tool_answers_is_an_answer_if_it_is_json() {
        for body in [r#"{"output":"42","status":200,"content":"hi","error":null}"#, "[1,2]", "7", "null"] {
            assert!(!read(Dialect::Pas, body).is_empty(), "{body}");
        }
        assert_eq!(Answer::read(Dialect::Pas, b"{\"a\":", false), Err(Broken::Garbage));
    }

    #[test]
    fn what_is_no_answer_is_told() {
        let broken = |dialect, body: &str| Answer::read(dialect, body.as_bytes(), false).unwrap_err();
        assert_eq!(broken(Dialect::OpenaiChat, "<html>"), Broken::Garbage);
        assert_eq!(broken(Dialect::OpenaiChat, r#"{"ok":true}"#), Broken::Garbage);
        assert_eq!(broken(Dialect::AnthropicMessages, r#"{"type":"message"}"#), Broken::Garbage);
        let said = Said { kind: "server_error".to_owned(), message: "busy".to_owned(), ..Said::default() };
        let inside = r#"{"error":{"message":"busy","type":"server_error"}}"#;
        assert_eq!(broken(Dialect::OpenaiChat, inside), Broken::Error(said));
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_answer_or_broken(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for dialect in Dialect::ALL {
                let _ = Answer::read(dialect, &bytes, true);
            }
        }
    }
}
