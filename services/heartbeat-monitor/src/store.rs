//! The alerts on disk, and up to where the registry's history and the event stream were read. What was read and the place
//! move together or not at all.

mod stream;

use std::collections::HashMap;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pas_service::config::Fsync;
use pas_service::sqlite;
use pas_types::alert::{AlertMatch, AlertQuery, AlertType, HeartbeatAlert, Mute};
use pas_types::id::{AlertId, ServiceId};
use pas_types::time::WireTime;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, named_params, params};

use crate::core::Raised;
use crate::core::flapping::Flapping;
use crate::core::transitions::Taken;

type Result<T> = rusqlite::Result<T>;

/// The file's name in the service's directory.
const FILE: &str = "alerts.db";

const MIGRATIONS: &[&str] =
    &[include_str!("../migrations/0001_alerts.sql"), include_str!("../migrations/0002_events.sql")];

/// An alert's columns, in the order in which [`alert_of`] reads them.
const COLUMNS: &str = "alert_id, alert_type, severity, service_id, service_name, missed_beats, last_seen_ms, action, \
                       ts_ms, acked, message, details";

/// The database. Each function is one transaction.
#[derive(Debug)]
pub struct Store {
    /// Closed before the writer, which can then leave the database as one file.
    reader: Mutex<Connection>,
    writer: Mutex<Connection>,
}

impl Store {
    /// Opens the database in `directory`.
    pub fn open(directory: &Path, fsync: Fsync) -> anyhow::Result<Self> {
        let path = directory.join(FILE);
        let writer = Mutex::new(sqlite::open(&path, MIGRATIONS, fsync)?);
        let reader = Mutex::new(sqlite::open_reader(&path)?);
        Ok(Self { writer, reader })
    }

    /// Up to where the registry's history was read.
    pub fn cursor(&self) -> Result<u64> {
        self.reader()
            .query_row("SELECT cursor FROM follow", [], |row| Ok(row.get::<_, i64>(0)?.cast_unsigned()))
    }

    /// What is known of the changes of these services' status.
    pub fn flapping(
        &self,
        services: impl Iterator<Item = ServiceId>,
    ) -> Result<HashMap<ServiceId, Flapping>> {
        let reader = self.reader();
        let mut select = reader.prepare_cached("SELECT changes, said FROM flapping WHERE service_id = ?")?;
        let mut known = HashMap::new();
        for service_id in services {
            let found = select.query_row([service_id.to_string()], |row| {
                Ok(Flapping { changes: json(row, 0)?, said: row.get(1)? })
            });
            known.extend(found.optional()?.map(|flapping| (service_id, flapping)));
        }
        Ok(known)
    }

