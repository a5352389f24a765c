//! What is counted of receipts.

use std::sync::Weak;

use pas_service::Metrics;
use pas_types::event::CallStatus;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;

use super::shared::Shared;

/// What is counted where it happens.
#[derive(Debug)]
pub(super) struct Counts {
    /// By status, in the order of the words.
    settled: [Counter; CallStatus::ALL.len()],
    /// Calls that were recorded as begun.
    pub(super) begun: Counter,
    /// Receipts that were lost, since the disk took nothing and too many were held.
    pub(super) dropped: Counter,
    /// Records that retention took before the index had them.
    pub(super) missed: Counter,
    /// Receipts that retention took before the event stream had been told.
    pub(super) untold: Counter,
    /// Receipts that the index could not read.
    pub(super) unread: Counter,
    pub(super) files: Counter,
    pub(super) files_skipped: Counter,
    pub(super) files_failed: Counter,
}

impl Counts {
    /// Adds them to `metrics`.
    pub(super) fn new(metrics: &Metrics) -> Self {
        let by_status = Family::<[(&'static str, &'static str); 1], Counter>::default();
        let settled =
            CallStatus::ALL.map(|status| by_status.get_or_create(&[("status", status.as_str())]).clone());
        metrics.register("receipts", "Calls settled, by how they ended", by_status);
        let counter = |name, help| {
            let counter = Counter::default();
            metrics.register(name, help, counter.clone());
            counter
        };
        Self {
            settled,
            begun: counter("receipts_begun", "Calls recorded as begun, since they took longer than a moment"),
            dropped: counter(
                "receipts_dropped",
                "Receipts lost, since the disk took nothing and too many were held",
            ),
            missed: counter(
                "receipts_missed",
                "Records that were dropped as too old before the index had them",
            ),
            untold: counter("receipts_untold", "Records dropped as too old before the event stream was told"),
            unread: counter("receipts_unread", "Receipts that the index could not read"),
            files: counter("receipts_files", "Receipts written into files of their own"),
            files_skipped: counter(
                "receipts_files_skipped",
                "Receipts without a file, since too many came at once",
            ),
            files_failed: counter("receipts_files_failed", "Files of receipts that could not be written"),
        }
    }

    /// A call ended so.
    pub(super) fn settled(&self, status: CallStatus) {
        self.settled[status as usize].inc();
    }
}

/// What is counted by looking, when somebody asks.
pub(super) struct Look(pub(super) Weak<Shared>);

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
            ("receipts_journal_records", "Records written", stats.appended_records),
            ("receipts_journal_written_bytes", "Bytes written", stats.appended_bytes),
            ("receipts_journal_write_errors", "Writes that failed", stats.write_errors),
            ("receipts_journal_fsyncs", "Times that data was forced to the disk", stats.fsyncs),
            ("receipts_journal_fsync_errors", "Times that this failed", stats.fsync_errors),
            ("receipts_journal_skipped_lines", "Damaged lines passed by", stats.skipped_lines),
            ("receipts_journal_dropped_segments", "Files that retention removed", stats.dropped_segments),
            (
                "receipts_journal_compacted_segments",
                "Files that retention wrote anew",
                stats.compacted_segments,
            ),
            ("receipts_journal_freed_bytes", "Bytes that retention freed", stats.freed_bytes),
        ] {
            let counter = ConstCounter::new(count);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        let told = shared.told.load(std::sync::atomic::Ordering::Relaxed);
        let head = shared.journal.head();
        for (name, help, value) in [
            (
                "receipts_open_calls",
                "Calls that began and have no receipt yet",
                shared.state().calls.len() as u64,
            ),
            ("receipts_lag", "Records that index and files are behind the journal", shared.lag()),
            ("receipts_unwritten", "Receipts held until the disk takes them", shared.unwritten() as u64),
            ("receipts_writable", "Whether receipts can be written: 1 or 0", u64::from(shared.is_writable())),
            (
                "receipts_events_lag",
                "Records of which the event stream has not been told",
                head.saturating_sub(told),
            ),
            ("receipts_journal_head", "Place of the newest record", head),
            ("receipts_journal_oldest", "Place of the oldest record that is kept", shared.journal.oldest()),
            ("receipts_journal_bytes", "Bytes that are kept", shared.journal.bytes()),
            (
                "receipts_journal_queued_records",
                "Records that wait to be written",
                stats.queued_records as u64,
            ),
            ("receipts_journal_queued_bytes", "Bytes that wait to be written", stats.queued_bytes as u64),
        ] {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}
