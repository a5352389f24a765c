//! The request as it goes upstream.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Version, header};
use http_body_util::Full;
use pas_dialects::splice::{Edit, inserted, quoted, splice};
use pas_routing::Choice;
use pas_types::Error;
use pas_types::routing::Dialect;
use serde_json::json;
use tokio::time::Instant;

use super::Way;
use crate::call::{Form, Handed, Operation};
use crate::headers;
use crate::lane::Lane;

/// The request for this candidate.
pub(super) fn request(way: &Way<'_>, choice: &Choice, lane: &Lane) -> Result<Request<Full<Bytes>>, Error> {
    let call = way.call;
    let stream = call.form != Form::Whole;
    let operation = match &call.body {
        Handed::Text { .. } => Operation::of(choice.dialect),
        Handed::Bytes(_) => call.operation,
    };
    let body = body(way, choice, lane);
    let path = operation.path(&lane.model, stream);
    let uri =
        if lane.root.prefix.is_empty() { path } else { Cow::Owned(format!("{}{path}", lane.root.prefix)) };
    let uri = match uri {
        Cow::Borrowed(known) => http::Uri::from_static(known),
        Cow::Owned(text) => http::Uri::try_from(text)
            .map_err(|_| Error::invalid("model", "no path can be made of that model's name: use another"))?,
    };
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_11;
    let left = way.deadline.saturating_duration_since(Instant::now());
    let mut onward = call.headers.clone();
    headers::own(&mut onward, left, call.wishes.hops);
    onward.insert(header::HOST, lane.root.host.clone());
    onward.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if choice.dialect == Dialect::Pas {
        own_words(way, &mut onward);
    }
    pas_service::request::pass_on(&mut onward);
    *request.headers_mut() = onward;
    Ok(request)
}

/// What those hear who speak PAS's own dialect.
fn own_words(way: &Way<'_>, headers: &mut http::HeaderMap) {
    let wishes = &way.call.wishes;
    let budget = wishes.policy.budget.as_deref();
    let caps = way.call.target.require_caps.join(",");
    let words = [
        ("x-pas-agent", wishes.agent.as_deref()),
        ("x-pas-run", wishes.agent_run_id.as_ref().map(pas_types::id::RunId::as_str)),
        ("x-pas-budget", budget),
        ("x-pas-caps", Some(caps.as_str()).filter(|caps| !caps.is_empty())),
    ];
    for (name, word) in words {
        if let Some(value) = word.and_then(|word| HeaderValue::from_str(word).ok()) {
            headers.insert(http::HeaderName::from_static(name), value);
        }
    }
}

fn body(way: &Way<'_>, choice: &Choice, lane: &Lane) -> Bytes {
    let call = way.call;
    match &call.body {
        Handed::Text { payload, .. } if choice.dialect == Dialect::Pas => payload.clone(),
        Handed::Text { text, instruction, .. } => spoken(choice.dialect, &lane.model, text, *instruction),
        Handed::Bytes(bytes) => {
            let mut edits: Vec<Edit> = call.asked.ask_usage.iter().cloned().collect();
            match &call.asked.model {
                Some(model) => edits.push(Edit { range: model.range.clone(), with: quoted(&lane.model) }),
                None if names_model(choice.dialect) => {
                    edits.extend(inserted(bytes, "model", &quoted(&lane.model)))
                }
                None => {}
            }
            splice(bytes, edits)
        }
    }
}

/// Whether a body in this dialect says which model it is for.
fn names_model(dialect: Dialect) -> bool {
    !matches!(dialect, Dialect::Pas | Dialect::GeminiGenerate)
}

/// The most tokens of an answer to a plain text, where a dialect insists on a number.
const PLAIN_OUTPUT: u32 = 1024;

/// A text as one message of a user.
fn spoken(dialect: Dialect, model: &str, text: &str, instruction: Option<&str>) -> Bytes {
    let text = instruction.map_or_else(|| text.to_owned(), |instruction| format!("{instruction}\n\n{text}"));
    let value = match dialect {
        Dialect::OpenaiResponses => json!({"model": model, "input": text}),
        Dialect::AnthropicMessages => json!({
            "model": model, "max_tokens": PLAIN_OUTPUT, "messages": [{"role": "user", "content": text}],
        }),
        Dialect::GeminiGenerate => json!({"contents": [{"role": "user", "parts": [{"text": text}]}]}),
        Dialect::OpenaiChat | Dialect::OpenaiEmbeddings | Dialect::OllamaChat | Dialect::Pas => {
            json!({"model": model, "messages": [{"role": "user", "content": text}]})
        }
    };
    value.to_string().into()
}

/// What is said before a text from which only its capability tells what is to be done with it.
pub fn text_of(caps: &[String]) -> Option<&'static str> {
    let wants = |word: &str| caps.iter().any(|cap| cap == word);
    if wants("summarize") {
        Some("Summarize the following text in a few sentences. Answer with the summary alone.")
    } else if wants("classify") || wants("classify_light") {
        Some(
            "Name the one domain that the following text belongs to. Answer with the name of the domain alone.",
        )
    } else {
        None
    }
}
