//! An answer that comes in pieces: what each event is, and what all of them say together.

use std::borrow::Cow;
use std::collections::BTreeSet;

use pas_types::event::CallUsage;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::Spoken;
use crate::said::{self, Said};
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

    /// <https://platform.openai.com/docs/api-reference/chat/streaming>
    fn openai_chat(&mut self, data: &[u8]) -> Option<Part> {
        if data == b"[DONE]" {
            return Some(Part::End);
        }
        let chunk: OpenAiChunk<'_> = serde_json::from_slice(data).ok()?;
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
            if let Some(finish) = choice.finish_reason {
                self.finish = Some(openai_finish(&finish));
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

    /// <https://platform.openai.com/docs/api-reference/responses-streaming>
    fn openai_responses(&mut self, data: &[u8]) -> Option<Part> {
        let event: ResponsesEvent<'_> = serde_json::from_slice(data).ok()?;
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
            "error" | "response.failed" => Part::Error(responses_error(data)),
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

    /// <https://docs.anthropic.com/en/docs/build-with-claude/streaming>
    fn anthropic(&mut self, data: &[u8]) -> Option<Part> {
        let event: AnthropicEvent<'_> = serde_json::from_slice(data).ok()?;
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
                    self.finish = Some(anthropic_finish(&reason));
                }
                Part::Prelude
            }
            "message_stop" => Part::End,
            "error" => Part::Error(said::read(data).unwrap_or_default()),
            // Whatever else there may be one day is passed on.
            _ => Part::Prelude,
        })
    }

    /// <https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse>
    fn gemini(&mut self, data: &[u8]) -> Option<Part> {
        let chunk: GeminiChunk<'_> = serde_json::from_slice(data).ok()?;
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
                self.finish = Some(gemini_finish(&reason));
                self.candidates.1.insert(index);
            }
        }
        let all_done = self.candidates.0 == self.candidates.1 && !self.candidates.0.is_empty();
        Some(if all_done { Part::End } else { part })
    }
}

pub(crate) fn openai_finish(reason: &str) -> Finish {
    match reason {
        "stop" => Finish::Stop,
        "length" => Finish::Length,
        "tool_calls" | "function_call" => Finish::Tools,
        "content_filter" => Finish::Filtered,
        _ => Finish::Other,
    }
}

pub(crate) fn anthropic_finish(reason: &str) -> Finish {
    match reason {
        "end_turn" => Finish::Stop,
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::Tools,
        "refusal" => Finish::Filtered,
        // A stop sequence may well be the first thing that it says.
        _ => Finish::Other,
    }
}

pub(crate) fn gemini_finish(reason: &str) -> Finish {
    match reason {
        "STOP" => Finish::Stop,
        "MAX_TOKENS" => Finish::Length,
        "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "IMAGE_SAFETY" => {
            Finish::Filtered
        }
        _ => Finish::Other,
    }
}

