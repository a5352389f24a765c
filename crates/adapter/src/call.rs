//! A request, as it goes on to the provider: what belongs to its caller alone is taken away, everything else stays byte for byte.

use std::time::Duration;

use axum::extract::Request;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method};
use pas_dialects::request::Asked;
use pas_dialects::splice::{Edit, inserted, quoted, splice};
use pas_service::web;
use pas_types::routing::Dialect;
use pas_types::{Error, limits};
use pas_upstream::headers;
use tokio::time::Instant;

use crate::app::App;
use crate::config::Config;
use crate::profile::Route;

const DEADLINE: HeaderName = HeaderName::from_static("x-pas-deadline-ms");

/// A call, as it goes to the provider.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The model, by the name that the caller has for it; empty where none is named.
    pub(crate) model: String,
    pub(crate) deadline: Instant,
}

impl Call {
    /// Reads a request of this route.
    pub(crate) async fn read(app: &App, route: &Route, request: Request) -> Result<Self, Error> {
        let method = request.method().clone();
        let (path, query) = (request.uri().path().to_owned(), without_key(request.uri().query()));
        let by_path = route.model(&path);
        let (headers, body) = match method {
            Method::GET => (request.into_parts().0.headers, Bytes::new()),
            _ => web::text(request, limits::CALL_BODY_BYTES).await?,
        };
        let deadline = deadline(&app.config, &headers)?;
        let asked = if body.is_empty() { None } else { Some(Asked::read(route.dialect, &body)?) };
        let named = asked.as_ref().and_then(|asked| asked.model.as_ref());
        let model = by_path.or_else(|| named.map(|model| model.name.clone())).unwrap_or_default();
        let mut edits: Vec<Edit> = Vec::new();
        if let (Some(named), Some(own_name)) = (named, app.own_name()) {
            edits.push(Edit { range: named.range.clone(), with: quoted(&own_name) });
        }
        if route.dialect == Dialect::OllamaChat && memchr::memmem::find(&body, b"\"truncate\"").is_none() {
            // Else Ollama cuts a prompt that is too long, and tells nobody.
            edits.extend(inserted(&body, "truncate", b"false"));
        }
        Ok(Self {
            method,
            path: query.map_or_else(|| path.clone(), |query| format!("{path}?{query}")),
            headers: headers::onward(headers),
            body: splice(&body, edits),
            model,
            deadline,
        })
    }
}

/// A query without a caller's credential.
fn without_key(query: Option<&str>) -> Option<String> {
    let kept: Vec<&str> = query?.split('&').filter(|pair| !pair.starts_with("key=")).collect();
    Some(kept.join("&")).filter(|query| !query.is_empty())
}

/// Until when: as the caller says, and never longer than the settings.
fn deadline(config: &Config, headers: &HeaderMap) -> Result<Instant, Error> {
    let most = Duration::from_secs(config.call_s);
    let given = match headers.get(DEADLINE) {
        None => most,
        Some(value) => {
            let ms = value.to_str().ok().and_then(|text| text.parse::<u64>().ok()).filter(|ms| *ms > 0);
            let refused =
                || Error::invalid("x-pas-deadline-ms", "x-pas-deadline-ms: use milliseconds, 1 or more");
            Duration::from_millis(ms.ok_or_else(refused)?)
        }
    };
    Ok(Instant::now() + given.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_credential_does_not_go_on_in_the_query() {
        assert_eq!(without_key(Some("alt=sse&key=AIza&x=1")).as_deref(), Some("alt=sse&x=1"));
        assert_eq!(without_key(Some("key=AIza")), None);
    }
}
