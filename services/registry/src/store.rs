//! The registry on disk: rows ↔ core types. It follows the state in memory, one batch a transaction.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pas_service::config::Fsync;
use pas_service::sqlite;
use pas_types::id::{LeaseId, ServiceId};
use pas_types::registry::Transition;
use pas_types::time::{Now, WireTime};
use rusqlite::types::Type;
use rusqlite::{Connection, ToSql, TransactionBehavior, params};

use crate::core::{Batch, Life, Loaded, Measures, Probed, Record, Row, Tombstone, next_epoch};

type Result<T> = rusqlite::Result<T>;

/// The file's name in the service's directory.
const FILE: &str = "registry.db";

const MIGRATIONS: &[&str] =
    &[include_str!("../migrations/0001_services.sql"), include_str!("../migrations/0002_events.sql")];

/// Transitions that are kept.
const RETAINED: u64 = 200_000;
/// Transitions beyond that, after which the oldest are deleted.
const SLACK: u64 = 1_000;

/// A service's columns, in the order of [`columns_of`] and [`row_of`].
const COLUMNS: &str = "service_id, name, type, role, url, caps, labels, ctx_limit, cost_hint_usd_per_1k, \
                       heartbeat_interval_s, ttl_s, status, last_heartbeat_ts, registered_at, p95_ms, queue_depth, \
                       load, lease_id, boot_id, paused, missed_beats, reported_status, reported_reason, \
                       reachability, probe_answered, probe_latency_ms, probe_reason";
/// A transition's columns, in the order of [`transition_of`].
const TRANSITION: &str = "seq, ts, kind, service_id, service_name, service_type, from_status, to_status, \
                          missed_beats, last_seen, reason, from_role, to_role";

/// The one connection that writes.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    transitions: u64,
    published: u64,
    fsync: Fsync,
    unsynced: bool,
}

/// A connection that reads what happened, beside the one that writes.
#[derive(Debug)]
pub struct History {
    connection: Mutex<Connection>,
}

impl Store {
    /// Opens the database in `directory`.
    pub fn open(directory: &Path, fsync: Fsync) -> anyhow::Result<Self> {
        let path = directory.join(FILE);
        let connection = sqlite::open(&path, MIGRATIONS, fsync)?;
        let transitions =
            connection.query_row("SELECT count(*) FROM transitions", [], |row| count(row, 0))?;
        let published = connection.query_row("SELECT seq FROM published", [], |row| count(row, 0))?;
        Ok(Self { connection, path, transitions, published, fsync, unsynced: false })
    }

    /// Opens it a second time, for reading.
    pub fn history(&self) -> Result<History> {
        Ok(History { connection: Mutex::new(sqlite::open_reader(&self.path)?) })
    }

    /// The last transition; 0 when there is none.
    pub fn last_seq(&self) -> Result<u64> {
        self.connection.query_row("SELECT coalesce(max(seq), 0) FROM transitions", [], |row| count(row, 0))
    }

    /// Up to which transition the event stream has them.
    pub fn published(&self) -> u64 {
        self.published
    }

    /// The event stream has the transitions up to `seq`.
    pub fn set_published(&mut self, seq: u64) -> Result<()> {
        if seq != self.published {
            self.connection.execute("UPDATE published SET seq = ?", [fit(seq)])?;
            self.published = seq;
        }
        Ok(())
    }

    /// Begins a new epoch, on the disk itself before anybody is told of it, and loads what was written in earlier ones.
    pub fn load(&mut self, now: Now) -> Result<Loaded> {
        let last = self.connection.query_row("SELECT epoch FROM starts", [], |row| count(row, 0))?;
        let epoch = next_epoch(last, self.last_seq()?, now);
        self.connection.execute("UPDATE starts SET epoch = ?", [fit(epoch)])?;
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        let mut rows = self.connection.prepare(&format!("SELECT {COLUMNS} FROM services"))?;
        let mut gone = self
            .connection
            .prepare(&format!("SELECT {COLUMNS}, gone_at, gone_reason, evicted FROM tombstones"))?;
        Ok(Loaded {
            epoch,
            rows: rows.query_map([], row_of)?.collect::<Result<_>>()?,
            tombstones: gone.query_map([], tombstone_of)?.collect::<Result<_>>()?,
        })
    }