/// Of `response.failed`, which has it within, or of `error`, which is one.
fn responses_error(data: &[u8]) -> Said {
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
struct OpenAiChunk<'a> {
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    choices: Option<Vec<OpenAiChoice<'a>>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct OpenAiChoice<'a> {
    #[serde(borrow, default)]
    delta: Option<OpenAiDelta<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
struct OpenAiDelta<'a> {
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

#[derive(Deserialize)]
struct ResponsesEvent<'a> {
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

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct AnthropicEvent<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    message: Option<AnthropicMessage<'a>>,
    #[serde(borrow, default)]
    content_block: Option<Item<'a>>,
    #[serde(borrow, default)]
    delta: Option<AnthropicDelta<'a>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct AnthropicMessage<'a> {
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct AnthropicDelta<'a> {
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GeminiChunk<'a> {
    #[serde(borrow, default)]
    candidates: Option<Vec<GeminiCandidate<'a>>>,
    #[serde(borrow, default)]
    usage_metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model_version: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    prompt_feedback: Option<GeminiFeedback<'a>>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GeminiFeedback<'a> {
    #[serde(borrow, default)]
    block_reason: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GeminiCandidate<'a> {
    #[serde(default)]
    index: Option<u64>,
    #[serde(borrow, default)]
    content: Option<GeminiContent<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct GeminiContent<'a> {
    #[serde(borrow, default)]
    parts: Option<Vec<&'a RawValue>>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(dialect: Dialect, events: &[&str]) -> (Vec<Part>, Meter) {
        let mut meter = Meter::new(dialect);
        let parts = events.iter().map(|data| meter.read(&sse::event(None, data.as_bytes()))).collect();
        (parts, meter)
    }

    #[test]
    fn a_chat_of_openai_has_a_prelude_content_usage_and_an_end() {
        let (parts, meter) = parts(
            Dialect::OpenaiChat,
            &[
                r#"{"model":"gpt-4o-2024-08-06","choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}"#,
                r#"{"choices":[{"delta":{"content":"hello"}}]}"#,
                r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
                r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}"#,
                "[DONE]",
            ],
        );
        assert_eq!(parts, [Part::Prelude, Part::Content, Part::Prelude, Part::Usage, Part::End]);
        let usage = meter.usage.unwrap();
        assert_eq!((usage.input, usage.output, meter.is_empty()), (9, 3, false));
        assert_eq!((meter.model.as_deref(), meter.finish), (Some("gpt-4o-2024-08-06"), Some(Finish::Stop)));
    }

    #[test]
    fn a_message_of_anthropic_adds_its_usage_up_from_both_ends() {
        let (parts, meter) = parts(
            Dialect::AnthropicMessages,
            &[
                r#"{"type":"message_start","message":{"model":"claude","usage":{"input_tokens":25,"cache_read_input_tokens":4,"output_tokens":1}}}"#,
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
                r#"{"type":"ping"}"#,
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#,
                r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#,
                r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":15}}"#,
                r#"{"type":"message_stop"}"#,
            ],
        );
        use Part::{Content, End, Prelude};
        assert_eq!(parts, [Prelude, Prelude, Prelude, Content, Content, Prelude, End]);
        let usage = meter.usage.unwrap();
        assert_eq!((usage.input, usage.cache_read, usage.output), (25, 4, 15));
    }

    #[test]
    fn a_response_of_openai_ends_with_the_event_that_has_all_of_it() {
        let (parts, meter) = parts(
            Dialect::OpenaiResponses,
            &[
                r#"{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","model":"gpt-5"}}"#,
                r#"{"type":"response.output_item.added","sequence_number":1,"item":{"type":"message"}}"#,
                r#"{"type":"response.output_text.delta","sequence_number":2,"delta":"Hi"}"#,
                r#"{"type":"response.completed","sequence_number":3,"response":{"usage":{"input_tokens":1,"output_tokens":2}}}"#,
            ],
        );
        assert_eq!(parts, [Part::Prelude, Part::Prelude, Part::Content, Part::End]);
        let spoken = meter.spoken();
        assert_eq!((spoken.response_id.as_deref(), spoken.sequence), (Some("resp_1"), Some(3)));
        assert_eq!(meter.usage.map(|usage| usage.output), Some(2));
    }

    #[test]
    fn a_stream_of_gemini_ends_with_its_finish_reason() {
        let (parts, meter) = parts(
            Dialect::GeminiGenerate,
            &[
                r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"}}],"modelVersion":"gemini"}"#,
                r#"{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":2}}"#,
            ],
        );
        assert_eq!(parts, [Part::Content, Part::End]);
        assert_eq!(meter.usage.map(|usage| (usage.input, usage.output)), Some((4, 2)));
    }

    #[test]
    fn of_several_answers_of_gemini_the_last_one_ends_the_stream() {
        let chunk = |index: u64, finish: &str| {
            format!(
                r#"{{"candidates":[{{"index":{index},"content":{{"parts":[{{"text":"x"}}]}}{finish}}}]}}"#
            )
        };
        let done = r#","finishReason":"STOP""#;
        let events = [chunk(0, ""), chunk(1, ""), chunk(0, done), chunk(1, ""), chunk(1, done)];
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        use Part::{Content, End};
        assert_eq!(parts(Dialect::GeminiGenerate, &events).0, [Content, Content, Content, Content, End]);
    }

    #[test]
    fn an_error_inside_and_what_is_no_event_are_told_apart_from_content() {
        let error = |kind: &str, message: &str| {
            Part::Error(Said { kind: kind.to_owned(), message: message.to_owned(), ..Said::default() })
        };
        let openai = r#"{"error":{"message":"busy","type":"server_error"}}"#;
        assert_eq!(parts(Dialect::OpenaiChat, &[openai]).0, [error("server_error", "busy")]);
        let anthropic = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        assert_eq!(
            parts(Dialect::AnthropicMessages, &[anthropic]).0,
            [error("overloaded_error", "Overloaded")]
        );
        let failed =
            r#"{"type":"response.failed","response":{"error":{"code":"server_error","message":"no"}}}"#;
        assert_eq!(parts(Dialect::OpenaiResponses, &[failed]).0, [error("server_error", "no")]);
        for dialect in [
            Dialect::OpenaiChat,
            Dialect::OpenaiResponses,
            Dialect::AnthropicMessages,
            Dialect::GeminiGenerate,
        ] {
            assert_eq!(
                parts(dialect, &["{\"choi", "<html>", "\u{7}"]).0,
                [Part::Garbage, Part::Garbage, Part::Garbage]
            );
        }
    }

    #[test]
    fn an_empty_answer_is_one_that_nothing_explains() {
        let finish = |reason: &str| {
            let end = format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":"{reason}"}}]}}"#);
            parts(Dialect::OpenaiChat, &[&end, "[DONE]"]).1.is_empty()
        };
        assert_eq!(["stop", "length", "content_filter"].map(finish), [true, false, false]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_some_part(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for dialect in Dialect::ALL {
                Meter::new(dialect).read(&sse::event(None, &bytes));
            }
        }
    }
}
