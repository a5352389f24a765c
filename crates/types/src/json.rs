//! JSON from outside: read into a type, with errors that name the field and say what would be accepted.

use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::DeserializeSeed;

use crate::error::{Error, ErrorCode};

/// Reads JSON into a type, which may borrow from it; the error names the field.
pub fn parse<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Error> {
    parse_seed(body, PhantomData)
}

/// Reads JSON into what `seed` makes of it; the error names the field.
pub(crate) fn parse_seed<'de, S>(body: &'de [u8], seed: S) -> Result<S::Value, Error>
where
    S: DeserializeSeed<'de> + Clone,
{
    if body.is_empty() {
        return Err(Error::new(ErrorCode::InvalidArgument, "the body is empty: send a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    // To know at every step where one is costs as much as the reading; only who is refused needs it, in a second one.
    let value = seed.clone().deserialize(&mut deserializer).map_err(|_| explain(body, seed))?;
    deserializer.end().map_err(|error| {
        Error::new(ErrorCode::InvalidArgument, format!("the body goes on after the JSON value: {error}"))
    })?;
    Ok(value)
}

/// Why `seed` can make nothing of a body.
fn explain<'de, S: DeserializeSeed<'de>>(body: &'de [u8], seed: S) -> Error {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    let Some(inner) = seed.deserialize(tracked).err() else {
        return Error::new(ErrorCode::InvalidArgument, "the body can't be read: send a JSON object");
    };
    let path = track.path().to_string();
    let message = in_words(&inner.to_string());
    if inner.classify() != serde_json::error::Category::Data {
        return Error::new(ErrorCode::InvalidArgument, format!("the body is not valid JSON: {message}"));
    }
    // Where it stands is said by the field, not by a line of what is often one line.
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what).to_owned();
    let field = field_of(&path, &message);
    let said = if path == "." { message } else { format!("{path}: {message}") };
    Error { field, ..Error::new(ErrorCode::InvalidArgument, said) }
}

/// The field that serde means: the one it names in quotes, under the path where it stands.
fn field_of(path: &str, message: &str) -> Option<String> {
    let named = ["unknown field `", "missing field `", "duplicate field `"].iter().find_map(|start| {
        let rest = message.strip_prefix(start)?;
        rest.split('`').next()
    });
    match (path, named) {
        (".", None) => None,
        (".", Some(named)) => Some(named.to_owned()),
        // The path of an unknown field names the field itself already.
        (path, Some(named)) if path.rsplit('.').next() == Some(named) => Some(path.to_owned()),
        (path, Some(named)) => Some(format!("{path}.{named}")),
        (path, None) => Some(path.to_owned()),
    }
}

/// Says serde's names of types in words.
pub fn in_words(message: &str) -> String {
    const WORDS: [(&str, &str); 8] = [
        ("expected u8", "expected a whole number from 0 to 255"),
        ("expected u16", "expected a whole number from 0 to 65535"),
        ("expected u32", "expected a whole number from 0 to 4294967295"),
        ("expected u64", "expected a whole number, 0 or more"),
        ("expected usize", "expected a whole number, 0 or more"),
        ("expected i64", "expected a whole number"),
        ("expected f64", "expected a number"),
        ("expected a borrowed string", "expected a string"),
    ];
    if let Some((what, _)) = message.split_once("expected struct ") {
        return format!("{what}expected an object");
    }
    let mut message = message.to_owned();
    for (rust, words) in WORDS {
        // `expected u8` must not match inside `expected u80`; serde ends the word with the message or a blank.
        if let Some(at) = message.find(rust) {
            let after = message[at + rust.len()..].chars().next();
            if after.is_none_or(|next| next == ' ' || next == ',') {
                message.replace_range(at..at + rust.len(), words);
            }
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::registry::{Heartbeat, Registration};

    fn refused<T: DeserializeOwned + std::fmt::Debug>(body: &str) -> (Option<String>, String) {
        let error = parse::<T>(body.as_bytes()).unwrap_err();
        (error.field, error.message)
    }

    #[test]
    fn an_error_in_a_body_names_the_field_and_what_would_be_accepted() {
        let registration = |rest: &str| {
            refused::<Registration>(&format!(r#"{{"name":"a","type":"agent","role":"system",{rest}}}"#))
        };
        let (field, message) = registration(r#""heartbeat_interval_s":-5"#);
        assert_eq!(field.as_deref(), Some("heartbeat_interval_s"));
        assert!(message.contains("`-5`, expected a whole number from 0 to"), "{message}");
        let (field, message) = registration(r#""colour":1"#);
        assert_eq!(field.as_deref(), Some("colour"));
        assert!(message.contains("expected one of"), "{message}");
        let (field, _) = refused::<Registration>(r#"{"name":"a","type":"agent"}"#);
        assert_eq!(field.as_deref(), Some("role"));
        let id = "018f0000-0000-7000-8000-000000000000";
        let (field, _) =
            refused::<Heartbeat>(&format!(r#"{{"service_id":"{id}","token_usage":{{"ctx_used":1,"x":2}}}}"#));
        assert_eq!(field.as_deref(), Some("token_usage.x"));
    }

    #[test]
    fn json_that_is_cut_or_too_deep_or_followed_by_more_is_refused() {
        assert!(refused::<Registration>("{\"name\":").1.starts_with("the body is not valid JSON"));
        assert!(
            refused::<serde_json::Value>(&"[".repeat(10_000)).1.starts_with("the body is not valid JSON")
        );
        assert!(refused::<serde_json::Value>("{} {}").1.starts_with("the body goes on"));
    }
}
