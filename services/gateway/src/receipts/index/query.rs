//! Lists: by time, the newest first.

use std::fmt;
use std::str::FromStr;

use pas_types::receipt::{ReceiptFilter, ReceiptQuery};
use rusqlite::{Connection, OptionalExtension, Row};

/// Rows that one page looks at, at the most: a rare filter gets a short page, not a long wait.
const LOOKED_AT: usize = 100_000;

/// A place in the list: a row's time and place in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    ts: i64,
    seq: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.ts, self.seq)
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (ts, seq) = text.split_once(':').ok_or(())?;
        let cursor = Self { ts: ts.parse().map_err(drop)?, seq: seq.parse().map_err(drop)? };
        // One spelling alone; and no place that the database has no number for.
        if cursor.to_string() == text && i64::try_from(cursor.seq).is_ok() { Ok(cursor) } else { Err(()) }
    }
}

pub(super) fn find(connection: &Connection, run_id: &str) -> rusqlite::Result<Option<u64>> {
    let mut select = connection.prepare_cached("SELECT seq FROM receipts WHERE run_id = ?1")?;
    select.query_row([run_id], |row| row.get(0)).optional()
}

pub(super) fn page(
    connection: &Connection,
    query: &ReceiptQuery,
    before: Option<Cursor>,
) -> rusqlite::Result<(Vec<u64>, Option<Cursor>)> {
    let mut select = connection.prepare_cached(
        "SELECT ts, seq, status, agent, agent_run_id, service, model, budget FROM receipts \
         WHERE ts >= ?1 AND (ts, seq) < (?2, ?3) ORDER BY ts DESC, seq DESC",
    )?;
    let since = query.filter.since.map_or(i64::MIN, |since| since.as_millis());
    let before = before.unwrap_or(Cursor { ts: i64::MAX, seq: 0 });
    let mut rows = select.query((since, before.ts, before.seq))?;
    let (mut page, mut looked_at, mut at) = (Vec::new(), 0, before);
    while let Some(row) = rows.next()? {
        if page.len() == query.page_size() || looked_at == LOOKED_AT {
            return Ok((page, Some(at)));
        }
        at = Cursor { ts: row.get(0)?, seq: row.get(1)? };
        looked_at += 1;
        if admits(&query.filter, row)? {
            page.push(at.seq);
        }
    }
    Ok((page, None))
}

/// Whether a row is of those that are wanted; its time was asked for already.
fn admits(filter: &ReceiptFilter, row: &Row<'_>) -> rusqlite::Result<bool> {
    let text = |column: usize| row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from);
    let is = |column, wanted: Option<&str>| {
        wanted.map_or(Ok(true), |wanted| text(column).map(|found| found == Some(wanted)))
    };
    Ok(is(2, filter.status.map(|status| status.as_str()))?
        && is(3, filter.agent.as_deref())?
        && is(4, filter.agent_run_id.as_ref().map(|run| run.as_str()))?
        && is(5, filter.service.as_deref())?
        && is(6, filter.model.as_deref())?
        && filter.admits_budget(text(7)?))
}