    /// Stores what a batch came to. Answers the alerts that were not there before.
    pub fn take<'a>(&self, taken: &'a Taken) -> Result<Vec<&'a HeartbeatAlert>> {
        let mut writer = self.writer();
        let transaction = begin(&mut writer)?;
        let new = insert(&transaction, &taken.raised, Origin::Own)?;
        for (service_id, flapping) in &taken.flapping {
            transaction.prepare_cached("INSERT OR REPLACE INTO flapping VALUES (?, ?, ?, ?)")?.execute(
                params![
                    service_id.to_string(),
                    to_json(&flapping.changes)?,
                    flapping.said,
                    flapping.changes.back()
                ],
            )?;
        }
        transaction.execute("UPDATE follow SET cursor = ?", [taken.cursor.cast_signed()])?;
        transaction.commit()?;
        Ok(new)
    }

    /// The registry has another history: it is read from its beginning.
    pub fn forget_history(&self) -> Result<()> {
        self.writer()
            .execute_batch("BEGIN IMMEDIATE; UPDATE follow SET cursor = 0; DELETE FROM flapping; COMMIT")
    }

    /// Stores what the monitor found by itself.
    pub fn keep(&self, raised: &[Raised]) -> Result<()> {
        let mut writer = self.writer();
        let transaction = begin(&mut writer)?;
        insert(&transaction, raised, Origin::Own)?;
        transaction.commit()
    }

    /// Whether the registry's silence was said and its end was not.
    pub fn registry_is_silent(&self) -> Result<bool> {
        let latest = self.reader().query_row(
            "SELECT alert_type FROM alerts WHERE taken = 0 AND alert_type IN (?, ?) ORDER BY seq DESC LIMIT 1",
            [AlertType::RegistrySilent.as_str(), AlertType::RegistryBack.as_str()],
            |row| word::<AlertType>(row, 0),
        );
        Ok(latest.optional()? == Some(AlertType::RegistrySilent))
    }

    /// One alert.
    pub fn alert(&self, alert_id: AlertId) -> Result<Option<HeartbeatAlert>> {
        let sql = format!("SELECT {COLUMNS} FROM alerts WHERE alert_id = ?");
        self.reader().prepare_cached(&sql)?.query_row([alert_id.to_string()], alert_of).optional()
    }

    /// Stores an acknowledgement. False when somebody else was first.
    pub fn acknowledge(&self, alert: &HeartbeatAlert) -> Result<bool> {
        let changed = self.writer().execute(
            "UPDATE alerts SET acked = 1, details = ? WHERE alert_id = ? AND acked = 0",
            params![alert.details.as_ref().map(to_json).transpose()?, alert.alert_id.to_string()],
        )?;
        Ok(changed == 1)
    }

    /// The place of an alert in the history.
    pub fn seq_of(&self, alert_id: AlertId) -> Result<Option<i64>> {
        let sql = "SELECT seq FROM alerts WHERE alert_id = ?";
        self.reader().query_row(sql, [alert_id.to_string()], |row| row.get(0)).optional()
    }

    /// The newest `limit` alerts that `query` asks for, older than the place `before`.
    pub fn page(&self, query: &AlertQuery, before: Option<i64>, limit: usize) -> Result<Vec<HeartbeatAlert>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM alerts
             WHERE seq < :before
               AND (:since IS NULL OR ts_ms >= :since)
               AND (:severity IS NULL OR severity = :severity)
               AND (:service IS NULL OR service_name = :service OR service_id = :service)
               AND (:type IS NULL OR alert_type = :type)
               AND (:acked IS NULL OR acked = :acked)
             ORDER BY seq DESC LIMIT :limit"
        );
        let reader = self.reader();
        let mut select = reader.prepare_cached(&sql)?;
        let rows = select.query_map(
            named_params! {
                ":before": before.unwrap_or(i64::MAX),
                ":since": query.since.map(WireTime::as_millis),
                ":severity": query.severity.map(|severity| severity.as_str()),
                ":service": query.service,
                ":type": query.alert_type.map(|alert_type| alert_type.as_str()),
                ":acked": query.acked,
                ":limit": limit as i64,
            },
            alert_of,
        )?;
        rows.collect()
    }

    /// The mutes, also those that have ended.
    pub fn mutes(&self) -> Result<Vec<Mute>> {
        let reader = self.reader();
        let mut select = reader.prepare("SELECT service, alert_type, severity, until_ms FROM mutes")?;
        let rows = select.query_map([], |row| {
            let matching = AlertMatch {
                service: row.get(0)?,
                alert_type: optional_word(row, 1)?,
                severity: optional_word(row, 2)?,
            };
            Ok(Mute { matching, until: WireTime::from_millis(row.get(3)?) })
        })?;
        rows.collect()
    }

    /// Puts these mutes in the place of all others.
    pub fn put_mutes<'a>(&self, mutes: impl Iterator<Item = &'a Mute>) -> Result<()> {
        let mut writer = self.writer();
        let transaction = begin(&mut writer)?;
        transaction.execute("DELETE FROM mutes", [])?;
        for Mute { matching, until } in mutes {
            transaction.prepare_cached("INSERT INTO mutes VALUES (?, ?, ?, ?)")?.execute(params![
                matching.service,
                matching.alert_type.map(|alert_type| alert_type.as_str()),
                matching.severity.map(|severity| severity.as_str()),
                until.as_millis(),
            ])?;
        }
        transaction.commit()
    }

    /// Keeps the newest `keep` alerts that are not older than `oldest`, and the services that changed since `calm`.
    /// Answers how many alerts went.
    pub fn prune(&self, keep: u64, oldest: WireTime, calm: WireTime) -> Result<usize> {
        let mut writer = self.writer();
        let transaction = begin(&mut writer)?;
        let gone = transaction.execute(
            "DELETE FROM alerts WHERE ts_ms < ?1
             OR seq <= (SELECT seq FROM alerts ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
            params![oldest.as_millis(), keep.cast_signed()],
        )?;
        transaction.execute("DELETE FROM flapping WHERE last_change_ms < ?", [calm.as_millis()])?;
        transaction.commit()?;
        Ok(gone)
    }

    // A panic in between leaves no half transaction behind, so a poisoned lock is as good as any.
    fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn begin(connection: &mut Connection) -> Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// Who raised an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The monitor. A transition that comes a second time is known by its number and time.
    Own,
    /// Whoever the event stream has it of; also the monitor, whose alerts come back. It is known by its id.
    Stream,
}

