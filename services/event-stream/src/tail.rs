//! A subscriber's cursor: what is wanted of what comes after it, a part at a time. It pulls; who is slow reads older
//! records, takes no memory here, and nobody else notices.

use std::sync::Arc;

use pas_journal::{ReadError, Reader};
use pas_types::event::EventFilter;
use tokio::sync::watch;

use crate::app::App;
use crate::core::recent::Entry;
use crate::error::Refusal;
use crate::records::{PART_BYTES, PART_RECORDS, entry};

/// The next events of a subscriber.
#[derive(Debug)]
pub struct Part {
    /// Those that are wanted.
    pub events: Vec<Arc<Entry>>,
    /// The place up to which this is all.
    pub to: u64,
}

/// Why there is no next part.
#[derive(Debug)]
pub enum End {
    /// What comes next isn't kept any more.
    Gone,
    /// It can't be read.
    Failed(Refusal),
}

/// A subscriber's cursor.
pub struct Tail {
    app: App,
    filter: EventFilter,
    at: u64,
    heads: watch::Receiver<u64>,
    /// Reads what is no longer in memory.
    reader: Option<Reader>,
}

impl Tail {
    /// Reads on after the place `at`.
    pub fn new(app: App, filter: EventFilter, at: u64) -> Self {
        let heads = app.heads();
        Self { app, filter, at, heads, reader: None }
    }

    /// The place up to which everything was handed out.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The next part, when there is one; its events may be none. Dropped before it is done, it has changed nothing.
    pub async fn next(&mut self) -> Result<Part, End> {
        let head = self.heads.wait_for(|head| *head > self.at).await.map(|head| *head);
        // Taken before the events are: none may come in between and be passed by.
        let head = head.map_err(|_| End::Failed(Refusal::Stopping))?;
        let (entries, end) = match self.app.recent(self.at) {
            Some(entries) => {
                self.reader = None;
                (entries, head)
            }
            None => self.read().await?,
        };
        let to = entries.last().map_or(end, |entry| entry.seq);
        let wanted = |entry: &Arc<Entry>| self.filter.is_all() || self.filter.admits(&entry.header);
        let events = entries.into_iter().filter(wanted).collect();
        self.at = to;
        Ok(Part { events, to })
    }

    /// Reads from the files; answers how far, too, for what retention or damage took out is passed by.
    async fn read(&mut self) -> Result<(Vec<Arc<Entry>>, u64), End> {
        let at = self.at;
        let known = self.reader.take().filter(|reader| reader.after() == at);
        let mut reader = known.unwrap_or_else(|| self.app.reader(at));
        let read = move || {
            let records = reader.read(PART_RECORDS, PART_BYTES)?;
            Ok((records.into_iter().filter_map(entry).collect(), reader))
        };
        let (entries, reader): (Vec<_>, Reader) = match tokio::task::spawn_blocking(read).await {
            Ok(Ok(read)) => read,
            Ok(Err(ReadError::Gone { .. })) => return Err(End::Gone),
            Ok(Err(error)) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the journal can't be read");
                return Err(End::Failed(Refusal::CannotRead));
            }
            Err(_) => return Err(End::Failed(Refusal::Stopping)),
        };
        let end = reader.after();
        self.reader = Some(reader);
        Ok((entries, end))
    }
}
