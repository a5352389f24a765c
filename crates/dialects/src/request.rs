//! What routing needs to know of a request. Everything else in it is the upstream's business.

use std::borrow::Cow;
use std::ops::Range;

use pas_types::Error;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::splice::Edit;
use crate::{Dialect, says_something};

/// How deep a body may be nested.
pub const DEPTH: usize = 128;
/// Bytes of a model's name.
pub const MODEL_BYTES: usize = 256;
/// Bytes of a request that make about one token; for estimates alone.
const BYTES_PER_TOKEN: u64 = 4;

/// What a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The model that it names, where the body does that.
    pub model: Option<Named>,
    /// It wants the answer in pieces.
    pub stream: bool,
    /// The most tokens that it wants.
    pub max_output: Option<u64>,
    /// About how many tokens it has.
    pub input_estimate: u64,
    /// What a model must be able to do for it.
    pub needs: Needs,
    /// What makes the provider tell the usage at the end of a stream, where it must be asked; none if it need not be, or
    /// the caller has asked itself.
    pub ask_usage: Option<Edit>,
}

/// A name, and where it stands in the body, quotes included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// Where it stands.
    pub range: Range<usize>,
}

/// What a request needs of a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// It hands it tools.
    pub tools: bool,
    /// It shows it pictures.
    pub vision: bool,
    /// It wants an answer that fits a schema.
    pub json_schema: bool,
    /// It wants it to think.
    pub thinking: bool,
    /// It begins the answer for it.
    pub prefill: bool,
    /// It goes on from something that only one provider has: a former answer, a file, a signed thought.
    pub bound: bool,
}

/// The body of a request, as far as it is looked at. Names of several dialects stand side by side: none has two meanings.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default, deserialize_with = "there")]
    model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    stream: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "there")]
    stream_options: Option<&'a RawValue>,
    #[serde(borrow, default)]
    max_tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    max_completion_tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    max_output_tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tools: Option<&'a RawValue>,
    #[serde(borrow, default)]
    functions: Option<&'a RawValue>,
    #[serde(borrow, default)]
    response_format: Option<&'a RawValue>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    thinking: Option<&'a RawValue>,
    #[serde(borrow, default)]
    previous_response_id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "generationConfig")]
    generation_config: Option<&'a RawValue>,
    #[serde(borrow, default)]
    messages: Option<&'a RawValue>,
}

/// A value that is there, also if it is null.
fn there<'de: 'a, 'a, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'a RawValue>, D::Error> {
    <&'a RawValue>::deserialize(deserializer).map(Some)
}

impl Asked {
    /// Reads a request. `max_depth` of nesting, JSON, an object: what else is wrong with it the upstream will say.
    pub fn read(dialect: Dialect, body: &[u8]) -> Result<Self, Error> {
        check_depth(body)?;
        // Serde would also read the fields from a list, in order.
        if body.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
            return Err(Error::invalid("body", "the body is no JSON object: send one"));
        }
        let read: Body<'_> = pas_types::json::parse(body)?;
        let numbers = [read.max_tokens, read.max_completion_tokens, read.max_output_tokens];
        let max_output = numbers.into_iter().flatten().find_map(|raw| raw.get().parse().ok());
        let stream = read.stream.is_some_and(|raw| raw.get() == "true");
        let asks = stream && dialect == Dialect::OpenaiChat;
        Ok(Self {
            model: read.model.map(|raw| named(body, raw)).transpose()?,
            stream,
            max_output: max_output.or_else(|| generation_limit(read.generation_config)),
            input_estimate: body.len() as u64 / BYTES_PER_TOKEN,
            needs: needs(dialect, body, &read),
            ask_usage: if asks { ask_usage(body, read.stream_options) } else { None },
        })
    }
}

