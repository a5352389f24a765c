//! Sums of receipts: whole numbers throughout. What was never known stays apart from what cost nothing.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::query::unknown;
use super::{ReceiptFilter, RoutingReceipt};
use crate::error::Error;
use crate::event::{CallStatus, CallUsage, CostState};
use crate::limits;
use crate::query::{limit, set, word};
use crate::word::words;

const NANOS_PER_USD: u128 = 1_000_000_000;

words! {
    /// What receipts are summed by.
    GroupBy, "group of receipts" {
        /// The day on which the call came in, UTC.
        Day = "day",
        /// The month, UTC.
        Month = "month",
        /// The agent that called.
        Agent = "agent",
        /// The run of the agent.
        AgentRun = "agent_run",
        /// The model that answered; of a call that nobody answered, the one that was asked last.
        Model = "model",
        /// The service that answered, likewise.
        Service = "service",
        /// The provider of that model.
        Provider = "provider",
        /// Who pays.
        Budget = "budget",
    }
}

impl GroupBy {
    /// Whether the groups are times, of which the newest come first.
    pub const fn is_time(self) -> bool {
        matches!(self, Self::Day | Self::Month)
    }

    /// The group of a receipt; none, where it has nothing of the kind.
    pub fn key(self, receipt: &RoutingReceipt) -> Option<String> {
        let asked = receipt.asked();
        let key = match self {
            Self::Day => return Some(receipt.ts.to_string()[..10].to_owned()),
            Self::Month => return Some(receipt.ts.to_string()[..7].to_owned()),
            Self::Agent => receipt.agent.as_deref(),
            Self::AgentRun => receipt.agent_run_id.as_ref().map(|run| run.as_str()),
            Self::Model => asked.map(|asked| asked.model),
            Self::Service => asked.map(|asked| asked.name),
            Self::Provider => asked.and_then(|asked| asked.provider),
            Self::Budget => receipt.budget.as_deref(),
        };
        key.map(str::to_owned)
    }
}

words! {
    /// How sums are answered.
    StatsFormat, "format" {
        /// As a JSON object.
        Json = "json",
        /// As a table, its first line naming the columns.
        Csv = "csv",
    }
}

/// The query of `GET /receipts/stats`.
#[derive(Debug, Clone, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StatsQuery {
    /// What to sum by.
    #[param(inline)]
    pub group_by: GroupBy,
    /// JSON by default.
    #[param(inline, required = false)]
    pub format: StatsFormat,
    /// Only of these.
    #[param(ignore)]
    pub filter: ReceiptFilter,
    /// Groups of the page; 100 by default.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl StatsQuery {
    /// Reads the query of a URL, already decoded into pairs.
    pub fn from_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, Error> {
        let (mut group_by, mut format, mut rows, mut cursor) = (None, None, None, None);
        let mut filter = ReceiptFilter::default();
        for (key, value) in pairs {
            match key {
                "group_by" => set(&mut group_by, key, word(key, value)?)?,
                "format" => set(&mut format, key, word(key, value)?)?,
                "limit" => set(&mut rows, key, limit(value)?)?,
                "cursor" => set(&mut cursor, key, value.to_owned())?,
                _ if filter.take(key, value)? => {}
                _ => return Err(unknown(key, "sums of receipts", "group_by, format, limit or cursor")),
            }
        }
        filter.validate()?;
        let Some(group_by) = group_by else {
            let legal = GroupBy::ALL.map(GroupBy::as_str).join(", ");
            return Err(Error::invalid("group_by", format!("group_by is missing: use one of {legal}")));
        };
        Ok(Self { group_by, format: format.unwrap_or(StatsFormat::Json), filter, limit: rows, cursor })
    }

    /// Groups of the page, the default where none is named.
    pub fn page_size(&self) -> usize {
        self.limit.unwrap_or(limits::LIST_DEFAULT) as usize
    }
}

/// Sums of receipts, by group: times with the newest first, all else by name, and what has none at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReceiptStats {
    /// What they are summed by.
    pub group_by: GroupBy,
    /// The groups.
    pub stats: Vec<StatsRow>,
    /// Where the next page begins; null when this is the last one.
    pub next_cursor: Option<String>,
    /// Records of the journal that the index had not taken in, and this can lack; none when it was up to date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behind: Option<u64>,
}

/// The sums of one group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct StatsRow {
    /// Which group; null for receipts that have nothing of the kind.
    pub key: Option<String>,
    /// Calls.
    pub calls: u64,
    /// Calls, by how they ended.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub by_status: StatusCounts,
    /// Tokens, by kind.
    pub tokens: TokenSums,
    /// Dollars, by how sure they are.
    pub usd: UsdSums,
    /// Calls whose cost nobody knows. They are in none of the sums of dollars.
    pub unknown_cost_calls: u64,
}

/// Calls, by how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatusCounts([u64; CallStatus::ALL.len()]);

impl StatusCounts {
    /// So many more that ended so.
    pub fn add(&mut self, status: CallStatus, calls: u64) {
        self.0[status as usize] += calls;
    }

    /// Each with its number.
    pub fn iter(&self) -> impl Iterator<Item = (CallStatus, u64)> + '_ {
        CallStatus::ALL.into_iter().zip(self.0)
    }
}