    /// Writes a batch, wholly or not at all.
    pub fn save(&mut self, batch: &Batch) -> Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for row in &batch.rows {
            put(&transaction, "services", COLUMNS, &columns_of(row))?;
            delete(&transaction, "tombstones", row.id())?;
        }
        {
            let mut beat = transaction.prepare_cached(
                "UPDATE services SET last_heartbeat_ts = ?2, p95_ms = ?3, queue_depth = ?4, load = ?5 \
                 WHERE service_id = ?1",
            )?;
            for Row { record, life } in &batch.beats {
                let Measures { p95_ms, queue_depth, load } = life.measures;
                let at = life.last_beat.as_millis();
                beat.execute(params![record.service_id.to_string(), at, p95_ms, queue_depth.map(fit), load])?;
            }
        }
        for tombstone in &batch.gone {
            let Tombstone { row, ts, reason, evicted } = tombstone;
            let mut columns = columns_of(row);
            columns.extend([boxed(ts.as_millis()), boxed(reason.clone()), boxed(*evicted)]);
            put(&transaction, "tombstones", &format!("{COLUMNS}, gone_at, gone_reason, evicted"), &columns)?;
            delete(&transaction, "services", row.id())?;
        }
        for id in &batch.forgotten {
            delete(&transaction, "services", *id)?;
            delete(&transaction, "tombstones", *id)?;
        }
        for transition in &batch.transitions {
            insert_transition(&transaction, transition)?;
        }
        let mut transitions = self.transitions + batch.transitions.len() as u64;
        if transitions > RETAINED + SLACK {
            let oldest_kept = "SELECT seq FROM transitions ORDER BY seq DESC LIMIT 1 OFFSET ?";
            let sql = format!("DELETE FROM transitions WHERE seq < ({oldest_kept})");
            transitions -= transaction.execute(&sql, [fit(RETAINED - 1)])? as u64;
        }
        transaction.commit()?;
        self.transitions = transitions;
        self.unsynced = true;
        Ok(())
    }

    /// Forces to the disk what was written since the last time, unless each write does that already, or the system is
    /// to choose. Called once a second, so that a power failure costs no more.
    pub fn sync(&mut self) -> std::io::Result<()> {
        if self.fsync == Fsync::Interval && std::mem::take(&mut self.unsynced) {
            let mut log = self.path.clone().into_os_string();
            log.push("-wal");
            std::fs::File::open(log)?.sync_data()?;
        }
        Ok(())
    }
}

impl History {
    /// What happened to a service, newest first.
    pub fn of_service(&self, id: ServiceId, limit: u32) -> Result<Vec<Transition>> {
        let sql =
            format!("SELECT {TRANSITION} FROM transitions WHERE service_id = ? ORDER BY seq DESC LIMIT ?");
        self.select(&sql, &[&id.to_string(), &limit])
    }

    /// What happened after `seq`, oldest first.
    pub fn after(&self, seq: u64, limit: u32) -> Result<Vec<Transition>> {
        let sql = format!("SELECT {TRANSITION} FROM transitions WHERE seq > ? ORDER BY seq LIMIT ?");
        self.select(&sql, &[&fit(seq), &limit])
    }

    fn select(&self, sql: &str, params: &[&dyn ToSql]) -> Result<Vec<Transition>> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut select = connection.prepare_cached(sql)?;
        select.query_map(params, transition_of)?.collect()
    }
}

fn put(connection: &Connection, table: &str, columns: &str, values: &[Box<dyn ToSql>]) -> Result<()> {
    let places = vec!["?"; values.len()].join(", ");
    let sql = format!("INSERT OR REPLACE INTO {table} ({columns}) VALUES ({places})");
    connection.prepare_cached(&sql)?.execute(rusqlite::params_from_iter(values)).map(drop)
}

fn delete(connection: &Connection, table: &str, id: ServiceId) -> Result<()> {
    let sql = format!("DELETE FROM {table} WHERE service_id = ?");
    connection.prepare_cached(&sql)?.execute([id.to_string()]).map(drop)
}

