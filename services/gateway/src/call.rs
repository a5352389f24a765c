//! A call, as an endpoint has decoded it: the same for every route.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use pas_dialects::request::Asked;
use pas_dialects::{Dialect, Family};
use pas_types::Error;
use pas_types::id::{CallId, RunId, is_file_safe};
use pas_types::invoke::{PolicyWish, Target};
use pas_types::limits;
use pas_types::time::Now;

/// How often a call may come back through a gateway.
pub const HOPS: u32 = 4;

/// What is to be done upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A chat, as OpenAI spells it.
    Chat,
    /// A response.
    Responses,
    /// Its tokens alone.
    CountResponses,
    /// Embeddings.
    Embeddings,
    /// A message, as Anthropic spells it.
    Messages,
    /// Its tokens alone.
    CountTokens,
    /// Content, as Gemini spells it.
    Generate,
    /// Its tokens alone.
    CountGenerate,
    /// PAS's own.
    Invoke,
}

impl Operation {
    /// The dialect in which it is spelled.
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::Chat => Dialect::OpenaiChat,
            Self::Responses | Self::CountResponses => Dialect::OpenaiResponses,
            Self::Embeddings => Dialect::OpenaiEmbeddings,
            Self::Messages | Self::CountTokens => Dialect::AnthropicMessages,
            Self::Generate | Self::CountGenerate => Dialect::GeminiGenerate,
            Self::Invoke => Dialect::Pas,
        }
    }

    /// Whether tokens are counted and no model works, which costs nothing.
    pub const fn is_count(self) -> bool {
        matches!(self, Self::CountResponses | Self::CountTokens | Self::CountGenerate)
    }

    /// What an answer is asked for with a dialect's own route.
    pub const fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::OpenaiChat => Self::Chat,
            Dialect::OpenaiResponses => Self::Responses,
            Dialect::OpenaiEmbeddings => Self::Embeddings,
            Dialect::AnthropicMessages => Self::Messages,
            Dialect::GeminiGenerate => Self::Generate,
            Dialect::Pas | Dialect::OllamaChat => Self::Invoke,
        }
    }

    /// Where it is asked for, below the root of a service.
    pub fn path(self, model: &str, stream: bool) -> Cow<'static, str> {
        let of_model = |verb: &str| {
            let model = percent_encoding::utf8_percent_encode(model, percent_encoding::NON_ALPHANUMERIC);
            Cow::Owned(format!("/v1beta/models/{model}:{verb}"))
        };
        match self {
            Self::Chat => "/v1/chat/completions".into(),
            Self::Responses => "/v1/responses".into(),
            Self::CountResponses => "/v1/responses/input_tokens".into(),
            Self::Embeddings => "/v1/embeddings".into(),
            Self::Messages => "/v1/messages".into(),
            Self::CountTokens => "/v1/messages/count_tokens".into(),
            Self::Generate if stream => of_model("streamGenerateContent?alt=sse"),
            Self::Generate => of_model("generateContent"),
            Self::CountGenerate => of_model("countTokens"),
            Self::Invoke => "/invoke".into(),
        }
    }
}

/// How a stream reaches the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As one JSON value.
    Whole,
    /// As server-sent events.
    Events,
    /// As a JSON list that grows, which only Gemini has.
    List,
}

/// A call.
#[derive(Debug)]
pub struct Call {
    /// Its id.
    pub run_id: CallId,
    /// The id under which it is logged.
    pub request_id: String,
    /// When it came in.
    pub came: Now,
    /// The route by which it did.
    pub route: &'static str,
    /// The dialect in which the caller speaks, and is told of errors.
    pub dialect: Dialect,
    /// What is to be done upstream.
    pub operation: Operation,
    /// The answer's form.
    pub form: Form,
    /// Whom it is for.
    pub target: Target,
    /// What it hands on.
    pub body: Handed,
    /// What was found in it.
    pub asked: Asked,
    /// The headers that go on with it.
    pub headers: HeaderMap,
    /// What its caller says of itself, and wishes for.
    pub wishes: Wishes,
}

/// What is handed on.
#[derive(Debug, Clone)]
pub enum Handed {
    /// This, byte for byte.
    Bytes(Bytes),
    /// A text, to be put in the words of whoever is asked; with what is to be done with it, where it must be said.
    Text {
        /// As it came, for who takes anything.
        payload: Bytes,
        /// The text.
        text: String,
        /// Said before it.
        instruction: Option<&'static str>,
    },
}

impl Call {
    /// Whether its caller is shown the receipt with the answer.
    pub fn shows_receipt(&self) -> bool {
        self.dialect == Dialect::Pas
    }

    /// Whose shapes its errors have.
    pub fn family(&self) -> Family {
        Family::of(self.dialect)
    }
}

/// What a caller says of itself, and wishes for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wishes {
    /// The agent that calls.
    pub agent: Option<String>,
    /// Its run.
    pub agent_run_id: Option<RunId>,
    /// What it wishes for.
    pub policy: PolicyWish,
    /// How often the call has come through a gateway.
    pub hops: u32,
}

