//! The index of the receipts: rows ↔ what is asked of them. It is derived: the journal has all that is in it.

mod query;
mod stats;
#[cfg(test)]
mod tests;

pub(super) use query::Cursor;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use pas_service::config::Fsync;
use pas_service::sqlite;
use pas_types::receipt::{ReceiptQuery, ReceiptStats, StatsQuery};
use rusqlite::{Connection, TransactionBehavior, params};

use super::line::Row;

const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/0001_receipts.sql"),
    include_str!("../../migrations/0002_who_was_asked.sql"),
];
/// Rows that one round of pruning takes.
const PRUNED: u32 = 5_000;
/// Kibibytes of pages that each connection keeps; the system keeps them too.
const CACHE_KIB: i32 = 512;

/// Writes the index. One thread has it.
#[derive(Debug)]
pub(super) struct Writer {
    connection: Connection,
    /// Up to where it is.
    seq: u64,
}

/// Answers from the index. Lists and sums don't wait for each other.
#[derive(Debug)]
pub(super) struct Reader {
    lists: Mutex<Connection>,
    sums: Mutex<Connection>,
}

/// A receipt that is to be in the index: its place, and what of it.
pub(super) type Entry<'a> = (u64, Row<'a>);

/// Opens the index at `path`, for a journal of this `epoch`. Of a journal that has begun another epoch, what stands above
/// `head` is gone, and others will have these places.
pub(super) fn open(path: &Path, epoch: u64, head: u64) -> anyhow::Result<(Writer, Reader)> {
    remove_if_unfit(path)?;
    let mut connection = sqlite::open(path, MIGRATIONS, Fsync::Interval)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    let (known, seq): (u64, u64) =
        connection.query_row("SELECT epoch, seq FROM followed", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let seq = if known == epoch { seq } else { seq.min(head) };
    if known != epoch {
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        step.execute("DELETE FROM receipts WHERE seq > ?1", [head])?;
        step.execute("UPDATE followed SET epoch = ?1, seq = ?2", [epoch, seq])?;
        step.commit()?;
    }
    let reader = || -> anyhow::Result<_> {
        let connection = sqlite::open_reader(path)?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        Ok(Mutex::new(connection))
    };
    let reader = Reader { lists: reader()?, sums: reader()? };
    Ok((Writer { connection, seq }, reader))
}

/// Whether the index can only be made anew.
pub(super) fn is_damaged(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

/// Removes a file that is no database any more, or of an older version: what was in it is in the journal too.
fn remove_if_unfit(path: &Path) -> anyhow::Result<()> {
    let looked_at = Connection::open(path).and_then(|connection| {
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0))?;
        connection.query_row("PRAGMA user_version", [], |row| row.get::<_, usize>(0))
    });
    match looked_at {
        Err(error) if is_damaged(&error) => remove(path, "damaged"),
        Ok(version) if (1..MIGRATIONS.len()).contains(&version) => remove(path, "of an older version"),
        // What else keeps it from being opened is said when it is.
        _ => Ok(()),
    }
}

/// Removes the index, so that it is made anew.
pub(super) fn remove(path: &Path, why: &str) -> anyhow::Result<()> {
    tracing::warn!(index = %path.display(), "the index of receipts is {why}; it is made anew from the journal");
    for file in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("{} can't be removed", file.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(ending);
    name.into()
}

impl Writer {
    /// Up to where it is.
    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    /// Takes receipts in, and notes that all up to `seq` is there.
    pub(super) fn follow<'a>(
        &mut self,
        entries: impl IntoIterator<Item = Entry<'a>>,
        seq: u64,
    ) -> rusqlite::Result<()> {
        let step = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            // A call has one receipt. Should the journal hold two, the first counts.
            let mut insert = step.prepare_cached(
                "INSERT OR IGNORE INTO receipts (seq, run_id, ts, status, agent, agent_run_id, budget, service, model, \
                 provider, cost_state, cost_nanousd, input, output, cache_read, cache_write, reasoning) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?;
            for (seq, row) in entries {
                let asked = row.asked();
                let [input, output, cache_read, cache_write, reasoning] =
                    row.usage.map_or([0; 5], |usage| usage.kinds().map(|(_, tokens)| tokens));
                // By place: names would be looked up for each row.
                insert.execute(params![
                    seq,
                    row.run_id,
                    row.ts.as_millis(),
                    row.status.as_str(),
                    row.agent,
                    row.agent_run_id,
                    row.budget,
                    asked.map(|asked| &*asked.name),
                    asked.map(|asked| &*asked.model),
                    asked.and_then(|asked| asked.provider.as_deref()),
                    row.cost_estimate.state.as_str(),
                    row.cost_estimate.usd.map(|usd| usd.as_nanos()),
                    input,
                    output,
                    cache_read,
                    cache_write,
                    reasoning,
                ])?;
            }
        }
        step.prepare_cached("UPDATE followed SET seq = ?1")?.execute([seq])?;
        step.commit()?;
        self.seq = seq;
        Ok(())
    }

    /// Takes out what the journal doesn't keep any more, as much of it as one round may. Answers whether there is more.
    pub(super) fn prune(&mut self, oldest: u64) -> rusqlite::Result<bool> {
        let mut delete = self.connection.prepare_cached(
            "DELETE FROM receipts WHERE seq IN (SELECT seq FROM receipts WHERE seq < ?1 ORDER BY seq LIMIT ?2)",
        )?;
        Ok(delete.execute((oldest, PRUNED))? == PRUNED as usize)
    }
}

impl Reader {
    /// Where the receipt of a call stands.
    pub(super) fn find(&self, run_id: &str) -> rusqlite::Result<Option<u64>> {
        query::find(&lock(&self.lists), run_id)
    }

    /// Where the receipts of a page stand, and where the next page begins.
    pub(super) fn page(
        &self,
        query: &ReceiptQuery,
        before: Option<Cursor>,
    ) -> rusqlite::Result<(Vec<u64>, Option<Cursor>)> {
        query::page(&lock(&self.lists), query, before)
    }

    /// Sums.
    pub(super) fn stats(&self, query: &StatsQuery) -> rusqlite::Result<ReceiptStats> {
        stats::sum(&lock(&self.sums), query)
    }
}

fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}
