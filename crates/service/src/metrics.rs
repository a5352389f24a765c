//! What a service counts, in Prometheus's words. Each service has its own set, so that one process can host several.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::MatchedPath;
use pas_types::catalog;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeLabelValue, EncodeMetric, LabelValueEncoder,
};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

/// The metrics of one service; every name begins with `pas_<service>_`. Clones share them.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    pub(crate) requests: Family<RequestLabels, Counter>,
    pub(crate) request_seconds: Family<RouteLabel, Histogram, fn() -> Histogram>,
    pub(crate) connections: Gauge,
}

/// What requests are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    pub(crate) route: Route,
    pub(crate) status: u16,
}

/// What durations are kept by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RouteLabel {
    pub(crate) route: Route,
}

/// A route, as it was registered.
#[derive(Debug, Clone)]
pub(crate) enum Route {
    /// By the router.
    Matched(MatchedPath),
    /// Before it.
    Direct(&'static str),
    /// None that there is.
    None,
}

impl Route {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Matched(path) => path.as_str(),
            Self::Direct(path) => path,
            Self::None => "none",
        }
    }
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Route {}

impl Hash for Route {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl EncodeLabelValue for Route {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        EncodeLabelValue::encode(&self.as_str(), encoder)
    }
}

impl Metrics {
    /// The metrics that every service has.
    pub fn new(entry: &catalog::Entry) -> Self {
        Self::of(Registry::with_prefix(format!("pas_{}", entry.section)))
    }

    /// The same for one of several services of a kind: their metrics have one name, and a label tells them apart.
    pub fn of_kind(kind: &str, label: &'static str, which: &'static str) -> Self {
        let labels = [(label.into(), which.into())];
        Self::of(Registry::with_prefix_and_labels(format!("pas_{kind}"), labels.into_iter()))
    }

    fn of(mut registry: Registry) -> Self {
        registry.register_collector(Box::new(Process));
        let metrics = Self {
            registry: Arc::new(Mutex::new(registry)),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(seconds),
            connections: Gauge::default(),
        };
        metrics.register("http_requests", "Requests answered", metrics.requests.clone());
        metrics.register(
            "http_request_seconds",
            "Time to the head of the answer",
            metrics.request_seconds.clone(),
        );
        metrics.register("connections", "Connections that are open", metrics.connections.clone());
        metrics
    }

    /// Adds a metric; a counter's name gets `_total` behind it.
    pub fn register(&self, name: &str, help: &str, metric: impl Metric) {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner).register(name, help, metric);
    }

    /// Adds figures that are read when they are asked for.
    pub fn register_collector(&self, collector: impl Collector) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register_collector(Box::new(collector));
    }

    /// All of it as Prometheus reads it.
    pub(crate) fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        prometheus_client::encoding::text::encode(&mut text, &registry)?;
        Ok(text)
    }
}

/// Something that is open, counted by a gauge until it is dropped.
#[derive(Debug)]
pub struct Open(Gauge);

impl Open {
    /// One more.
    pub fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A histogram of times between 50 µs and 13 s.
pub fn seconds() -> Histogram {
    Histogram::new(prometheus_client::metrics::histogram::exponential_buckets(0.000_05, 4.0, 10))
}

/// What the process itself uses, read when asked.
#[derive(Debug)]
struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        #[cfg(target_os = "linux")]
        for (name, help, value) in crate::linux::process_use() {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}
