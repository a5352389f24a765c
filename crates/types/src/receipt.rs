//! The routing receipt: what became of one call through the gateway, why, and what it cost. One a call, kept for ever or
//! as long as the settings say.
//!
//! The gateway writes tens of thousands a second, so text that calls share is shared (`Arc<str>`), words that the code
//! knows are borrowed, and what is empty is left out on the wire.

mod check;
mod content;
mod event;
mod millis;
mod parts;
mod query;
mod stats;
#[cfg(test)]
mod tests;

pub use content::{Content, ContentPart, Digest};
pub use millis::Millis;
pub use parts::{
    Asked, Attempt, AttemptTimings, Candidate, Cost, Dialects, ExcludedCounts, Failure, PolicyUsed,
    RegistryPlace, Resolved, SnapshotUsed, TargetRequest, Timings,
};
pub use query::{ReceiptFilter, ReceiptPage, ReceiptQuery};
pub use stats::{
    GroupBy, ReceiptStats, StatsFormat, StatsQuery, StatsRow, StatusCounts, TokenSums, UsdSum, UsdSums,
};

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::event::{CallStatus, CallUsage};
use crate::id::{CallId, RunId};
use crate::object::only_objects;
use crate::schema::{BudgetPath, Line, Name};
use crate::time::WireTime;

/// The paths of the gateway that tell of receipts.
pub mod path {
    /// `GET`: a page of them.
    pub const RECEIPTS: &str = "/receipts";
    /// `GET`: one of them.
    pub const RECEIPT: &str = "/receipts/{run_id}";
    /// `GET`: sums of them.
    pub const STATS: &str = "/receipts/stats";
}

/// What became of one call through the gateway. `seq`, `prev` and `hash` are the journal's: its place, and what ties it to
/// the record before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct RoutingReceipt {
    /// The call.
    pub run_id: CallId,
    /// The agent that called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Name>)]
    pub agent: Option<Arc<str>>,
    /// The run of that agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_run_id: Option<RunId>,
    /// Who pays: a path in the tree of budgets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BudgetPath>)]
    pub budget: Option<Arc<str>>,
    /// The route by which it came in.
    #[schema(value_type = Line)]
    pub route: Cow<'static, str>,
    /// In whose words it was asked, and in whose it was sent on.
    #[serde(default, skip_serializing_if = "Dialects::is_empty")]
    pub dialect: Dialects,
    /// What was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TargetRequest>)]
    pub target_request: Option<Arc<TargetRequest>>,
    /// The policy that chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyUsed>,
    /// What was known when it chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotUsed>,
    /// Who could have answered, best first, and whose exclusion is worth a word.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 16)]
    pub candidates: Vec<Candidate>,
    /// How many others were excluded, by reason.
    #[serde(default, skip_serializing_if = "ExcludedCounts::is_empty")]
    pub excluded_counts: ExcludedCounts,
    /// Who was tried, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 64)]
    pub attempts: Vec<Attempt>,
    /// Who answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Resolved>,
    /// How long what took.
    pub timings_ms: Timings,
    /// The tokens of all attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<CallUsage>,
    /// What all attempts cost.
    pub cost_estimate: Cost,
    /// How it ended.
    pub status: CallStatus,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// What else is worth knowing, in words: what could not be carried over, what was repeated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Line>, max_items = 256)]
    pub notes: Vec<Cow<'static, str>>,
    /// Of what was asked and answered: as much as privacy allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// When it came in.
    pub ts: WireTime,
    /// Its place in the journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 9007199254740991u64)]
    pub seq: Option<u64>,
    /// The hash of the record before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<Digest>,
    /// Its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<Digest>,
}

only_objects!(RoutingReceipt);

impl RoutingReceipt {
    /// A receipt that says no more than what every one must.
    pub fn new(
        run_id: CallId,
        ts: WireTime,
        route: impl Into<Cow<'static, str>>,
        status: CallStatus,
    ) -> Self {
        Self {
            run_id,
            agent: None,
            agent_run_id: None,
            budget: None,
            route: route.into(),
            dialect: Dialects::default(),
            target_request: None,
            policy: None,
            snapshot: None,
            candidates: Vec::new(),
            excluded_counts: ExcludedCounts::default(),
            attempts: Vec::new(),
            resolved: None,
            timings_ms: Timings::default(),
            usage: None,
            cost_estimate: Cost::UNKNOWN,
            status,
            error: None,
            notes: Vec::new(),
            content: None,
            ts,
            seq: None,
            prev: None,
            hash: None,
        }
    }

    /// Who answered; of a call that nobody answered, who was asked last.
    pub fn asked(&self) -> Option<Asked<'_>> {
        let answered = self.resolved.as_ref().map(|it| Asked {
            service_id: it.service_id,
            name: &it.name,
            model: &it.model,
            provider: it.provider.as_deref(),
        });
        let tried = self.attempts.last().map(|it| Asked {
            service_id: it.service_id,
            name: &it.name,
            model: &it.model,
            provider: it.provider.as_deref(),
        });
        answered.or(tried)
    }
}
