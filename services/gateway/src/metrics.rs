//! What the gateway counts.

use std::borrow::Cow;
use std::sync::Weak;

use pas_service::Metrics;
use pas_types::event::CallStatus;
use pas_types::receipt::RoutingReceipt;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;

use crate::inflight::InFlight;

/// From 10 µs to 100 s.
const SECONDS: [f64; 15] =
    [0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0];

/// What is counted where it happens.
#[derive(Debug, Clone)]
pub struct Counts {
    calls: Family<CallLabels, Counter>,
    attempts: Family<AttemptLabels, Counter>,
    overhead: Histogram,
    first_token: Histogram,
    /// Breakers that opened.
    pub breakers_opened: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    outcome: Cow<'static, str>,
}

impl Counts {
    /// Adds them to `metrics`.
    pub fn new(metrics: &Metrics) -> Self {
        let counts = Self {
            calls: Family::default(),
            attempts: Family::default(),
            overhead: Histogram::new(SECONDS),
            first_token: Histogram::new(SECONDS),
            breakers_opened: Counter::default(),
        };
        metrics.register("calls", "Calls that ended, by how they did", counts.calls.clone());
        metrics.register("attempts", "Attempts that ended, by how they did", counts.attempts.clone());
        metrics.register(
            "overhead_seconds",
            "Time of a call that is not upstream's",
            counts.overhead.clone(),
        );
        metrics.register("first_token_seconds", "Time until an answer began", counts.first_token.clone());
        metrics.register("breakers_opened", "Times that a breaker opened", counts.breakers_opened.clone());
        counts
    }

    /// A call has ended.
    pub fn count(&self, receipt: &RoutingReceipt) {
        self.calls.get_or_create(&CallLabels { status: receipt.status.as_str() }).inc();
        for attempt in &receipt.attempts {
            self.attempts.get_or_create(&AttemptLabels { outcome: attempt.outcome.clone() }).inc();
        }
        let seconds = |millis: pas_types::receipt::Millis| millis.as_micros() as f64 / 1e6;
        if let (CallStatus::Ok, Some(overhead)) = (receipt.status, receipt.timings_ms.overhead) {
            self.overhead.observe(seconds(overhead));
        }
        if let Some(first) = receipt.timings_ms.first_token {
            self.first_token.observe(seconds(first));
        }
    }
}

/// What is counted by looking, when somebody asks.
#[derive(Debug)]
pub struct Look(pub Weak<InFlight>);

impl Collector for Look {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(in_flight) = self.0.upgrade() else { return Ok(()) };
        for (name, help, value) in [
            ("in_flight", "Calls that are under way", in_flight.count() as u64),
            ("in_flight_limit", "Calls that may be", in_flight.most() as u64),
        ] {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}
