//! A call's place among others, and what is counted of it.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use pas_service::clock;
use pas_service::measures;
use pas_types::event::CallUsage;
use pas_types::{Error, ErrorCode};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout_at;

use crate::app::App;
use crate::call::Call;
use crate::metrics::{Counts, Outcome};
use crate::profile::{Kind, Route};
use crate::secret::Secret;

/// A call that has its place. Dropped before it has ended, its caller has left.
#[derive(Debug)]
pub(crate) struct Ticket {
    _held: [OwnedSemaphorePermit; 2],
    measured: measures::Call,
    counts: Counts,
    model: Arc<str>,
    begun: Duration,
    /// It is counted, and not over.
    is_open: bool,
}

/// Headers by which providers tell what is left of a limit. OpenAI and those who do as it does:
/// <https://developers.openai.com/api/docs/guides/rate-limits>; Anthropic: <https://platform.claude.com/docs/en/api/rate-limits>.
const LEFT: [(&str, &str); 4] = [
    ("requests", "x-ratelimit-remaining-requests"),
    ("tokens", "x-ratelimit-remaining-tokens"),
    ("requests", "anthropic-ratelimit-requests-remaining"),
    ("tokens", "anthropic-ratelimit-tokens-remaining"),
];

/// Room for a call, which may have to wait.
#[derive(Debug)]
pub(crate) struct Place {
    held: OwnedSemaphorePermit,
    waiting: measures::Waiting,
    begun: Duration,
}

impl Place {
    /// Takes one, if there is one.
    pub(crate) fn take(app: &App) -> Result<Self, Error> {
        let held = Arc::clone(&app.places).try_acquire_owned().map_err(|_| busy(app))?;
        Ok(Self { held, waiting: app.measures.wait(), begun: clock::monotonic() })
    }

    /// Waits until the call can be on its way.
    pub(crate) async fn begin(self, app: &App, route: &Route, call: &Call) -> Result<Ticket, Error> {
        let way = timeout_at(call.deadline, Arc::clone(&app.ways).acquire_owned()).await;
        let way = way.map_err(|_| {
            let message = "the call was still waiting for others at its deadline";
            Error::new(ErrorCode::UpstreamTimeout, message)
        })?;
        let way = way.map_err(|_| busy(app))?;
        Ok(Ticket {
            _held: [self.held, way],
            measured: self.waiting.begin(),
            counts: app.counts.clone(),
            model: app.counts.model(&call.model),
            begun: self.begun,
            is_open: route.kind == Kind::Turn,
        })
    }
}

/// There is no room: others may be asked meanwhile.
fn busy(app: &App) -> Error {
    app.counts.ended(&app.counts.model(""), Outcome::Busy, Duration::ZERO);
    let (calls, queue) = (app.config.calls, app.config.queue);
    let message = format!("{calls} calls are on their way and {queue} wait, which is the limit: try again");
    Error::new(ErrorCode::RateLimited, message).with_retry_after(1)
}

impl Ticket {
    /// An answer begins.
    pub(crate) fn answers(&mut self) {
        self.measured.answers();
    }

    /// A stream's first content is here.
    pub(crate) fn first_token(&mut self) {
        self.measured.answers();
        self.counts.first_token(&self.model, self.took());
    }

    /// The provider has counted this.
    pub(crate) fn used(&self, usage: CallUsage) {
        self.counts.used(&self.model, usage);
    }

    /// What an answer's head says of limits.
    pub(crate) fn limits(&self, secret: Option<&Secret>, headers: &HeaderMap) {
        let Some(secret) = secret else { return };
        for (kind, name) in LEFT {
            let left = headers.get(name).and_then(|value| value.to_str().ok()?.parse::<i64>().ok());
            // Some accounts are told nonsense.
            if let Some(left) = left.filter(|left| *left >= 0) {
                self.counts.left(secret.name(), kind, left);
            }
        }
    }

    /// It has ended so.
    pub(crate) fn end(&mut self, outcome: Outcome) {
        if std::mem::take(&mut self.is_open) {
            self.counts.ended(&self.model, outcome, self.took());
        }
    }

    fn took(&self) -> Duration {
        clock::monotonic().saturating_sub(self.begun)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.end(Outcome::Left);
    }
}
