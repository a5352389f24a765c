//! Tells the event stream of each receipt, from where it was left. The stream may be away as long as it likes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pas_journal::{ReadError, Reader};
use pas_service::publisher::Publisher;
use pas_types::event::Event;
use pas_types::receipt::RoutingReceipt;
use tokio_util::sync::CancellationToken;

use super::duty::Duty;
use super::follower::cpu_time;
use super::line::{Kind, kind};
use super::shared::Shared;

/// Records of one round, and their bytes.
const PART: (usize, usize) = (256, 512 * 1024);
/// How long after a failure it is tried again, and how often it looks by itself.
const AGAIN: Duration = Duration::from_secs(1);

/// What is to be told next.
struct Next {
    reader: Reader,
    events: Vec<Event>,
    worked: Duration,
}

/// Tells until `shutdown`. `percent` is its share of a core.
pub(super) async fn tell(
    shared: Arc<Shared>,
    publisher: Publisher,
    percent: u32,
    shutdown: CancellationToken,
) {
    let mut duty = Duty::new(percent);
    let mut reader = shared.journal.reader(shared.told.load(Ordering::Relaxed));
    let mut head = 0;
    loop {
        let seen = shared.journal.head();
        let busy = std::mem::replace(&mut head, seen) != seen;
        if seen <= reader.after() {
            tokio::select! {
                () = shared.grown.notified() => continue,
                () = tokio::time::sleep(AGAIN) => continue,
                () = shutdown.cancelled() => return,
            }
        }
        let (from, again) = (reader.after(), Arc::clone(&shared));
        let next = tokio::task::spawn_blocking(move || next(&again, reader)).await;
        let rest = match next {
            Ok(Ok(next)) => {
                reader = next.reader;
                if publisher.deliver(next.events).await.is_err() {
                    return;
                }
                shared.told.store(reader.after(), Ordering::Relaxed);
                // To send them takes about as much again.
                duty.rest(next.worked * 2, busy)
            }
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the journal can't be read");
                reader = shared.journal.reader(from);
                AGAIN
            }
            Err(_) => return,
        };
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

fn next(shared: &Shared, mut reader: Reader) -> Result<Next, ReadError> {
    let began = cpu_time();
    let records = match reader.read(PART.0, PART.1) {
        Err(ReadError::Gone { oldest }) => {
            // Retention was faster than a stream that was away for long.
            shared.counts.untold.inc_by(oldest - 1 - reader.after());
            reader = shared.journal.reader(oldest - 1);
            Vec::new()
        }
        records => records?,
    };
    let receipts = records.iter().filter(|record| matches!(kind(&record.line), Kind::Receipt(_)));
    let events = receipts.filter_map(|record| {
        let receipt: Option<RoutingReceipt> = serde_json::from_slice(&record.line).ok();
        receipt.map(|receipt| receipt.event())
    });
    let events = events.collect();
    Ok(Next { reader, events, worked: cpu_time().saturating_sub(began) })
}
