//! What the journal says at a start: which calls were open when the last run ended, and which ids were given.

use std::collections::HashMap;

use anyhow::Context;
use pas_journal::{Journal, Record};

use super::checkpoint::Checkpoint;
use super::ids;
use super::line::{Kind, OpenLine, Opened, kind};

/// Records that are read at once, and their bytes.
const PART: (usize, usize) = (4_096, 4 << 20);

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Calls that have no receipt, each with the place of its record, in order.
    pub(super) open: Vec<(u64, Opened)>,
    /// Microseconds since 1970 of the last id that is known to have been given.
    pub(super) last_id: u64,
    /// Records that were read.
    pub(super) read: u64,
}

/// Reads what comes after `checkpoint`; without one, all that there is.
pub(super) fn find(journal: &Journal, checkpoint: Option<&Checkpoint>) -> anyhow::Result<Found> {
    let mut found =
        Found { last_id: checkpoint.map_or(0, |checkpoint| checkpoint.last_id), ..Found::default() };
    let mut open = HashMap::new();
    for seq in checkpoint.iter().flat_map(|checkpoint| &checkpoint.open) {
        for record in journal.reader(seq - 1).read(1, 1).context("a call that was open can't be read")? {
            found.take(&record, &mut open);
        }
    }
    let after = checkpoint.map_or(journal.oldest() - 1, |checkpoint| checkpoint.seq);
    let mut reader = journal.reader(after);
    loop {
        let records = reader.read(PART.0, PART.1).context("the journal can't be read")?;
        if records.is_empty() {
            break;
        }
        records.iter().for_each(|record| found.take(record, &mut open));
    }
    found.open = open.into_values().collect();
    found.open.sort_unstable_by_key(|(seq, _)| *seq);
    Ok(found)
}

impl Found {
    fn take(&mut self, record: &Record, open: &mut HashMap<String, (u64, Opened)>) {
        self.read += 1;
        match kind(&record.line) {
            Kind::Open => {
                // One that a newer gateway wrote so that this can't read it stays open, for that to find.
                let Ok(OpenLine { open: opened }) = serde_json::from_slice::<OpenLine<Opened>>(&record.line)
                else {
                    return;
                };
                self.last_id = self.last_id.max(ids::micros(opened.run_id.as_str()).unwrap_or(0));
                open.insert(opened.run_id.to_string(), (record.seq, opened));
            }
            Kind::Receipt(run_id) => {
                self.last_id = self.last_id.max(ids::micros(run_id).unwrap_or(0));
                open.remove(run_id);
            }
            Kind::Other => {}
        }
    }
}
