//! What the monitor counts.

use std::sync::atomic::AtomicU64;

use pas_service::Metrics;
use pas_service::metrics::seconds;
use pas_types::alert::HeartbeatAlert;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use crate::core::probes::Finding;

/// The monitor's own metrics.
#[derive(Debug)]
pub struct Counts {
    alerts: Family<AlertLabels, Counter>,
    probes: Family<ProbeLabels, Counter>,
    probe_seconds: Histogram,
    /// Services that are probed.
    pub probed_services: Gauge,
    /// How long the transition that was read last had been waiting.
    pub follow_lag: Gauge<f64, AtomicU64>,
    /// Alerts of other services that can't be kept.
    pub passed_over: Counter,
    /// 1 while the registry says nothing.
    pub registry_silent: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AlertLabels {
    r#type: &'static str,
    severity: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProbeLabels {
    result: &'static str,
}

impl Counts {
    /// Adds them to `metrics`.
    pub fn new(metrics: &Metrics) -> Self {
        let counts = Self {
            alerts: Family::default(),
            probes: Family::default(),
            probe_seconds: seconds(),
            probed_services: Gauge::default(),
            follow_lag: Gauge::default(),
            passed_over: Counter::default(),
            registry_silent: Gauge::default(),
        };
        metrics.register("alerts", "Alerts raised", counts.alerts.clone());
        metrics.register("probes", "Probes that ended", counts.probes.clone());
        metrics.register("probe_seconds", "Time to the answer of a probe", counts.probe_seconds.clone());
        metrics.register("probed_services", "Services that are probed", counts.probed_services.clone());
        metrics.register(
            "follow_lag_seconds",
            "Age of the registry's last transition when it was read",
            counts.follow_lag.clone(),
        );
        metrics.register(
            "registry_silent",
            "1 while the registry says nothing",
            counts.registry_silent.clone(),
        );
        metrics.register(
            "alerts_passed_over",
            "Alerts of other services that can't be kept",
            counts.passed_over.clone(),
        );
        counts
    }

    /// An alert was stored.
    pub fn raised(&self, alert: &HeartbeatAlert) {
        let labels = AlertLabels { r#type: alert.alert_type.as_str(), severity: alert.severity.as_str() };
        self.alerts.get_or_create(&labels).inc();
    }

    /// A probe ended.
    pub fn probed(&self, finding: &Finding) {
        let result = if finding.reachable { "reachable" } else { "unreachable" };
        self.probes.get_or_create(&ProbeLabels { result }).inc();
        if let Some(latency) = finding.latency {
            self.probe_seconds.observe(latency.as_secs_f64());
        }
    }
}
