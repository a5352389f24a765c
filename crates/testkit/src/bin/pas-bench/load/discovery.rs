//! Questions to `/discover`.

use std::sync::Arc;

use anyhow::ensure;
use pas_types::registry::{DiscoveryPage, path};

use super::connection::{Connection, request};
use super::crowd::{SKILLS, skill};

/// Rows of a page.
pub(crate) const PAGE: usize = 50;

/// A question, and what each row of its answer has.
#[derive(Debug)]
pub(crate) struct Query {
    request: Vec<u8>,
    caps: Vec<Arc<str>>,
}

impl Query {
    fn of(caps: &[&str]) -> Self {
        let query: String = caps.iter().map(|cap| format!("cap={cap}&")).collect();
        let request = request("GET", &format!("{}?{query}limit={PAGE}", path::DISCOVER), "");
        Self { request, caps: caps.iter().map(|cap| Arc::from(*cap)).collect() }
    }

    /// Asks once and reads all of the answer: so many rows, each with what was asked for, in order.
    pub(crate) fn verify(&self, port: u16, rows: usize) -> anyhow::Result<()> {
        let mut connection = Connection::open(port)?;
        let status = connection.call(&self.request)?;
        let text = || String::from_utf8_lossy(connection.body());
        ensure!(status == 200, "/discover answers {status}: {}", text());
        let page: DiscoveryPage = serde_json::from_slice(connection.body())?;
        let fits = |caps: &[Arc<str>]| self.caps.iter().all(|cap| caps.contains(cap));
        ensure!(page.services.iter().all(|row| fits(&row.caps)), "/discover answers what wasn't asked for");
        let key = |row: &pas_types::registry::ServiceView| (row.name.clone(), row.service_id);
        ensure!(page.services.is_sorted_by_key(key), "/discover's answer is not in order");
        ensure!(page.services.len() == rows, "/discover answers {} rows, not {rows}", page.services.len());
        Ok(())
    }
}

impl AsRef<[u8]> for Query {
    /// The request that asks it.
    fn as_ref(&self) -> &[u8] {
        &self.request
    }
}

/// Questions by capability: three of four name a rare one, alone or with a common one; one names a common one alone.
pub(crate) fn queries() -> Vec<Query> {
    let mix = |number: usize| match number % 4 {
        0 => Query::of(&["infer"]),
        1 => Query::of(&["chat", &skill(number)]),
        _ => Query::of(&[&skill(number)]),
    };
    (0..SKILLS).map(mix).collect()
}
