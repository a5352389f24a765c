//! What the classifier counts.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use pas_service::Metrics;
use pas_service::metrics::seconds;
use pas_types::classifier::Task;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use crate::core::training::Trained;

/// The classifier's own metrics.
#[derive(Debug)]
pub struct Counts {
    calls: Family<CallLabels, Counter>,
    call_seconds: Family<TaskLabel, Histogram, fn() -> Histogram>,
    training_seconds: Gauge<f64, AtomicU64>,
    examples: Gauge,
    labels: Gauge,
    features: Gauge,
    accuracy: Gauge<f64, AtomicU64>,
    reloads: Family<ResultLabel, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    task: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TaskLabel {
    task: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

impl Counts {
    /// Adds them to `metrics`.
    pub fn new(metrics: &Metrics) -> Self {
        let counts = Self {
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(seconds),
            training_seconds: Gauge::default(),
            examples: Gauge::default(),
            labels: Gauge::default(),
            features: Gauge::default(),
            accuracy: Gauge::default(),
            reloads: Family::default(),
        };
        metrics.register("calls", "Calls that were in order, by what became of them", counts.calls.clone());
        metrics.register("call_seconds", "Time to an answer, waiting included", counts.call_seconds.clone());
        metrics.register("training_seconds", "Time of the last training", counts.training_seconds.clone());
        metrics.register("examples", "Examples of the model in force", counts.examples.clone());
        metrics.register("labels", "Labels of the model in force", counts.labels.clone());
        metrics.register("features", "Features of the model in force", counts.features.clone());
        metrics.register(
            "accuracy",
            "Share of the examples that it is right about when it has not seen them",
            counts.accuracy.clone(),
        );
        metrics.register(
            "reloads",
            "Changes of the examples, by what became of them",
            counts.reloads.clone(),
        );
        counts
    }

    /// A call of `task` ended.
    pub fn called(&self, task: Task, ok: bool, took: Duration) {
        let (task, result) = (task.as_str(), if ok { "ok" } else { "error" });
        self.calls.get_or_create(&CallLabels { task, result }).inc();
        if ok {
            self.call_seconds.get_or_create(&TaskLabel { task }).observe(took.as_secs_f64());
        }
    }

    /// A model is in force.
    pub fn learned(&self, trained: &Trained, took: Duration) {
        self.training_seconds.set(took.as_secs_f64());
        self.examples.set(trained.examples as i64);
        self.labels.set(trained.model.labels().len() as i64);
        self.features.set(trained.model.features() as i64);
        self.accuracy.set(trained.right_unseen as f64 / trained.examples as f64);
    }

    /// The examples changed, and were taken or not.
    pub fn reloaded(&self, taken: bool) {
        let result = if taken { "taken" } else { "rejected" };
        self.reloads.get_or_create(&ResultLabel { result }).inc();
    }
}
