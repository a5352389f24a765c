//! Receipts: one for every call, in the journal before the answer ends.

mod config;
mod line;

use std::sync::Arc;

use anyhow::Context;
use pas_journal::Journal;
use pas_service::publisher::Publisher;
use pas_service::{Health, Metrics, Running, Swarm, clock};

pub use config::Config;

/// Where receipts lie below the data directory.
const DIRECTORY: &str = "costs";

/// The receipts of a gateway. Clones are the same.
#[derive(Clone)]
pub struct Receipts {
    journal: Arc<Journal>,
}

impl Receipts {
    /// Opens them.
    pub fn open(
        config: &crate::Config,
        swarm: &Swarm,
        _health: &Health,
        _metrics: &Metrics,
        _publisher: Publisher,
        _running: &Running,
    ) -> anyhow::Result<Self> {
        let directory = swarm.data_dir.join(DIRECTORY).join("journal");
        let options = config.receipts.journal(&directory, swarm.fsync, clock::now());
        let journal = Journal::open(options).context("the journal of receipts can't be opened")?;
        Ok(Self { journal: Arc::new(journal) })
    }

    /// Ends them in order.
    pub fn close(&self) {
        drop(self.journal.close());
    }
}