fn insert_transition(connection: &Connection, transition: &Transition) -> Result<()> {
    let sql =
        format!("INSERT INTO transitions ({TRANSITION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    connection
        .prepare_cached(&sql)?
        .execute(params![
            fit(transition.seq),
            transition.ts.as_millis(),
            transition.kind.as_str(),
            transition.service_id.map(|id| id.to_string()),
            transition.service_name,
            transition.service_type.map(|it| it.as_str()),
            transition.from_status.map(|it| it.as_str()),
            transition.to_status.map(|it| it.as_str()),
            transition.missed_beats,
            transition.last_seen.map(WireTime::as_millis),
            transition.reason,
            transition.from_role.map(|it| it.as_str()),
            transition.to_role.map(|it| it.as_str()),
        ])
        .map(drop)
}

fn boxed(value: impl ToSql + 'static) -> Box<dyn ToSql> {
    Box::new(value)
}

/// SQLite's integers have a sign. A count too great for them is as good as the greatest.
fn fit(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn count(row: &rusqlite::Row<'_>, index: usize) -> Result<u64> {
    Ok(optional_count(row, index)?.unwrap_or_default())
}

fn optional_count(row: &rusqlite::Row<'_>, index: usize) -> Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(index)?.map(|count| u64::try_from(count).unwrap_or_default()))
}

fn columns_of(Row { record, life }: &Row) -> Vec<Box<dyn ToSql>> {
    let caps: Vec<&str> = record.caps.iter().map(AsRef::as_ref).collect();
    vec![
        boxed(record.service_id.to_string()),
        boxed(record.name.to_string()),
        boxed(record.service_type.as_str()),
        boxed(record.role.as_str()),
        boxed(record.url.clone()),
        boxed(serde_json::json!(caps).to_string()),
        boxed(serde_json::json!(record.labels).to_string()),
        boxed(record.ctx_limit.map(fit)),
        boxed(record.cost_hint_usd_per_1k),
        boxed(record.heartbeat_interval_s),
        boxed(record.ttl_s),
        boxed(life.status().as_str()),
        boxed(life.last_beat.as_millis()),
        boxed(record.registered_at.as_millis()),
        boxed(life.measures.p95_ms),
        boxed(life.measures.queue_depth.map(fit)),
        boxed(life.measures.load),
        boxed(record.lease_id.to_string()),
        boxed(record.boot_id.clone()),
        boxed(record.paused),
        boxed(life.missed),
        boxed(life.reported.as_str()),
        boxed(life.reported_reason.as_deref().map(str::to_owned)),
        boxed(life.probe.reachability.as_str()),
        boxed(life.probe.answered),
        boxed(life.probe.latency_ms),
        boxed(life.probe.reason.as_deref().map(str::to_owned)),
    ]
}

fn row_of(row: &rusqlite::Row<'_>) -> Result<Row> {
    let caps: Vec<String> = json(row, 5)?;
    let record = Record {
        service_id: ServiceId(word(row, 0)?),
        name: row.get::<_, String>(1)?.into(),
        service_type: word(row, 2)?,
        role: word(row, 3)?,
        url: row.get(4)?,
        caps: caps.into_iter().map(Into::into).collect(),
        labels: json(row, 6)?,
        ctx_limit: optional_count(row, 7)?,
        cost_hint_usd_per_1k: row.get(8)?,
        heartbeat_interval_s: row.get(9)?,
        ttl_s: row.get(10)?,
        registered_at: WireTime::from_millis(row.get(13)?),
        lease_id: LeaseId(word(row, 17)?),
        boot_id: row.get(18)?,
        paused: row.get(19)?,
    };
    let measures =
        Measures { p95_ms: row.get(14)?, queue_depth: optional_count(row, 15)?, load: row.get(16)? };
    let life = Life {
        last_beat: WireTime::from_millis(row.get(12)?),
        missed: row.get(20)?,
        deadline: Duration::ZERO,
        verified: false,
        reported: word(row, 21)?,
        reported_reason: row.get::<_, Option<String>>(22)?.map(Into::into),
        probe: Probed {
            reachability: word(row, 23)?,
            answered: row.get(24)?,
            latency_ms: row.get(25)?,
            reason: row.get::<_, Option<String>>(26)?.map(Into::into),
        },
        measures,
        announced: measures,
        work: None,
    };
    Ok(Row { record: record.into(), life })
}

fn tombstone_of(row: &rusqlite::Row<'_>) -> Result<Tombstone> {
    Ok(Tombstone {
        row: row_of(row)?,
        ts: WireTime::from_millis(row.get(27)?),
        reason: row.get(28)?,
        evicted: row.get(29)?,
    })
}

fn transition_of(row: &rusqlite::Row<'_>) -> Result<Transition> {
    let optional = |index| row.get::<_, Option<String>>(index);
    Ok(Transition {
        seq: count(row, 0)?,
        ts: WireTime::from_millis(row.get(1)?),
        kind: word(row, 2)?,
        service_id: optional(3)?.map(|_| word(row, 3).map(ServiceId)).transpose()?,
        service_name: row.get(4)?,
        service_type: optional(5)?.map(|_| word(row, 5)).transpose()?,
        from_status: optional(6)?.map(|_| word(row, 6)).transpose()?,
        to_status: optional(7)?.map(|_| word(row, 7)).transpose()?,
        missed_beats: row.get(8)?,
        last_seen: row.get::<_, Option<i64>>(9)?.map(WireTime::from_millis),
        reason: row.get(10)?,
        from_role: optional(11)?.map(|_| word(row, 11)).transpose()?,
        to_role: optional(12)?.map(|_| word(row, 12)).transpose()?,
    })
}

/// Reads a word of a closed set, or an id.
fn word<T: FromStr>(row: &rusqlite::Row<'_>, index: usize) -> Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: String = row.get(index)?;
    text.parse()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error)))
}

fn json<T: serde::de::DeserializeOwned>(row: &rusqlite::Row<'_>, index: usize) -> Result<T> {
    let text: String = row.get(index)?;
    serde_json::from_str(&text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error)))
}
