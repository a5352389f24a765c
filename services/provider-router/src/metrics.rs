//! What the router counts.

use pas_service::Metrics;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

/// The router's own metrics.
#[derive(Debug)]
pub struct Counts {
    /// Files that came into force.
    pub loads: Counter,
    /// Files that did not, for their faults.
    pub rejections: Counter,
    /// Pairs of service and model that can be chosen.
    pub candidates: Gauge,
    /// Streams of gateways.
    pub watchers: Gauge,
}

impl Counts {
    /// Adds them to `metrics`.
    pub fn new(metrics: &Metrics) -> Self {
        let counts = Self {
            loads: Counter::default(),
            rejections: Counter::default(),
            candidates: Gauge::default(),
            watchers: Gauge::default(),
        };
        metrics.register("loads", "Matrices and policies that came into force", counts.loads.clone());
        metrics.register("rejections", "Those that did not, for their faults", counts.rejections.clone());
        metrics.register(
            "candidates",
            "Pairs of service and model to choose from",
            counts.candidates.clone(),
        );
        metrics.register("watchers", "Streams of gateways that are open", counts.watchers.clone());
        counts
    }
}
