//! What the provider is told to answer: what is said, when, and what goes wrong.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One answer. Everything that isn't set is as a healthy provider does it: a short text, at once, whole.
///
/// In short form (`x-scripted: status=429,retry_after_s=2`) the fields are separated by commas, and a word alone is `true`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    // Which requests it is for.
    /// Only those whose path contains this.
    pub path: Option<String>,
    /// Only those for this model.
    pub model: Option<String>,
    /// Only those with this credential.
    pub key: Option<String>,
    /// So many of them; none is every one.
    pub times: Option<u32>,

    // What is said.
    /// The text.
    pub text: Option<String>,
    /// In so many pieces, when it is streamed; without a text, these are words.
    pub chunks: Option<usize>,
    /// What is thought before that.
    pub thinking: Option<String>,
    /// So many of the tools that the request offers are called, at once.
    pub tools: usize,
    /// These calls are made.
    pub calls: Vec<Call>,
    /// Why it ends, if not for what was said.
    pub stop: Option<Stop>,
    /// Tokens that were read, apart from those below.
    pub input_tokens: u64,
    /// Tokens that were written, thought ones too.
    pub output_tokens: u64,
    /// Tokens that were read from a cache.
    pub cache_read_tokens: u64,
    /// Tokens that were written to a cache.
    pub cache_write_tokens: u64,
    /// Tokens that were thought.
    pub reasoning_tokens: u64,
    /// What it took is kept from the client.
    pub no_usage: bool,

    // The answer's status and headers.
    /// The status; from 400 on, the body is an error in the dialect's shape.
    pub status: Option<u16>,
    /// The message of the error.
    pub message: Option<String>,
    /// All of the error instead, as JSON: for who has a shape of his own.
    pub error: Option<Value>,
    /// `Retry-After`, in seconds.
    pub retry_after_s: Option<u64>,
    /// The dialect's own headers say that the limit is spent, and starts anew in so many seconds.
    pub reset_s: Option<u64>,
    /// More headers.
    pub headers: BTreeMap<String, String>,

    // When.
    /// So long nothing is sent.
    pub head_ms: u64,
    /// So long nothing that bears content is sent, after status, headers and prelude.
    pub first_ms: u64,
    /// The time from one piece of content to the next, counted from the first.
    pub gap_ms: u64,
    /// While nothing else is sent, a ping (or a comment) is, that often.
    pub ping_ms: Option<u64>,
    /// So many pings (or comments) belong to the prelude.
    pub pings: usize,
    /// Each piece of content tells when it was sent (`x_sent_ns`, see [`crate::monotonic`]).
    pub stamp: bool,

    // How it goes over the wire.
    /// In writes of so many bytes, wherever that cuts.
    pub split_bytes: Option<usize>,
    /// One byte at a time, with so long between them.
    pub drip_ms: Option<u64>,
    /// The body has at least so many bytes, made as they are sent.
    pub body_bytes: Option<u64>,
    /// How the end of the body is told.
    pub framing: Option<Framing>,
    /// Lines of events end as if by Windows.
    pub crlf: bool,

    // What goes wrong.
    /// The fault.
    pub fault: Option<Fault>,
    /// It comes after so many pieces of content; 0 is after status, headers and prelude. A body that isn't streamed counts
    /// as two pieces.
    pub after: Option<usize>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            path: None,
            model: None,
            key: None,
            times: Some(1),
            text: None,
            chunks: None,
            thinking: None,
            tools: 0,
            calls: Vec::new(),
            stop: None,
            input_tokens: 20,
            output_tokens: 10,
            cache_read_tokens: 0,
            cache_write_tokens: 0,
            reasoning_tokens: 0,
            no_usage: false,
            status: None,
            message: None,
            error: None,
            retry_after_s: None,
            reset_s: None,
            headers: BTreeMap::new(),
            head_ms: 0,
            first_ms: 0,
            gap_ms: 0,
            ping_ms: None,
            pings: 0,
            stamp: false,
            split_bytes: None,
            drip_ms: None,
            body_bytes: None,
            framing: None,
            crlf: false,
            fault: None,
            after: None,
        }
    }
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The tool.
    pub name: String,
    /// Its arguments, as JSON text.
    pub arguments: String,
}

/// Why a turn ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// All is said.
    End,
    /// There are calls to make.
    Tools,
    /// As many tokens as were allowed.
    Length,
    /// A filter stepped in.
    Filter,
}

