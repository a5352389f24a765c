//! For handlers: decode → one call → encode, with the same errors everywhere.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use pas_types::{Error, limits};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{body, json};

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
        json::parse(&read(request).await?).map(Json).map_err(Failure)
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
        json::parse(&body).map(Json).map(Some).map_err(Failure)
    }
}

/// A body that is JSON by its own word, of at most `LIMIT` bytes, for a handler that reads it itself.
#[derive(Debug, Clone)]
pub struct Text<const LIMIT: usize>(pub Bytes);

impl<S: Send + Sync, const LIMIT: usize> FromRequest<S> for Text<LIMIT> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        Ok(Self(text(request, LIMIT).await?.1))
    }
}

/// The headers of a request, and its body, which is JSON by its own word, of at most `limit` bytes.
pub async fn text(request: Request, limit: usize) -> Result<(HeaderMap, Bytes), Error> {
    check_kind(&request)?;
    let (parts, body) = request.into_parts();
    Ok((parts.headers, body::read(body, limit).await?))
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
    let limit = request.extensions().get::<body::Limit>().map_or(limits::CONTROL_BODY_BYTES, |limit| limit.0);
    body::read(request.into_body(), limit).await
}

/// Whether a content type is JSON, or something that is written in it.
pub fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.split_once('/').is_some_and(|(kind, of)| {
        let written_in = of.rsplit_once('+').map_or(of, |(_, written_in)| written_in);
        kind.eq_ignore_ascii_case("application") && written_in.eq_ignore_ascii_case("json")
    })
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
            let message = format!("`{text}` in the path is not a {name}: use one as it was answered");
            Failure(Error::invalid(name, message))
        };
        let params = read.map_err(|_| refuse("path", parts.uri.path()))?;
        let (name, text) = params.iter().next().unwrap_or_default();
        text.parse().map(Self).map_err(|_| refuse(name, text))
    }
}
