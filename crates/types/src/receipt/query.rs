//! Which receipts somebody wants to see.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::RoutingReceipt;
use crate::check::{check_budget_path, check_name_if_given};
use crate::error::Error;
use crate::event::CallStatus;
use crate::id::RunId;
use crate::limits;
use crate::query::{limit, set, time, word};
use crate::time::WireTime;

/// The filters, as a caller is told of them.
const FILTERS: &str = "since, agent, agent_run_id, service, model, status, budget";

/// Which receipts are wanted; all criteria that are given must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReceiptFilter {
    /// Of calls that came in at this time or later.
    pub since: Option<WireTime>,
    /// Of calls by this agent.
    #[param(min_length = 1, max_length = 256)]
    pub agent: Option<String>,
    /// Of calls in this run of an agent.
    pub agent_run_id: Option<RunId>,
    /// Answered by the service of this name; of calls that nobody answered, those for which it was asked last.
    #[param(min_length = 1, max_length = 256)]
    pub service: Option<String>,
    /// Answered by this model, likewise.
    #[param(min_length = 1, max_length = 256)]
    pub model: Option<String>,
    /// That ended so.
    #[param(inline)]
    pub status: Option<CallStatus>,
    /// Paid by this node of the tree of budgets, or by one below it.
    #[param(min_length = 1, max_length = 4096)]
    pub budget: Option<String>,
}

impl ReceiptFilter {
    /// Takes a parameter of a query, if it is one of the filter's.
    pub(super) fn take(&mut self, key: &str, value: &str) -> Result<bool, Error> {
        match key {
            "since" => set(&mut self.since, key, time(key, value)?)?,
            "agent" => set(&mut self.agent, key, value.to_owned())?,
            "agent_run_id" => set(&mut self.agent_run_id, key, word(key, value)?)?,
            "service" => set(&mut self.service, key, value.to_owned())?,
            "model" => set(&mut self.model, key, value.to_owned())?,
            "status" => set(&mut self.status, key, word(key, value)?)?,
            "budget" => set(&mut self.budget, key, value.to_owned())?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Refuses what breaks a limit.
    pub(super) fn validate(&self) -> Result<(), Error> {
        check_name_if_given("agent", self.agent.as_deref())?;
        check_name_if_given("service", self.service.as_deref())?;
        check_name_if_given("model", self.model.as_deref())?;
        self.budget.as_deref().map_or(Ok(()), |path| check_budget_path("budget", path))
    }

    /// Whether a receipt is wanted.
    pub fn admits(&self, receipt: &RoutingReceipt) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        let asked = receipt.asked();
        self.since.is_none_or(|since| receipt.ts >= since)
            && is(&self.agent, receipt.agent.as_deref())
            && self.agent_run_id.as_ref().is_none_or(|run| receipt.agent_run_id.as_ref() == Some(run))
            && is(&self.service, asked.map(|asked| asked.name))
            && is(&self.model, asked.map(|asked| asked.model))
            && self.status.is_none_or(|status| receipt.status == status)
            && self.admits_budget(receipt.budget.as_deref())
    }

    /// Whether this payer is wanted.
    pub fn admits_budget(&self, path: Option<&str>) -> bool {
        self.budget.as_deref().is_none_or(|node| {
            let below = path.and_then(|path| path.strip_prefix(node));
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// The query of `GET /receipts`: a page, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReceiptQuery {
    /// Only these.
    #[param(ignore)]
    pub filter: ReceiptFilter,
    /// Rows of the page; 100 by default.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl ReceiptQuery {
    /// Reads the query of a URL, already decoded into pairs.
    pub fn from_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, Error> {
        let mut query = Self::default();
        for (key, value) in pairs {
            match key {
                "limit" => set(&mut query.limit, key, limit(value)?)?,
                "cursor" => set(&mut query.cursor, key, value.to_owned())?,
                _ if query.filter.take(key, value)? => {}
                _ => return Err(unknown(key, "receipts", "limit or cursor")),
            }
        }
        query.filter.validate()?;
        Ok(query)
    }

    /// Rows of the page, the default where none is named.
    pub fn page_size(&self) -> usize {
        self.limit.unwrap_or(limits::LIST_DEFAULT) as usize
    }
}

/// Refuses a parameter that there is not.
pub(super) fn unknown(key: &str, of: &str, others: &str) -> Error {
    Error::invalid(key, format!("{key} is not a filter of {of}: use {FILTERS}, {others}"))
}

/// A page of receipts, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReceiptPage {
    /// The receipts, as the journal has them.
    #[schema(value_type = Vec<RoutingReceipt>)]
    pub receipts: Vec<Box<RawValue>>,
    /// Where the next page begins; null when this is the last one.
    pub next_cursor: Option<String>,
    /// Records of the journal that the index had not taken in, and this can lack; none when it was up to date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<u64>,
}