/// Refuses what is nested too deeply, which would be dear to read further on.
fn check_depth(body: &[u8]) -> Result<(), Error> {
    // Most bodies have fewer brackets than that altogether.
    if memchr::memchr2_iter(b'{', b'[', body).nth(DEPTH).is_none() {
        return Ok(());
    }
    let (mut depth, mut place) = (0_usize, 0);
    while let Some(byte) = body.get(place) {
        match byte {
            b'"' => place = end_of_text(body, place),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH {
            return Err(Error::invalid("body", format!("the body is nested more than {DEPTH} levels deep")));
        }
        place += 1;
    }
    Ok(())
}

/// The place of the quote that ends the text which begins at `start`; the end of the body where none does.
fn end_of_text(body: &[u8], start: usize) -> usize {
    let mut place = start + 1;
    while let Some(found) = body.get(place..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        place += found;
        match body[place] {
            b'"' => return place,
            _ => place += 2,
        }
    }
    body.len()
}

/// Where `raw`, which was read from `body`, stands in it.
fn range(body: &[u8], raw: &RawValue) -> Range<usize> {
    let start = (raw.get().as_ptr() as usize).saturating_sub(body.as_ptr() as usize);
    start..start + raw.get().len()
}

fn named(body: &[u8], raw: &RawValue) -> Result<Named, Error> {
    if raw.get().len() > MODEL_BYTES + 2 {
        let message = format!("model has {} bytes: use at most {MODEL_BYTES}", raw.get().len() - 2);
        return Err(Error::invalid("model", message));
    }
    let name: Cow<'_, str> = serde_json::from_str(raw.get())
        .map_err(|_| Error::invalid("model", "model is not a text: name a model, a route or `cap:…`"))?;
    if name.is_empty() {
        return Err(Error::invalid("model", "model is empty: name a model, a route or `cap:…`"));
    }
    Ok(Named { name: name.into_owned(), range: range(body, raw) })
}

/// <https://platform.openai.com/docs/api-reference/chat/create#chat-create-stream_options>
fn ask_usage(body: &[u8], options: Option<&RawValue>) -> Option<Edit> {
    #[derive(Deserialize)]
    struct Options<'a> {
        #[serde(borrow, default, deserialize_with = "there")]
        include_usage: Option<&'a RawValue>,
    }
    let insert = |at: usize, text: &'static str| Edit { range: at..at, with: Cow::Borrowed(text.as_bytes()) };
    let Some(raw) = options else {
        let open = memchr::memchr(b'{', body)?;
        return Some(insert(open + 1, r#""stream_options":{"include_usage":true},"#));
    };
    if raw.get() == "null" {
        let with = Cow::Borrowed(&br#"{"include_usage":true}"#[..]);
        return Some(Edit { range: range(body, raw), with });
    }
    let read: Options<'_> = serde_json::from_str(raw.get()).ok()?;
    match read.include_usage {
        Some(asked) if asked.get() == "true" => None,
        Some(other) => Some(Edit { range: range(body, other), with: Cow::Borrowed(b"true") }),
        None => {
            let at = range(body, raw).start + 1;
            let is_empty = raw.get().get(1..)?.trim_start().starts_with('}');
            Some(insert(at, if is_empty { r#""include_usage":true"# } else { r#""include_usage":true,"# }))
        }
    }
}

fn generation_limit(config: Option<&RawValue>) -> Option<u64> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Config {
        max_output_tokens: Option<u64>,
    }
    serde_json::from_str::<Config>(config?.get()).ok()?.max_output_tokens
}

fn needs(dialect: Dialect, body: &[u8], read: &Body<'_>) -> Needs {
    let has = |word: &str| memchr::memmem::find(body, word.as_bytes()).is_some();
    // Inside of a text these words would have their quotes escaped.
    let in_part = |raw: Option<&RawValue>, word: &str| raw.is_some_and(|raw| raw.get().contains(word));
    let tools = [read.tools, read.functions].into_iter().flatten().any(says_something);
    match dialect {
        Dialect::OpenaiChat => Needs {
            tools,
            vision: has(r#""image_url""#),
            json_schema: in_part(read.response_format, r#""json_schema""#),
            ..Needs::default()
        },
        Dialect::OpenaiResponses => Needs {
            tools,
            vision: has(r#""input_image""#),
            json_schema: in_part(read.text, r#""json_schema""#),
            bound: read.previous_response_id.is_some()
                || has(r#""file_id""#)
                || has(r#""encrypted_content""#),
            ..Needs::default()
        },
        Dialect::AnthropicMessages => Needs {
            tools,
            vision: has(r#""image""#),
            json_schema: false,
            thinking: in_part(read.thinking, "enabled") || in_part(read.thinking, "adaptive"),
            prefill: ends_with_assistant(read.messages),
            bound: has(r#""signature""#) || has(r#""file_id""#),
        },
        Dialect::GeminiGenerate => Needs {
            tools,
            vision: has(r#""inlineData""#) || has(r#""inline_data""#) || has(r#""fileData""#),
            json_schema: has(r#""responseSchema""#) || has(r#""responseJsonSchema""#),
            bound: has(r#""thoughtSignature""#) || has(r#""fileData""#) || has(r#""cachedContent""#),
            ..Needs::default()
        },
        Dialect::OpenaiEmbeddings | Dialect::Pas | Dialect::OllamaChat => Needs::default(),
    }
}

fn ends_with_assistant(messages: Option<&RawValue>) -> bool {
    #[derive(Deserialize)]
    struct Message<'a> {
        #[serde(borrow, default)]
        role: Option<Cow<'a, str>>,
    }
    let messages = messages.and_then(|raw| serde_json::from_str::<Vec<&RawValue>>(raw.get()).ok());
    let last = messages.and_then(|messages| serde_json::from_str::<Message<'_>>(messages.last()?.get()).ok());
    last.is_some_and(|message| message.role.as_deref() == Some("assistant"))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::splice::{quoted, splice};

    fn read(dialect: Dialect, body: &str) -> Asked {
        Asked::read(dialect, body.as_bytes()).unwrap()
    }

    #[test]
    fn what_routing_needs_is_read_and_the_rest_is_not_judged() {
        let body = r#"{"x":[1,{"model":"no"}],"model":"gp\u0074-4o","stream":true,"max_tokens":7,
            "messages":"not judged","tools":[{}],"response_format":{"type":"json_schema"}}"#;
        let asked = read(Dialect::OpenaiChat, body);
        let model = asked.model.clone().unwrap();
        assert_eq!((model.name.as_str(), &body[model.range]), ("gpt-4o", r#""gp\u0074-4o""#));
        let needs = Needs { tools: true, json_schema: true, ..Needs::default() };
        assert_eq!((asked.stream, asked.max_output, asked.needs), (true, Some(7), needs));
    }

    #[test]
    fn needs_are_found_in_parts_and_not_in_texts() {
        let vision = |body: &str| read(Dialect::OpenaiChat, body).needs.vision;
        assert!(vision(r#"{"messages":[{"content":[{"type":"image_url"}]}]}"#));
        assert!(!vision(r#"{"messages":[{"content":"what is \"image_url\"?"}]}"#));
        let prefill = |body: &str| read(Dialect::AnthropicMessages, body).needs.prefill;
        assert!(prefill(r#"{"messages":[{"role":"user"},{"role":"assistant","content":"{"}]}"#));
        assert!(!prefill(r#"{"messages":[{"role":"assistant"},{"role":"user"}]}"#));
    }

    #[test]
    fn usage_is_asked_for_once_and_what_else_was_said_stays() {
        for (body, wanted) in [
            (r#"{"stream":true}"#, r#"{"stream_options":{"include_usage":true},"stream":true}"#),
            (
                r#"{"stream":true,"stream_options":{}}"#,
                r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
            ),
            (
                r#"{"stream":true,"stream_options":{ "x":1}}"#,
                r#"{"stream":true,"stream_options":{"include_usage":true, "x":1}}"#,
            ),
            (
                r#"{"stream":true,"stream_options":{"include_usage":false}}"#,
                r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
            ),
            (
                r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
                r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
            ),
            (
                r#"{"stream":true,"stream_options":null}"#,
                r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
            ),
            (
                r#"{"stream":true,"stream_options":{"include_usage":null}}"#,
                r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
            ),
            (r#"{"stream":false}"#, r#"{"stream":false}"#),
        ] {
            let edits = read(Dialect::OpenaiChat, body).ask_usage.into_iter().collect();
            assert_eq!(splice(&Bytes::from(body), edits), wanted);
        }
    }

    #[test]
    fn what_is_nested_too_deeply_is_refused_and_brackets_in_texts_are_not_nesting() {
        let nested = |depth: usize| format!("{{\"x\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        let read = |body: &str| Asked::read(Dialect::OpenaiChat, body.as_bytes());
        assert!(read(&nested(DEPTH)).is_ok());
        for depth in [DEPTH + 1, 10_000] {
            assert_eq!(read(&nested(depth)).unwrap_err().field.as_deref(), Some("body"));
        }
        assert!(read(&format!(r#"{{"x":"\"{}","y":"\\"}}"#, "[{".repeat(10_000))).is_ok());
        assert!(read(&format!(r#"{{"x":[{}[]]}}"#, "[],".repeat(1_000))).is_ok());
    }

    #[test]
    fn a_model_that_is_none_is_refused_by_field() {
        let long = format!(r#"{{"model":"{}"}}"#, "m".repeat(1_000_000));
        for body in [r#"{"model":7}"#, r#"{"model":null}"#, r#"{"model":""}"#, &long] {
            let error = Asked::read(Dialect::OpenaiChat, body.as_bytes()).unwrap_err();
            assert_eq!(error.field.as_deref(), Some("model"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for dialect in Dialect::ALL {
                let _ = Asked::read(dialect, &bytes);
            }
        }

        #[test]
        fn another_models_name_leaves_the_rest_as_it_was(name in "\\PC{1,20}", other in "\\PC{1,20}", rest in "\\PC{0,40}") {
            let body = format!(r#"{{"a":{},"model":{},"b":[1, 2]}}"#,
                serde_json::to_string(&rest).unwrap(), serde_json::to_string(&name).unwrap());
            let model = read(Dialect::OpenaiChat, &body).model.unwrap();
            prop_assert_eq!(&model.name, &name);
            let spliced = splice(&Bytes::from(body.clone()), vec![Edit { range: model.range, with: quoted(&other) }]);
            let wanted = body.replacen(
                &format!(r#""model":{}"#, serde_json::to_string(&name).unwrap()),
                &format!(r#""model":{}"#, serde_json::to_string(&other).unwrap()), 1);
            prop_assert_eq!(spliced, Bytes::from(wanted));
        }
    }
}
