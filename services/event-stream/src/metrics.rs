//! What the event stream counts.

use std::sync::Weak;
use std::sync::atomic::{AtomicBool, Ordering};

use pas_service::Metrics;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};

use crate::app::Shared;
use crate::subscribers::Kind;

/// What is counted where it happens.
#[derive(Debug)]
pub struct Counts {
    /// Events that were taken.
    pub published: Counter,
    /// Events that had come before.
    pub duplicates: Counter,
    /// Subscribers that were cut off because they didn't keep up.
    pub cut_off: Counter,
    /// Subscribers that could not go on where they were.
    pub resets: Counter,
    /// Bytes that wait for Socket.IO connections to take them.
    pub waiting_bytes: Gauge,
    failing: AtomicBool,
}

impl Counts {
    /// Adds them to `metrics`.
    pub fn new(metrics: &Metrics) -> Self {
        let counts = Self {
            published: Counter::default(),
            duplicates: Counter::default(),
            cut_off: Counter::default(),
            resets: Counter::default(),
            waiting_bytes: Gauge::default(),
            failing: AtomicBool::new(false),
        };
        metrics.register("events", "Events taken", counts.published.clone());
        metrics.register("duplicates", "Events that had come before", counts.duplicates.clone());
        metrics.register("cut_off", "Subscribers cut off for not keeping up", counts.cut_off.clone());
        metrics.register(
            "resets",
            "Subscribers whose place was of another epoch or not kept any more",
            counts.resets.clone(),
        );
        metrics.register(
            "socket_waiting_bytes",
            "Bytes that wait for Socket.IO connections to take them",
            counts.waiting_bytes.clone(),
        );
        counts
    }

    /// Notes whether the journal's last write failed; answers whether that is news.
    pub(crate) fn write_failing(&self, failing: bool) -> bool {
        self.failing.swap(failing, Ordering::Relaxed) != failing
    }
}

/// What is counted by looking, when somebody asks.
pub(crate) struct Look(pub(crate) Weak<Shared>);

impl std::fmt::Debug for Look {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Look")
    }
}

impl Collector for Look {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(shared) = self.0.upgrade() else { return Ok(()) };
        let stats = shared.journal.stats();
        for (name, help, count) in [
            ("journal_records", "Records written", stats.appended_records),
            ("journal_written_bytes", "Bytes written", stats.appended_bytes),
            ("journal_write_errors", "Writes that failed", stats.write_errors),
            ("journal_fsyncs", "Times that data was forced to the disk", stats.fsyncs),
            ("journal_fsync_errors", "Times that this failed", stats.fsync_errors),
            ("journal_skipped_lines", "Damaged lines passed by", stats.skipped_lines),
            ("journal_dropped_segments", "Files that retention removed", stats.dropped_segments),
            ("journal_compacted_segments", "Files that retention wrote anew", stats.compacted_segments),
            ("journal_merged_segments", "Small files that became part of another", stats.merged_segments),
            ("journal_freed_bytes", "Bytes that retention freed", stats.freed_bytes),
        ] {
            let counter = ConstCounter::new(count);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        for (name, help, value) in [
            ("journal_head", "Place of the newest event", shared.journal.head()),
            ("journal_oldest", "Place of the oldest event that is kept", shared.journal.oldest()),
            ("journal_bytes", "Bytes that are kept", shared.journal.bytes()),
            ("journal_queued_records", "Records that wait to be written", stats.queued_records as u64),
            ("journal_queued_bytes", "Bytes that wait to be written", stats.queued_bytes as u64),
        ] {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        subscribers(&shared, &mut encoder)
    }
}

fn subscribers(shared: &Shared, encoder: &mut DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
    let (standings, head) = (shared.subscribers.standings(), shared.journal.head());
    let kind = ConstGauge::new(0_u64).metric_type();
    let mut family = encoder.encode_descriptor("subscribers", "Subscribers", None, kind)?;
    for kind in [Kind::SocketIo, Kind::Sse, Kind::Rpc] {
        let count = standings.iter().filter(|standing| standing.kind == kind).count() as u64;
        ConstGauge::new(count).encode(family.encode_family(&[("kind", kind.as_str())])?)?;
    }
    let help = "Events that a subscriber has not been sent yet";
    let mut family = encoder.encode_descriptor("subscriber_lag", help, None, kind)?;
    for standing in standings {
        let labels = [("subscriber", standing.id.to_string()), ("kind", standing.kind.as_str().to_owned())];
        let lag = head.saturating_sub(standing.at);
        ConstGauge::new(lag).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}
