//! What is counted of calls, by model.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use pas_service::Metrics;
use pas_types::event::CallUsage;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

/// The label of a model that is not offered: a caller may ask for anything.
const OTHER: &str = "other";

/// The counts. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Counts {
    calls: Family<CallLabels, Counter>,
    tokens: Family<TokenLabels, Counter>,
    seconds: Family<ModelLabel, Histogram, fn() -> Histogram>,
    first_token: Family<ModelLabel, Histogram, fn() -> Histogram>,
    left: Family<LimitLabels, Gauge>,
    changes: Counter,
    models: Arc<RwLock<BTreeSet<Arc<str>>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    model: Arc<str>,
    /// `ok`, or the class of the error.
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokenLabels {
    model: Arc<str>,
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModelLabel {
    model: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabels {
    credential: Arc<str>,
    kind: &'static str,
}

/// How a call ended: its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    /// The caller's own fault.
    Caller,
    TooLong,
    /// No credential is taken.
    Credential,
    Limited,
    /// The provider has too much to do, or failed.
    Failed,
    Unreachable,
    /// It took longer than it may.
    Timeout,
    /// It broke off.
    Cut,
    /// It is an error in spite of its status.
    Inside,
    /// Its caller has left.
    Left,
    /// There was no room for it.
    Busy,
}

impl Outcome {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Caller => "caller",
            Self::TooLong => "context_too_long",
            Self::Credential => "credential",
            Self::Limited => "rate_limited",
            Self::Failed => "failed",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Cut => "cut",
            Self::Inside => "error_inside",
            Self::Left => "cancelled",
            Self::Busy => "busy",
        }
    }
}

fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.01, 2.5, 12))
}

impl Counts {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let counts = Self {
            calls: Family::default(),
            tokens: Family::default(),
            seconds: Family::new_with_constructor(seconds),
            first_token: Family::new_with_constructor(seconds),
            left: Family::default(),
            changes: Counter::default(),
            models: Arc::default(),
        };
        metrics.register("calls", "Calls of models, by how they ended", counts.calls.clone());
        metrics.register("tokens", "Tokens, as the provider counted them", counts.tokens.clone());
        metrics.register("call_seconds", "Time to the end of an answer", counts.seconds.clone());
        metrics.register(
            "first_token_seconds",
            "Time to a stream's first content",
            counts.first_token.clone(),
        );
        metrics.register(
            "limit_remaining",
            "What is left of a provider's limit, as its last answer said",
            counts.left.clone(),
        );
        metrics.register(
            "credential_changes",
            "Answers for which another credential was tried",
            counts.changes.clone(),
        );
        counts
    }

    /// These are offered.
    pub(crate) fn offer<'a>(&self, models: impl Iterator<Item = &'a str>) {
        *self.models.write().unwrap_or_else(PoisonError::into_inner) = models.map(Arc::from).collect();
    }

    /// Those that are offered.
    pub(crate) fn offered(&self) -> BTreeSet<Arc<str>> {
        self.models.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The label of a model.
    pub(crate) fn model(&self, model: &str) -> Arc<str> {
        let models = self.models.read().unwrap_or_else(PoisonError::into_inner);
        models.get(model).cloned().unwrap_or_else(|| OTHER.into())
    }

    pub(crate) fn ended(&self, model: &Arc<str>, outcome: Outcome, took: Duration) {
        let labels = CallLabels { model: Arc::clone(model), outcome: outcome.word() };
        self.calls.get_or_create(&labels).inc();
        if outcome == Outcome::Ok {
            self.seconds.get_or_create(&ModelLabel { model: Arc::clone(model) }).observe(took.as_secs_f64());
        }
    }

    pub(crate) fn first_token(&self, model: &Arc<str>, after: Duration) {
        self.first_token.get_or_create(&ModelLabel { model: Arc::clone(model) }).observe(after.as_secs_f64());
    }

    pub(crate) fn used(&self, model: &Arc<str>, usage: CallUsage) {
        let CallUsage { input, output, cache_read, cache_write, reasoning, .. } = usage;
        let kinds = [
            ("input", input),
            ("output", output),
            ("cache_read", cache_read),
            ("cache_write", cache_write),
            ("reasoning", reasoning),
        ];
        for (kind, tokens) in kinds.into_iter().filter(|(_, tokens)| *tokens > 0) {
            self.tokens.get_or_create(&TokenLabels { model: Arc::clone(model), kind }).inc_by(tokens);
        }
    }

    pub(crate) fn left(&self, credential: &Arc<str>, kind: &'static str, left: i64) {
        self.left.get_or_create(&LimitLabels { credential: Arc::clone(credential), kind }).set(left);
    }

    pub(crate) fn changed_credential(&self) {
        self.changes.inc();
    }
}
