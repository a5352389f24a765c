//! The wire types of the classifier: what it is asked, and what it answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::check::check_within;
use crate::error::Error;
use crate::object::only_objects;
use crate::word::words;

/// Bytes of a text.
pub const TEXT_BYTES: usize = 1024 * 1024;
/// Bytes of the request that carries it: a text that is escaped takes up more.
pub const BODY_BYTES: usize = 2 * 1024 * 1024;
/// Sentences of a summary, when the caller names no number, and at the most.
pub const SENTENCES: (u32, u32) = (3, 100);
/// Characters of a summary, when the caller names no number, and at the most.
pub const CHARS: (u32, u32) = (2_000, 100_000);
/// Characters of a summary, at the least.
pub const CHARS_MIN: u32 = 20;

/// The header in which the gateway says what capabilities a call requires: a list with commas.
pub const CAPS_HEADER: &str = "x-pas-caps";

words! {
    /// What is to be done with a text.
    Task, "task" {
        /// Say what it is about.
        Classify = "classify",
        /// Say it in short.
        Summarize = "summarize",
    }
}

impl Task {
    /// The task that a list of required capabilities asks for: its first that is one.
    pub fn wished(caps: &str) -> Option<Self> {
        caps.split(',').find_map(|cap| match cap.trim() {
            "classify" | "classify_light" => Some(Self::Classify),
            "summarize" => Some(Self::Summarize),
            _ => None,
        })
    }
}

/// The body of `POST /invoke`: the payload of a call, as it came to the gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Invocation {
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1048576)]
    pub text: Option<String>,
    /// The text, under the name that chat models know it by. One of the two must be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1048576)]
    pub prompt: Option<String>,
    /// What to do with it. Left out: what the header `x-pas-caps` asks for, else `classify`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// Sentences of the summary, at the most. Left out: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100)]
    pub max_sentences: Option<u32>,
    /// Characters of the summary, at the most. Left out: 2,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 20, maximum = 100000)]
    pub max_chars: Option<u32>,
}

/// An invocation that was found to be in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Say what the text is about.
    Classify {
        /// The text.
        text: String,
    },
    /// Say it in short.
    Summarize {
        /// The text.
        text: String,
        /// Sentences, at the most.
        max_sentences: u32,
        /// Characters, at the most.
        max_chars: u32,
    },
}

impl Invocation {
    /// What is to be done, when the capabilities that the call requires are `caps`.
    pub fn order(self, caps: &str) -> Result<Order, Error> {
        let (field, text) = match (self.text, self.prompt) {
            (Some(text), None) => ("text", text),
            (None, Some(prompt)) => ("prompt", prompt),
            (None, None) => {
                return Err(Error::invalid("text", "text is missing: send it as `text` or as `prompt`"));
            }
            (Some(_), Some(_)) => {
                return Err(Error::invalid("prompt", "prompt and text are both there: send one of them"));
            }
        };
        if text.len() > TEXT_BYTES {
            let message = format!("{field} has {} bytes: use at most {TEXT_BYTES}", text.len());
            return Err(Error::invalid(field, message).with_status(413));
        }
        if !text.chars().any(char::is_alphanumeric) {
            return Err(Error::invalid(
                field,
                format!("{field} has no word in it: send a text of at least one"),
            ));
        }
        match self.task.or_else(|| Task::wished(caps)).unwrap_or(Task::Classify) {
            Task::Classify => {
                for (field, given) in [("max_sentences", self.max_sentences), ("max_chars", self.max_chars)] {
                    if given.is_some() {
                        let message =
                            format!("{field} is for a summary: leave it out, or set task to summarize");
                        return Err(Error::invalid(field, message));
                    }
                }
                Ok(Order::Classify { text })
            }
            Task::Summarize => {
                let max_sentences = self.max_sentences.unwrap_or(SENTENCES.0);
                let max_chars = self.max_chars.unwrap_or(CHARS.0);
                check_within("max_sentences", max_sentences, 1, SENTENCES.1)?;
                check_within("max_chars", max_chars, CHARS_MIN, CHARS.1)?;
                Ok(Order::Summarize { text, max_sentences, max_chars })
            }
        }
    }
}

