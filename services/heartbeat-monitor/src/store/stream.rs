//! What of the alerts came from the event stream, and what it has of them.

use pas_types::alert::HeartbeatAlert;
use pas_types::event::Cursor;

use super::{COLUMNS, Origin, Result, Store, alert_of, begin, insert};
use crate::core::Raised;

impl Store {
    /// Up to where the event stream was read.
    pub fn heard(&self) -> Result<Cursor> {
        self.reader().query_row("SELECT epoch, seq FROM heard", [], |row| {
            let (epoch, seq) = (row.get::<_, i64>(0)?, row.get::<_, i64>(1)?);
            Ok(Cursor { epoch: epoch.cast_unsigned(), seq: seq.cast_unsigned() })
        })
    }

    /// Stores what the event stream brought, up to `to`. Answers the alerts that were not there before.
    pub fn hear<'a>(&self, alerts: &'a [Raised], to: Cursor) -> Result<Vec<&'a HeartbeatAlert>> {
        let mut writer = self.writer();
        let transaction = begin(&mut writer)?;
        let new = insert(&transaction, alerts, Origin::Stream)?;
        let place = [to.epoch, to.seq].map(u64::cast_signed);
        transaction.execute("UPDATE heard SET epoch = ?, seq = ?", place)?;
        transaction.commit()?;
        Ok(new)
    }

    /// The oldest `limit` of the monitor's own alerts that the event stream doesn't have, each with its place.
    pub fn unpublished(&self, limit: u32) -> Result<Vec<(HeartbeatAlert, i64)>> {
        let sql = format!(
            "SELECT {COLUMNS}, seq FROM alerts
             WHERE seq > (SELECT seq FROM published) AND taken = 0 ORDER BY seq LIMIT ?"
        );
        let reader = self.reader();
        let mut select = reader.prepare_cached(&sql)?;
        let rows = select.query_map([limit], |row| Ok((alert_of(row)?, row.get(12)?)))?;
        rows.collect()
    }

    /// The event stream has the monitor's own alerts up to the place `seq`.
    pub fn set_published(&self, seq: i64) -> Result<()> {
        self.writer().execute("UPDATE published SET seq = ?", [seq]).map(drop)
    }
}
