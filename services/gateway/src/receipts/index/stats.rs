//! Sums. What could pass what the database counts in is summed in two halves.

use std::str::FromStr;

use pas_types::event::{CallStatus, CostState};
use pas_types::receipt::{GroupBy, ReceiptFilter, ReceiptStats, StatsQuery, StatsRow, TokenSums};
use rusqlite::types::Type;
use rusqlite::{Connection, Row, named_params};

/// A sum is that of the halves above and below this bit.
const HALF: u32 = 32;

pub(super) fn sum(connection: &Connection, query: &StatsQuery) -> rusqlite::Result<ReceiptStats> {
    let mut select = connection.prepare_cached(&statement(query.group_by))?;
    let ReceiptFilter { since, agent, agent_run_id, service, model, status, budget } = &query.filter;
    let mut rows = select.query(named_params! {
        ":since": since.map(|since| since.as_millis()),
        ":agent": agent,
        ":agent_run_id": agent_run_id.as_ref().map(|run| run.as_str()),
        ":service": service,
        ":model": model,
        ":status": status.map(CallStatus::as_str),
        ":budget": budget,
        ":cursor": query.cursor,
    })?;
    let mut stats: Vec<StatsRow> = Vec::new();
    let mut next_cursor = None;
    // Each group comes in parts, one after the other.
    while let Some(row) = rows.next()? {
        let key: Option<String> = row.get(0)?;
        if stats.last().is_none_or(|last| last.key != key) {
            if stats.len() == query.page_size() {
                next_cursor = stats.last().and_then(|last| last.key.clone());
                break;
            }
            stats.push(StatsRow::new(key));
        }
        if let Some(group) = stats.last_mut() {
            add(group, row)?;
        }
    }
    Ok(ReceiptStats { group_by: query.group_by, stats, next_cursor, behind: None })
}

fn statement(group_by: GroupBy) -> String {
    let key = match group_by {
        GroupBy::Day => "strftime('%Y-%m-%d', ts / 1000, 'unixepoch')",
        GroupBy::Month => "strftime('%Y-%m', ts / 1000, 'unixepoch')",
        GroupBy::Agent => "agent",
        GroupBy::AgentRun => "agent_run_id",
        GroupBy::Model => "model",
        GroupBy::Service => "service",
        GroupBy::Provider => "provider",
        GroupBy::Budget => "budget",
    };
    let (after, order) = if group_by.is_time() { ("<", "DESC") } else { (">", "ASC") };
    let columns = ["input", "output", "cache_read", "cache_write", "reasoning", "coalesce(cost_nanousd, 0)"];
    let low = (1_u64 << HALF) - 1;
    let sums = columns.map(|column| format!("sum({column} >> {HALF}), sum({column} & {low})")).join(", ");
    // Text is compared byte by byte, by the database and by us.
    format!(
        "SELECT {key} AS key, status, cost_state, count(*), {sums} FROM receipts \
         WHERE (:since IS NULL OR ts >= :since) AND (:agent IS NULL OR agent = :agent) \
         AND (:agent_run_id IS NULL OR agent_run_id = :agent_run_id) AND (:service IS NULL OR service = :service) \
         AND (:model IS NULL OR model = :model) AND (:status IS NULL OR status = :status) \
         AND (:budget IS NULL OR budget = :budget OR substr(budget, 1, length(:budget) + 1) = :budget || '/') \
         AND (:cursor IS NULL OR {key} {after} :cursor OR {key} IS NULL) \
         GROUP BY key, status, cost_state ORDER BY key {order} NULLS LAST"
    )
}

fn add(group: &mut StatsRow, row: &Row<'_>) -> rusqlite::Result<()> {
    let (status, state): (CallStatus, CostState) = (word(row, 1)?, word(row, 2)?);
    let calls: u64 = row.get(3)?;
    let sum = |which: usize| -> rusqlite::Result<u128> {
        let (high, low): (u64, u64) = (row.get(4 + 2 * which)?, row.get(5 + 2 * which)?);
        Ok((u128::from(high) << HALF) + u128::from(low))
    };
    group.calls += calls;
    group.by_status.add(status, calls);
    let mut tokens = group.tokens.kinds();
    for (which, kind) in tokens.iter_mut().enumerate() {
        *kind += sum(which)?;
    }
    group.tokens = TokenSums::new(tokens);
    match state {
        CostState::Confirmed => group.usd.confirmed.0 += sum(tokens.len())?,
        CostState::Estimated => group.usd.estimated.0 += sum(tokens.len())?,
        CostState::Unknown => group.unknown_cost_calls += calls,
    }
    Ok(())
}

/// A word that was written by us.
fn word<T: FromStr<Err = pas_types::Error>>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error: T::Err| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}