impl Order {
    /// What is to be done.
    pub fn task(&self) -> Task {
        match self {
            Self::Classify { .. } => Task::Classify,
            Self::Summarize { .. } => Task::Summarize,
        }
    }

    /// With what.
    pub fn text(&self) -> &str {
        match self {
            Self::Classify { text } | Self::Summarize { text, .. } => text,
        }
    }
}

/// The answer of `POST /invoke`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Answer {
    /// To the task `classify`.
    Classification(Classification),
    /// To the task `summarize`.
    Summary(Summary),
}

/// What a text is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Classification {
    /// The most probable label.
    pub label: String,
    /// How probable each label is, in the light of what the model was right about before. Together they are 1.
    pub probabilities: BTreeMap<String, f64>,
    /// The label, for who reads the text of every model's answer.
    pub text: String,
    /// Words of the text.
    pub words: usize,
    /// Those of them that are in an example. Where there are none, the answer is a guess.
    pub known_words: usize,
}

/// A text in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Summary {
    /// Sentences of the text, in their order.
    pub text: String,
    /// How many they are.
    pub sentences: usize,
    /// How many the whole text has, headings and blocks of code among them.
    pub of_sentences: usize,
    /// Whether a sentence was cut, because even one alone was longer than `max_chars`.
    pub truncated: bool,
}

only_objects!(Invocation);

#[cfg(test)]
mod tests {
    use super::*;

    fn order(body: &str, caps: &str) -> Result<Order, (u16, Option<String>, String)> {
        let read = crate::json::parse::<Invocation>(body.as_bytes());
        read.and_then(|it| it.order(caps)).map_err(|error| (error.status(), error.field, error.message))
    }

    fn task(body: &str, caps: &str) -> Task {
        order(body, caps).unwrap().task()
    }

    #[test]
    fn the_payload_says_what_is_to_be_done_else_the_capabilities_do_else_it_is_classified() {
        assert_eq!(task(r#"{"text":"tea"}"#, ""), Task::Classify);
        assert_eq!(task(r#"{"prompt":"tea"}"#, "summarize"), Task::Summarize);
        assert_eq!(task(r#"{"text":"tea"}"#, "infer, classify_light ,summarize"), Task::Classify);
        assert_eq!(task(r#"{"text":"tea","task":"classify"}"#, "summarize"), Task::Classify);
        assert_eq!(task(r#"{"text":"tea","task":"summarize"}"#, "infer"), Task::Summarize);
        let wanted = Order::Summarize { text: "tea".to_owned(), max_sentences: 1, max_chars: 2_000 };
        assert_eq!(order(r#"{"text":"tea","max_sentences":1}"#, "summarize"), Ok(wanted));
    }

    #[test]
    fn what_is_wrong_with_a_payload_is_said_by_field() {
        let refused = |body: &str, caps: &str| {
            let (status, field, _) = order(body, caps).unwrap_err();
            (status, field.unwrap_or_default())
        };
        let at = |status: u16, field: &str| (status, field.to_owned());
        assert_eq!(refused("{}", ""), at(400, "text"));
        assert_eq!(refused(r#"{"text":"a","prompt":"b"}"#, ""), at(400, "prompt"));
        assert_eq!(refused(r#"{"text":"tea","colour":1}"#, ""), at(400, "colour"));
        assert_eq!(refused(r#"{"text":"tea","task":"translate"}"#, ""), at(400, "task"));
        assert_eq!(refused(r#"{"text":"?! "}"#, ""), at(400, "text"));
        assert_eq!(refused(r#"{"prompt":""}"#, "summarize"), at(400, "prompt"));
        assert_eq!(refused(r#"{"text":"tea","max_chars":50}"#, ""), at(400, "max_chars"));
        assert_eq!(refused(r#"{"text":"tea","max_chars":19}"#, "summarize"), at(400, "max_chars"));
        assert_eq!(refused(r#"{"text":"tea","max_sentences":101}"#, "summarize"), at(400, "max_sentences"));
        let long = format!(r#"{{"text":"{}"}}"#, "a".repeat(TEXT_BYTES + 1));
        assert_eq!(refused(&long, ""), at(413, "text"));
    }
}