impl Serialize for StatusCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// Tokens, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct TokenSums {
    /// Read.
    #[schema(value_type = u64)]
    pub input: u128,
    /// Written.
    #[schema(value_type = u64)]
    pub output: u128,
    /// Read from a cache.
    #[schema(value_type = u64)]
    pub cache_read: u128,
    /// Written to a cache.
    #[schema(value_type = u64)]
    pub cache_write: u128,
    /// Thought.
    #[schema(value_type = u64)]
    pub reasoning: u128,
}

impl TokenSums {
    /// In the order of [`CallUsage::kinds`].
    pub fn new([input, output, cache_read, cache_write, reasoning]: [u128; 5]) -> Self {
        Self { input, output, cache_read, cache_write, reasoning }
    }

    /// The reverse.
    pub fn kinds(self) -> [u128; 5] {
        [self.input, self.output, self.cache_read, self.cache_write, self.reasoning]
    }

    fn add(&mut self, usage: CallUsage) {
        let mut sums = self.kinds();
        for (sum, (_, tokens)) in sums.iter_mut().zip(usage.kinds()) {
            *sum += u128::from(tokens);
        }
        *self = Self::new(sums);
    }
}

/// Dollars, by how sure they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct UsdSums {
    /// By the provider's count and a known price.
    pub confirmed: UsdSum,
    /// By an estimate of the tokens or the price.
    pub estimated: UsdSum,
}

/// A sum of money in nano-dollars; on the wire a number of dollars with all of its digits, which may be more than a double
/// has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = f64, minimum = 0, examples(12.000000001))]
pub struct UsdSum(pub u128);

impl fmt::Display for UsdSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:09}", self.0 % NANOS_PER_USD);
        write!(f, "{}.{:0<2}", self.0 / NANOS_PER_USD, fraction.trim_end_matches('0'))
    }
}

impl Serialize for UsdSum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = RawValue::from_string(self.to_string()).map_err(serde::ser::Error::custom)?;
        number.serialize(serializer)
    }
}

impl StatsRow {
    /// The empty sums of a group.
    pub fn new(key: Option<String>) -> Self {
        Self { key, ..Self::default() }
    }

    /// Adds a call.
    pub fn add(&mut self, receipt: &RoutingReceipt) {
        self.calls += 1;
        self.by_status.add(receipt.status, 1);
        if let Some(usage) = receipt.usage {
            self.tokens.add(usage);
        }
        let cost = receipt.cost_estimate.call();
        match (cost.state, cost.usd) {
            (CostState::Confirmed, Some(usd)) => self.usd.confirmed.0 += u128::from(usd.as_nanos()),
            (CostState::Estimated, Some(usd)) => self.usd.estimated.0 += u128::from(usd.as_nanos()),
            _ => self.unknown_cost_calls += 1,
        }
    }
}

impl ReceiptStats {
    /// Sums receipts that are at hand, all groups on one page.
    pub fn of<'a>(group_by: GroupBy, receipts: impl IntoIterator<Item = &'a RoutingReceipt>) -> Self {
        let mut groups: BTreeMap<Option<String>, StatsRow> = BTreeMap::new();
        for receipt in receipts {
            let key = group_by.key(receipt);
            groups.entry(key.clone()).or_insert_with(|| StatsRow::new(key)).add(receipt);
        }
        Self::sorted(group_by, groups.into_values().collect())
    }

    /// All groups, in their order.
    pub fn sorted(group_by: GroupBy, mut stats: Vec<StatsRow>) -> Self {
        stats.sort_by(|a, b| match (&a.key, &b.key) {
            (Some(a), Some(b)) if group_by.is_time() => b.cmp(a),
            (Some(a), Some(b)) => a.cmp(b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        });
        Self { group_by, stats, next_cursor: None, behind: None }
    }

    /// As a table (RFC 4180): a line for each group, its first line naming the columns.
    pub fn to_csv(&self) -> String {
        let mut csv = format!("{},calls", self.group_by);
        let kinds = ["input", "output", "cache_read", "cache_write", "reasoning"];
        let columns = CallStatus::ALL.map(CallStatus::as_str).into_iter().map(str::to_owned);
        let columns = columns.chain(kinds.map(|kind| format!("{kind}_tokens")));
        let rest = ["usd_confirmed", "usd_estimated", "unknown_cost_calls"].map(str::to_owned);
        for column in columns.chain(rest) {
            csv.push(',');
            csv += &column;
        }
        csv += "\r\n";
        for row in &self.stats {
            csv += &quoted(row.key.as_deref().unwrap_or_default());
            let counts = row.by_status.iter().map(|(_, calls)| u128::from(calls));
            let numbers = [u128::from(row.calls)].into_iter().chain(counts).chain(row.tokens.kinds());
            for number in numbers {
                // Writing to a string can't fail.
                let _ = write!(csv, ",{number}");
            }
            let usd = &row.usd;
            let _ = write!(csv, ",{},{},{}\r\n", usd.confirmed, usd.estimated, row.unknown_cost_calls);
        }
        csv
    }
}

/// A field of a table. What a spreadsheet would take for a formula is given to it as text.
fn quoted(text: &str) -> String {
    let safe =
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if safe.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
}
