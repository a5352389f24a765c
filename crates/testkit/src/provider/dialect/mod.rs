//! What a provider says on the wire, dialect by dialect. The shapes are those of the providers' public documentation, named
//! in each file; the official SDKs must read them (`tests/python`).

mod anthropic;
pub(super) mod ask;
mod chat;
pub(super) mod error;
mod gemini;
mod lists;
mod ollama;
mod responses;
pub(super) mod route;
pub(super) mod said;
mod text;

use serde_json::{Value, json};

pub(super) use ask::{Ask, Wire};
pub(super) use route::{Dialect, Form, Route, value_of};
pub(super) use said::Said;

use super::manner::{Manner, Profile};
use super::script::Script;

/// Stands for the time at which an event is sent, until it is.
pub(super) const STAMP: &str = "00000000000000000000";
/// Stands for a text that isn't UTF-8, until it is sent: a character of private use.
pub(super) const INVALID: char = '\u{e000}';
/// What stands for [`EXTRA`] while there is a value and no text.
const EXTRA_MARK: &str = "@x_extra@";
/// A field that no documentation names, written as no serialiser writes it: whoever reads and writes the body anew changes it.
const EXTRA: &str = r#"{"n" : 1.50, "e":1E2,"u":"\u00fc\/"}"#;

/// What an event is to whoever reads the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It bears nothing that was said.
    Prelude,
    /// It bears some of what was said.
    Content,
    /// It follows all that was said: why it ended, what it took.
    Closing,
    /// The end mark.
    End,
}

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) kind: Kind,
    pub(super) bytes: Vec<u8>,
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    /// Sent at once.
    Whole(Vec<u8>),
    /// Sent event by event.
    Events(Vec<Event>),
}

/// What is answered to a turn that is wanted.
pub(super) fn turn(ask: &Ask, said: &Said, script: &Script) -> Body {
    if !ask.stream {
        return Body::Whole(bytes(&match ask.dialect {
            Dialect::OpenAiChat => chat::body(ask, said),
            Dialect::OpenAiResponses => responses::body(ask, said),
            Dialect::Anthropic => anthropic::body(ask, said),
            Dialect::Gemini => gemini::body(ask, said),
            Dialect::Ollama => ollama::body(ask, said),
            Dialect::Pas => lists::echo(ask),
        }));
    }
    let events = match ask.dialect {
        Dialect::OpenAiChat => chat::events(ask, said),
        Dialect::OpenAiResponses => responses::events(ask, said),
        Dialect::Anthropic => anthropic::events(ask, said),
        Dialect::Gemini => gemini::events(ask, said),
        Dialect::Ollama => ollama::events(ask, said),
        Dialect::Pas => vec![Frame::data(Kind::Content, lists::echo(ask)), Frame::done()],
    };
    Body::Events(text::events(ask, events, script))
}

/// A ping, or what stands for it.
pub(super) fn ping(ask: &Ask, script: &Script) -> Vec<u8> {
    text::ping(ask, script)
}

/// Something that isn't JSON where an event should be.
pub(super) fn garbage(ask: &Ask, script: &Script) -> Vec<u8> {
    text::garbage(ask, script)
}

/// An error as an event.
pub(super) fn error_event(profile: &Profile, ask: &Ask, script: &Script, error: &Value) -> Vec<u8> {
    let frame = match ask.dialect {
        // As it was recorded: an event with a name, of Anthropic's shape.
        Dialect::OpenAiChat if profile.manner == Manner::LmStudio => {
            let error = json!({"type": "error", "error": {"message": error["error"]["message"]}});
            Frame::named(Kind::Content, "error", error)
        }
        // Its middleware reads an error as an answer in which nothing is (ollama/ollama, middleware/openai.go).
        Dialect::OpenAiChat if profile.manner == Manner::Ollama => chat::nothing(ask),
        Dialect::OpenAiChat | Dialect::Pas | Dialect::Gemini | Dialect::Ollama => {
            Frame::data(Kind::Content, error.clone())
        }
        Dialect::Anthropic => Frame::named(Kind::Content, "error", error.clone()),
        Dialect::OpenAiResponses => responses::error(error),
    };
    text::frame(ask, script, &frame)
}

/// The answer to what isn't a turn: lists, counts, embeddings.
pub(super) fn plain(profile: &Profile, route: &Route, ask: &Ask, script: &Script) -> Option<Vec<u8>> {
    let value = match route.form {
        Form::Turn => return None,
        Form::Page(page) => return Some(profile.page(page, ask, script)),
        Form::Models => lists::models(route.dialect),
        Form::Model => lists::model(route.dialect, &ask.model),
        Form::Count => lists::count(ask),
        Form::Embeddings => lists::embeddings(ask),
    };
    Some(bytes(&value))
}

/// An event before its bytes: a name that only some dialects have, and its data.
#[derive(Debug, Clone, PartialEq)]
struct Frame {
    kind: Kind,
    name: Option<&'static str>,
    data: Data,
}

#[derive(Debug, Clone, PartialEq)]
enum Data {
    Json(Value),
    /// OpenAI's and PAS's end mark.
    Done,
}

impl Frame {
    fn data(kind: Kind, value: Value) -> Self {
        Self { kind, name: None, data: Data::Json(value) }
    }

    fn named(kind: Kind, name: &'static str, value: Value) -> Self {
        Self { kind, name: Some(name), data: Data::Json(value) }
    }

    fn done() -> Self {
        Self { kind: Kind::End, name: None, data: Data::Done }
    }
}

/// A value's text, with what stands for something replaced by it.
pub(super) fn bytes(value: &Value) -> Vec<u8> {
    written(value).into_bytes()
}

fn written(value: &Value) -> String {
    value.to_string().replace(&format!("\"{EXTRA_MARK}\""), EXTRA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_nobody_documents_is_changed_by_whoever_writes_the_body_anew() {
        let body = bytes(&json!({"a": 1, "x_extra": EXTRA_MARK}));
        let read: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(read, json!({"a": 1, "x_extra": {"n": 1.5, "e": 100.0, "u": "ü/"}}));
        assert_ne!(read.to_string().into_bytes(), body);
    }
}