/// How the end of a body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// By a length in the head; not for streams.
    Length,
    /// By an empty last chunk.
    Chunked,
    /// By the end of the connection.
    Close,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The connection is closed: before a byte of the answer, or `after` some content, with the body's end missing.
    Close,
    /// The connection is reset: before a byte of the answer, or `after` some content.
    Reset,
    /// Nothing more is sent: not a byte of the answer, or no more `after` some content. The connection stays.
    Stall,
    /// A connection that was kept is reset when the next request comes on it. A request on a fresh one is none of its
    /// business.
    ClosePooled,
    /// The body ends as it should, but the content does not: `after` some content, or with all but its end mark.
    End,
    /// A 200 in which nothing is said.
    Empty,
    /// A 200 without a body.
    Blank,
    /// An error in the dialect's shape in a 200: the body, or an event `after` some content (0 when that isn't set). `status`
    /// says which; 500 when that isn't set.
    Error,
    /// A 200 that is a web page.
    Html,
    /// Something that isn't JSON: the body, or an event `after` some content, after which all goes on.
    Garbage,
    /// A text that isn't UTF-8, in the body or in the piece of content `after` which so many have been sent.
    InvalidUtf8,
    /// The error that the request doesn't fit into the model's context.
    ContextTooLong,
    /// The error that the credential is none that is known, or, when there was none, that one is needed.
    UnknownKey,
    /// The error that there is no such model.
    UnknownModel,
    /// The error that what was paid for is used up, so that waiting is of no use (with Gemini, until the day is over). A server
    /// of one's own, which has no such error, answers as to too many requests.
    Quota,
    /// The provider's filter refuses to answer.
    Refusal,
}

impl Script {
    /// A healthy answer.
    pub fn new() -> Self {
        Self::default()
    }

    /// An answer that says this.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    /// An answer of so many pieces, each so long after the one before.
    pub fn paced(chunks: usize, gap_ms: u64) -> Self {
        Self { chunks: Some(chunks), gap_ms, ..Self::default() }
    }

    /// An error.
    pub fn status(status: u16) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    /// A fault.
    pub fn fault(fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::default() }
    }

    /// A fault after so many pieces of content.
    pub fn fault_after(fault: Fault, after: usize) -> Self {
        Self { fault: Some(fault), after: Some(after), ..Self::default() }
    }

    /// Only for requests whose path contains this.
    #[must_use]
    pub fn on(self, path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    /// Only for requests for this model.
    #[must_use]
    pub fn for_model(self, model: impl Into<String>) -> Self {
        Self { model: Some(model.into()), ..self }
    }

    /// Only for requests with this credential.
    #[must_use]
    pub fn with_key(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// For so many requests.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    /// For every request.
    #[must_use]
    pub fn forever(self) -> Self {
        Self { times: None, ..self }
    }

    /// Adds a call of a tool.
    #[must_use]
    pub fn call(mut self, name: impl Into<String>, arguments: impl Into<String>) -> Self {
        self.calls.push(Call { name: name.into(), arguments: arguments.into() });
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Reads the short form.
    pub fn parse(short: &str) -> Result<Self, String> {
        let mut fields = Map::new();
        for field in short.split(',').filter(|field| !field.is_empty()) {
            let (name, value) = field.split_once('=').unwrap_or((field, "true"));
            let value = match name.trim() {
                "text" | "thinking" | "message" | "path" | "model" | "key" => Value::from(value),
                _ => serde_json::from_str(value).unwrap_or_else(|_| value.into()),
            };
            fields.insert(name.trim().to_owned(), value);
        }
        serde_json::from_value(fields.into()).map_err(|error| format!("{short:?} is no script: {error}"))
    }

    /// Whether it is for such a request.
    pub(super) fn is_for(&self, path: &str, model: &str, key: Option<&str>, is_pooled: bool) -> bool {
        self.path.as_ref().is_none_or(|wanted| path.contains(wanted.as_str()))
            && self.model.as_ref().is_none_or(|wanted| wanted == model)
            && self.key.as_deref().is_none_or(|wanted| key == Some(wanted))
            && (is_pooled || self.fault != Some(Fault::ClosePooled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_form_says_what_the_long_one_does() {
        let script = Script::parse("fault=reset,after=3,gap_ms=20,stamp,text=2 birds").unwrap();
        let long = Script {
            gap_ms: 20,
            stamp: true,
            text: Some("2 birds".to_owned()),
            ..Script::fault_after(Fault::Reset, 3)
        };
        assert_eq!(script, long);
        assert_eq!(Script::parse("").unwrap(), Script::new());
    }

    #[test]
    fn a_word_that_is_none_of_a_scripts_is_refused_by_name() {
        assert!(Script::parse("falut=reset").unwrap_err().contains("falut"));
        assert!(Script::parse("fault=restet").unwrap_err().contains("restet"));
    }

    #[test]
    fn the_long_form_comes_back_as_it_was_written() {
        let script =
            Script::status(429).call("weather", "{}").header("x-a", "b").forever().on("/v1/messages");
        let json = serde_json::to_string(&script).unwrap();
        assert_eq!(serde_json::from_str::<Script>(&json).unwrap(), script);
    }

    #[test]
    fn a_script_is_for_the_requests_that_it_names() {
        let script = Script::new().on("/messages").for_model("a").with_key("k");
        assert!(script.is_for("/v1/messages", "a", Some("k"), false));
        assert!(!script.is_for("/v1/messages", "b", Some("k"), false));
        assert!(!script.is_for("/v1/messages", "a", Some("l"), false));
        assert!(!script.is_for("/v1/messages", "a", None, false));
        assert!(!script.is_for("/v1/chat/completions", "a", Some("k"), false));
        let pooled = Script::fault(Fault::ClosePooled);
        assert!(pooled.is_for("/", "", None, true) && !pooled.is_for("/", "", None, false));
    }
}