const AGENT: HeaderName = HeaderName::from_static("x-pas-agent");
const RUN: HeaderName = HeaderName::from_static("x-pas-run");
const POLICY: HeaderName = HeaderName::from_static("x-pas-policy");
const BUDGET: HeaderName = HeaderName::from_static("x-pas-budget");
const COMPLEXITY: HeaderName = HeaderName::from_static("x-pas-complexity");
const DEADLINE: HeaderName = HeaderName::from_static("x-pas-deadline-ms");
const DELIVERY: HeaderName = HeaderName::from_static("x-pas-delivery");
const HOPS_HEADER: HeaderName = HeaderName::from_static("x-pas-hops");

impl Wishes {
    /// Reads them from the headers.
    pub fn read(headers: &HeaderMap) -> Result<Self, Error> {
        let policy = PolicyWish {
            name: text(headers, &POLICY)?,
            complexity: parsed(headers, &COMPLEXITY)?,
            delivery: parsed(headers, &DELIVERY)?,
            budget: text(headers, &BUDGET)?,
            timeout_s: deadline(headers)?,
            ..PolicyWish::default()
        };
        policy.validate_at("x-pas-")?;
        let hops = text(headers, &HOPS_HEADER)?.map_or(Ok(0), |hops| {
            hops.parse()
                .map_err(|_| Error::invalid("x-pas-hops", format!("x-pas-hops is `{hops}`: use a number")))
        });
        let agent = text(headers, &AGENT)?;
        if let Some(agent) =
            agent.as_deref().filter(|agent| agent.len() > limits::NAME_BYTES || agent.is_empty())
        {
            let message = format!("x-pas-agent has {} bytes: use 1 to {}", agent.len(), limits::NAME_BYTES);
            return Err(Error::invalid("x-pas-agent", message));
        }
        let wishes = Self { agent, agent_run_id: run(headers)?, policy, hops: hops? };
        if wishes.hops >= HOPS {
            let message =
                format!("the call has come through a gateway {} times: that is a loop", wishes.hops);
            return Err(Error::invalid("x-pas-hops", message));
        }
        Ok(wishes)
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Error> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(_) => Err(Error::invalid(name.as_str(), format!("{name} is not UTF-8: use text"))),
    }
}

fn parsed<T: std::str::FromStr<Err = Error>>(
    headers: &HeaderMap,
    name: &HeaderName,
) -> Result<Option<T>, Error> {
    let read = text(headers, name)?.map(|word| word.parse::<T>());
    read.transpose().map_err(|error| error.with_field(name.as_str()))
}

fn deadline(headers: &HeaderMap) -> Result<Option<f64>, Error> {
    let Some(text) = text(headers, &DEADLINE)? else { return Ok(None) };
    let most = limits::CALL_S * 1000.0;
    match text.parse::<u64>() {
        Ok(ms) if ms >= 1 && (ms as f64) <= most => Ok(Some(ms as f64 / 1000.0)),
        _ => {
            let message = format!("x-pas-deadline-ms is `{text}`: use a whole number from 1 to {most}");
            Err(Error::invalid("x-pas-deadline-ms", message))
        }
    }
}

fn run(headers: &HeaderMap) -> Result<Option<RunId>, Error> {
    let Some(text) = text(headers, &RUN)? else { return Ok(None) };
    if !is_file_safe(&text) {
        let message = format!("x-pas-run is `{text}`: use 1 to 128 letters, digits, `.`, `_` or `-`");
        return Err(Error::invalid("x-pas-run", message));
    }
    text.parse().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &'static str)]) -> Result<Wishes, Error> {
        let headers = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), http::HeaderValue::from_static(value)));
        Wishes::read(&headers.collect())
    }

    #[test]
    fn wishes_that_are_none_are_refused_by_the_header() {
        for (name, value) in [
            ("x-pas-deadline-ms", "-5"),
            ("x-pas-deadline-ms", "0"),
            ("x-pas-deadline-ms", "soon"),
            ("x-pas-complexity", "hard"),
            ("x-pas-delivery", "pigeon"),
            ("x-pas-run", "a/b"),
            ("x-pas-agent", ""),
            ("x-pas-hops", "many"),
            ("x-pas-hops", "4"),
        ] {
            assert_eq!(read(&[(name, value)]).unwrap_err().field.as_deref(), Some(name), "{value}");
        }
    }

    #[test]
    fn what_a_caller_wishes_is_read() {
        let wishes =
            read(&[("x-pas-agent", "Architect"), ("x-pas-deadline-ms", "1500"), ("x-pas-hops", "3")])
                .unwrap();
        assert_eq!(
            (wishes.agent.as_deref(), wishes.policy.timeout_s, wishes.hops),
            (Some("Architect"), Some(1.5), 3)
        );
    }

    #[test]
    fn a_model_with_a_slash_is_one_segment_of_the_path() {
        let path = Operation::Generate.path("models/gemini 2", true);
        assert_eq!(path, "/v1beta/models/models%2Fgemini%202:streamGenerateContent?alt=sse");
    }
}