/// Inserts what is not there yet.
fn insert<'a>(
    transaction: &Transaction<'_>,
    raised: &'a [Raised],
    origin: Origin,
) -> Result<Vec<&'a HeartbeatAlert>> {
    let known_by = match origin {
        Origin::Own => "source_seq, ts_ms, alert_type",
        Origin::Stream => "alert_id",
    };
    let sql = format!(
        "INSERT INTO alerts ({COLUMNS}, source_seq, taken) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT ({known_by}) DO NOTHING"
    );
    let mut insert = transaction.prepare_cached(&sql)?;
    let mut new = Vec::new();
    for Raised { alert, source_seq } in raised {
        let inserted = insert.execute(params![
            alert.alert_id.to_string(),
            alert.alert_type.as_str(),
            alert.severity.as_str(),
            alert.service_id.map(|id| id.to_string()),
            alert.service_name,
            alert.missed_beats,
            alert.last_seen.map(WireTime::as_millis),
            alert.action.as_str(),
            alert.ts.as_millis(),
            alert.acked,
            alert.message,
            alert.details.as_ref().map(to_json).transpose()?,
            source_seq.map(u64::cast_signed),
            origin == Origin::Stream,
        ])?;
        if inserted == 1 {
            new.push(alert);
        }
    }
    Ok(new)
}

fn alert_of(row: &Row<'_>) -> Result<HeartbeatAlert> {
    Ok(HeartbeatAlert {
        alert_id: word(row, 0)?,
        alert_type: word(row, 1)?,
        severity: word(row, 2)?,
        service_id: optional_word(row, 3)?,
        service_name: row.get(4)?,
        missed_beats: row.get(5)?,
        last_seen: row.get::<_, Option<i64>>(6)?.map(WireTime::from_millis),
        action: word(row, 7)?,
        ts: WireTime::from_millis(row.get(8)?),
        acked: row.get(9)?,
        message: row.get(10)?,
        details: row.get_ref(11)?.as_str_or_null()?.map(|_| json(row, 11)).transpose()?,
    })
}

fn word<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    row: &Row<'_>,
    column: usize,
) -> Result<T> {
    row.get_ref(column)?.as_str()?.parse().map_err(|error| unreadable(column, error))
}

fn optional_word<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    row: &Row<'_>,
    column: usize,
) -> Result<Option<T>> {
    row.get_ref(column)?
        .as_str_or_null()?
        .map(|text| text.parse().map_err(|error| unreadable(column, error)))
        .transpose()
}

fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|error| unreadable(column, error))
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
}

#[cfg(test)]
mod tests;
