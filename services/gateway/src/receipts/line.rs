//! What lines of the journal are: a call that began, a receipt, or the proof that the disk takes something again. Told by
//! how a line begins.

use std::time::Duration;

use pas_journal::Class;

/// How a line begins that says that a call began.
pub(super) const OPEN: &[u8] = b"{\"open\":";
/// How a receipt begins.
pub(super) const RECEIPT: &[u8] = b"{\"run_id\":\"";

/// How long which lines are kept.
pub(super) fn classes(receipts: Duration, others: Duration) -> Vec<Class> {
    vec![
        Class { name: "receipt", max_age: Some(receipts) },
        Class { name: "open", max_age: Some(others.min(receipts)) },
    ]
}

/// The place of a line's class among [`classes`].
pub(super) fn classify(line: &[u8]) -> usize {
    usize::from(!line.starts_with(RECEIPT))
}
