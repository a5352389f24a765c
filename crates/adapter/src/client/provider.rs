//! The provider: requests go out with a credential, answers come back.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::Full;
use pas_dialects::said::{self, Meaning};
use pas_upstream::{Answer, Connector, Pool, Root, SendError};
use serde_json::Value;

use crate::profile::Profile;
use crate::secret::Secret;

/// Time within which a connection must stand.
const CONNECT: Duration = Duration::from_secs(5);
/// Time for the answer to a question of the adapter's own.
const CALL: Duration = Duration::from_secs(15);
/// Bytes of such an answer: Hugging Face lists some megabytes of models.
const ANSWER_BYTES: usize = 32 * 1024 * 1024;
/// Bytes of an answer that are shown.
const SHOWN_CHARS: usize = 80;

/// The way to a provider.
#[derive(Debug)]
pub(crate) struct Provider {
    profile: &'static Profile,
    /// Its root, as messages show it.
    shown: String,
    root: Root,
    pool: Pool,
}

/// What was answered to whom: as far as it must be told, if it is not what was expected.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) method: &'a Method,
    /// Path and query.
    pub(crate) path: &'a str,
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    /// What it was asked with, and may repeat.
    pub(crate) secret: Option<&'a Secret>,
}

/// Why a question was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nobody is there, or says nothing.
    Unreachable(String),
    /// The credential is not taken.
    Refused(u16),
    /// It may not be asked now.
    Failed(String),
    /// What answers is something else.
    Stranger(String),
}

impl Provider {
    pub(crate) fn new(profile: &'static Profile, root: Root, shown: &str) -> Self {
        let pool = Pool::new(root.origin.clone(), Connector::default());
        Self { profile, shown: shown.trim_end_matches('/').to_owned(), root, pool }
    }

    /// Its root, as messages show it.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Connections to it.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// A request: what a caller sends on, at this path, with this credential.
    pub(crate) fn request(
        &self,
        method: &Method,
        path: &str,
        mut headers: HeaderMap,
        body: Bytes,
        secret: Option<&Secret>,
    ) -> Result<Request<Full<Bytes>>, http::Error> {
        for name in self.profile.withheld {
            headers.remove(*name);
        }
        for (name, value) in self.profile.headers {
            let name = HeaderName::from_static(name);
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
        headers.insert(header::HOST, self.root.host.clone());
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if !body.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(secret) = secret {
            let (name, value) = secret.header();
            headers.insert(name, value);
        }
        let uri = if self.root.prefix.is_empty() {
            Uri::try_from(path)?
        } else {
            Uri::try_from(format!("{}{path}", self.root.prefix))?
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// Sends such a request. One that finds its connection closed goes out again over a fresh one: it can't have arrived.
    pub(crate) async fn send(
        &self,
        request: impl Fn() -> Option<Request<Full<Bytes>>>,
    ) -> Result<Response<Answer>, SendError> {
        let first = request().ok_or_else(|| SendError::Broken("the request can't be written".to_owned()))?;
        Ok(self.pool.send(first, &request, true, CONNECT).await?.response)
    }

    /// Asks something of its own, with a JSON body or none, and reads the JSON that comes back.
    pub(crate) async fn ask(
        &self,
        path: &str,
        body: Option<&Value>,
        secret: Option<&Arc<Secret>>,
    ) -> Result<Value, Trouble> {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let text = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let secret = secret.map(|secret| &**secret);
        let request = || self.request(&method, path, HeaderMap::new(), text.clone(), secret).ok();
        let exchange = async {
            let response = self.send(request).await.map_err(|error| self.unreachable(&error))?;
            let (parts, mut body) = response.into_parts();
            let read = body.read(ANSWER_BYTES).await;
            let read = read.map_err(|error| Trouble::Unreachable(format!("{} {error}", self.shown)))?;
            self.pool.give_back(body);
            self.understand(Seen { method: &method, path, status: parts.status, body: read, secret })
        };
        let late =
            || Trouble::Unreachable(format!("{} does not answer within {} s", self.shown, CALL.as_secs()));
        tokio::time::timeout(CALL, exchange).await.unwrap_or_else(|_| Err(late()))
    }

    fn understand(&self, seen: Seen<'_>) -> Result<Value, Trouble> {
        let (status, code) = (seen.status, seen.status.as_u16());
        let stranger = |seen| Err(Trouble::Stranger(self.stranger(seen)));
        if status.is_success() {
            return serde_json::from_slice(&seen.body).or_else(|_| stranger(seen));
        }
        match said::read(&seen.body).unwrap_or_default().meaning(code) {
            Meaning::Credential | Meaning::Spent => Err(Trouble::Refused(code)),
            _ if status.is_redirection() => stranger(seen),
            Meaning::Missing => stranger(seen),
            Meaning::Caller if code != 408 => stranger(seen),
            _ => {
                let Seen { method, path, .. } = seen;
                Err(Trouble::Failed(format!("{} answers {method} {} with {code}", self.shown, bare(path))))
            }
        }
    }

    /// That what answers there is not what is expected, in words.
    pub(crate) fn stranger(&self, seen: Seen<'_>) -> String {
        let Seen { method, path, status, body, secret } = seen;
        let body = secret.map_or_else(|| body.clone(), |secret| secret.masked(body.clone()));
        let text = String::from_utf8_lossy(&body);
        let words: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let shown: String = words.chars().take(SHOWN_CHARS).collect();
        let Self { shown: root, profile, .. } = self;
        format!(
            "{root} does not speak {}'s API: it answers {method} {} with {} `{shown}`; is {} right?",
            profile.title,
            bare(path),
            status.as_u16(),
            profile.base_url_variable()
        )
    }

    /// Nobody answers there.
    pub(crate) fn unreachable(&self, error: &SendError) -> Trouble {
        match error {
            SendError::NoHttp(_) => {
                let Self { shown, profile, .. } = self;
                let variable = profile.base_url_variable();
                Trouble::Stranger(format!("{shown} does not speak HTTP: is {variable} right?"))
            }
            SendError::Connect(why) => {
                Trouble::Unreachable(format!("{} can't be reached: {why}", self.shown))
            }
            SendError::ConnectTimeout(within) => {
                let within = within.as_secs();
                Trouble::Unreachable(format!("{} can't be reached within {within} s", self.shown))
            }
            SendError::Broken(why) => {
                Trouble::Unreachable(format!("{} broke the connection off: {why}", self.shown))
            }
        }
    }
}

/// A path without its query.
fn bare(path: &str) -> &str {
    path.split('?').next().unwrap_or(path)
}

impl Trouble {
    /// In words, for who asked.
    pub(crate) fn in_words(self) -> String {
        match self {
            Self::Unreachable(said) | Self::Failed(said) | Self::Stranger(said) => said,
            Self::Refused(status) => format!("its credential is refused with {status}"),
        }
    }
}
