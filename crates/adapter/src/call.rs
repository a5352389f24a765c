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

/// What carries a credential in a query.
const CREDENTIALS: [&str; 4] = ["key", "access_token", "oauth_token", "api_key"];

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
        if has_dots(&path) {
            return Err(Error::not_found("there is no such path: leave out its dot segments"));
        }
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
        if route.dialect == Dialect::OllamaChat && !says_truncate(&body) {
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
    let is_credential = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
        CREDENTIALS.iter().any(|known| name.trim_start_matches('$').eq_ignore_ascii_case(known))
    };
    let kept: Vec<&str> = query?.split('&').filter(|pair| !is_credential(pair)).collect();
    Some(kept.join("&")).filter(|query| !query.is_empty())
}

/// Whether a path has segments by which it would lead elsewhere, for who normalises it.
fn has_dots(path: &str) -> bool {
    path.split('/').any(|segment| {
        let segment = percent_encoding::percent_decode_str(segment).decode_utf8_lossy();
        matches!(&*segment, "." | "..") || segment.contains(['/', '\\']) && segment.contains("..")
    })
}

/// Whether a request to Ollama says itself what is to be done with a prompt that is too long.
fn says_truncate(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Said {
        truncate: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_slice::<Said>(body).is_ok_and(|said| said.truncate.is_some())
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
        assert_eq!(without_key(Some("%6bey=a&access_token=b&$key=c&keys=d")).as_deref(), Some("keys=d"));
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_found() {
        let elsewhere =
            ["/v1/models/../files", "/v1/models/%2e%2e/files", "/v1/models/..%2ffiles", "/v1/./models"];
        assert!(elsewhere.iter().all(|path| has_dots(path)));
        assert!(
            !["/v1/models/gpt-4.1", "/v1/models/a..b", "/v1beta/models/x%2Fy:countTokens"]
                .iter()
                .any(|path| has_dots(path))
        );
    }

    #[test]
    fn only_the_request_itself_says_whether_it_may_be_cut() {
        assert!(says_truncate(br#"{"model":"m","truncate":false}"#));
        assert!(!says_truncate(
            br#"{"model":"m","messages":[{"role":"user","content":"truncate"}],"tools":[{"truncate":1}]}"#
        ));
    }
}
