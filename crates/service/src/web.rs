//! For handlers: decode → one call → encode, with the same errors everywhere.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use pas_types::{Error, limits};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::request::BodyLimit;

/// An error on its way to an HTTP caller. [`crate::request`] puts it in the envelope.
#[derive(Debug, Clone)]
pub struct Failure(pub Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() =
            StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.extensions_mut().insert(self);
        response
    }
}

/// A JSON body, in or out.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => {
                ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
            }
            Err(error) => {
                tracing::error!(%error, "an answer could not be written as JSON");
                Failure(Error::new(pas_types::ErrorCode::Internal, "the answer could not be written"))
                    .into_response()
            }
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        check_kind(&request)?;
        parse(&read(request).await?).map(Json).map_err(Failure)
    }
}

/// A body that may be left out.
impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Option<Self>, Failure> {
        let checked = check_kind(&request);
        let body = read(request).await?;
        if body.is_empty() {
            return Ok(None);
        }
        checked?;
        parse(&body).map(Json).map(Some).map_err(Failure)
    }
}

/// Refuses a body that says that it is something else than JSON.
fn check_kind(request: &Request) -> Result<(), Error> {
    let kind = request.headers().get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    match kind {
        Some(kind) if !is_json(kind) => {
            let message = format!("the body is `{kind}`: send JSON with `content-type: application/json`");
            Err(Error::invalid("content-type", message).with_status(415))
        }
        _ => Ok(()),
    }
}

async fn read(request: Request) -> Result<Bytes, Error> {
    let limit = request.extensions().get::<BodyLimit>().map_or(limits::CONTROL_BODY_BYTES, |limit| limit.0);
    crate::request::read_body(request.into_body(), limit).await
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Reads JSON into a wire type; the error names the field.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    if body.is_empty() {
        return Err(Error::new(
            pas_types::ErrorCode::InvalidArgument,
            "the body is empty: send a JSON object",
        ));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        let message = in_words(&inner.to_string());
        match inner.classify() {
            serde_json::error::Category::Data => {
                let field = field_of(&path, &message);
                let said = if path == "." { message } else { format!("{path}: {message}") };
                Error { field, ..Error::new(pas_types::ErrorCode::InvalidArgument, said) }
            }
            _ => Error::new(
                pas_types::ErrorCode::InvalidArgument,
                format!("the body is not valid JSON: {message}"),
            ),
        }
    })?;
    deserializer.end().map_err(|error| {
        Error::new(
            pas_types::ErrorCode::InvalidArgument,
            format!("the body goes on after the JSON value: {error}"),
        )
    })?;
    Ok(value)
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
pub(crate) fn in_words(message: &str) -> String {
    const WORDS: [(&str, &str); 9] = [
        ("expected u8", "expected a whole number from 0 to 255"),
        ("expected u16", "expected a whole number from 0 to 65535"),
        ("expected u32", "expected a whole number from 0 to 4294967295"),
        ("expected u64", "expected a whole number, 0 or more"),
        ("expected usize", "expected a whole number, 0 or more"),
        ("expected i64", "expected a whole number"),
        ("expected f64", "expected a number"),
        ("expected a borrowed string", "expected a string"),
        ("expected struct ", "expected an object: "),
    ];
    let mut message = message.to_owned();
    for (rust, words) in WORDS {
        // `expected u8` must not match inside `expected u80`; serde ends the word with the message or a blank.
        if let Some(at) = message.find(rust) {
            let after = message[at + rust.len()..].chars().next();
            if rust.ends_with(' ') || after.is_none_or(|next| next == ' ' || next == ',') {
                message.replace_range(at..at + rust.len(), words);
            }
        }
    }
    message
}

/// The query of a URL as decoded pairs, in order.
#[derive(Debug, Clone)]
pub struct Pairs(pub Vec<(String, String)>);

impl Pairs {
    /// The pairs, as the wire types read them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Pairs {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let query = parts.uri.query().unwrap_or_default();
        let decode = |text: &str| {
            let text = text.replace('+', " ");
            percent_encoding::percent_decode_str(&text).decode_utf8().map(|text| text.into_owned())
        };
        let mut pairs = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Ok(key), Ok(value)) = (decode(key), decode(value)) else {
                let message = format!("`{pair}` is not UTF-8: percent-encode the text's UTF-8 bytes");
                return Err(Error::invalid("query", message).into());
            };
            pairs.push((key, value));
        }
        Ok(Self(pairs))
    }
}

/// One segment of the path, read as `T`.
#[derive(Debug, Clone, Copy)]
pub struct Segment<T>(pub T);

impl<S: Send + Sync, T: std::str::FromStr> FromRequestParts<S> for Segment<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let read = axum::extract::RawPathParams::from_request_parts(parts, state).await;
        let refuse = |name: &str, text: &str| {
            let kind = std::any::type_name::<T>().rsplit("::").next().unwrap_or_default();
            Failure(Error::invalid(
                name,
                format!("`{text}` in the path is not a {kind}: use one as it was answered"),
            ))
        };
        let params = read.map_err(|_| refuse("path", parts.uri.path()))?;
        let (name, text) = params.iter().next().unwrap_or_default();
        text.parse().map(Self).map_err(|_| refuse(name, text))
    }
}

#[cfg(test)]
mod tests {
    use pas_types::registry::{Heartbeat, Registration};

    use super::*;

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
