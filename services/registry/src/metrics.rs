//! What the registry counts.

use std::sync::Weak;

use pas_service::Metrics;
use pas_service::metrics::seconds;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;

use crate::app::Shared;

/// What is counted where it happens.
#[derive(Debug)]
pub struct Counts {
    /// How long a transaction takes.
    pub commit_seconds: Histogram,
    /// Transactions that failed.
    pub failed_commits: Counter,
    /// Streams of `Watch` that are open.
    pub watchers: Gauge,
    /// Streams of `Follow` that are open.
    pub followers: Gauge,
}

impl Counts {
    /// Adds them to `metrics`.
    pub fn new(metrics: &Metrics) -> Self {
        let counts = Self {
            commit_seconds: seconds(),
            failed_commits: Counter::default(),
            watchers: Gauge::default(),
            followers: Gauge::default(),
        };
        metrics.register("commit_seconds", "Time to write a batch", counts.commit_seconds.clone());
        metrics.register(
            "failed_commits",
            "Batches that could not be written",
            counts.failed_commits.clone(),
        );
        metrics.register("watchers", "Watch streams that are open", counts.watchers.clone());
        metrics.register("followers", "Follow streams that are open", counts.followers.clone());
        counts
    }
}

/// What is counted by looking at the state, when somebody asks.
#[derive(Debug)]
pub(crate) struct Look(pub(crate) Weak<Shared>);

impl Collector for Look {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(shared) = self.0.upgrade() else { return Ok(()) };
        let figures = shared.figures();
        let mut services = ConstGauge::new(0_u64);
        let mut family =
            encoder.encode_descriptor("services", "Services on the list", None, services.metric_type())?;
        for ((service_type, status), count) in &figures.services {
            services = ConstGauge::new(*count);
            let labels = [("type", service_type.as_str()), ("status", status.as_str())];
            services.encode(family.encode_family(&labels)?)?;
        }
        let tally = figures.tally;
        for (name, help, count) in [
            ("registrations", "Registrations accepted", tally.registrations),
            ("beats", "Beats accepted", tally.beats),
            ("evictions", "Services taken off the list because they stayed silent", tally.evictions),
            ("stalls", "Times that the registry stood still", tally.stalls),
            ("dropped_transitions", "Transitions lost because too many waited", figures.dropped_transitions),
        ] {
            let counter = ConstCounter::new(count);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        for (name, help, value) in [
            ("brake_on", "1 while the eviction brake is on", u64::from(figures.brake_on)),
            ("brake_held", "Silent services that the brake holds back", figures.brake_held as u64),
            ("pending_rows", "Services of which the store lacks something", figures.pending_rows as u64),
            ("pending_transitions", "Transitions that the store lacks", figures.pending_transitions as u64),
        ] {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}
