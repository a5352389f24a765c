use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Dialect, Exclusion};
use crate::check::{check_name_if_given, check_tokens, check_within};
use crate::error::{Error, ErrorCode};
use crate::event::CallCost;
use crate::id::ServiceId;
use crate::invoke::{PolicyWish, Target};
use crate::limits;
use crate::money::NanoUsd;
use crate::object::only_objects;
use crate::schema::{Name, Tokens};

/// The body of `POST /route`: a call as it would be made, and what is known of it beforehand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct RouteRequest {
    /// What would be called.
    pub target: Target,
    /// What is wished for on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyWish>,
    /// The dialect of the request. Left out: a plain text, which can be put in any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// Tokens of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Tokens>)]
    pub input_tokens: Option<u64>,
    /// Tokens that the answer may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Tokens>)]
    pub output_tokens: Option<u64>,
    /// The agent that would call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Name>)]
    pub agent: Option<String>,
}

impl RouteRequest {
    /// Refuses what breaks a limit.
    pub fn validate(&self) -> Result<(), Error> {
        self.target.validate_at("target.")?;
        if let Some(policy) = &self.policy {
            policy.validate_at("policy.")?;
        }
        check_tokens("input_tokens", self.input_tokens)?;
        check_within("output_tokens", self.output_tokens.unwrap_or(1), 1, limits::TOKENS)?;
        check_name_if_given("agent", self.agent.as_deref())
    }
}

/// The answer of `POST /route`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RouteAnswer {
    /// The rules that would hold.
    pub policy: PolicyView,
    /// What the answer is true for.
    pub versions: Versions,
    /// Who would be asked, in this order; at most 16.
    pub candidates: Vec<CandidateView>,
    /// How many would do, the listed ones among them.
    pub usable: u32,
    /// Who would not be asked, and why: those that come nearest, until 16 are listed in all.
    pub excluded: Vec<ExcludedView>,
    /// All that would not be asked, counted by reason.
    pub excluded_counts: BTreeMap<Exclusion, u32>,
    /// What the caller would be told, when nobody is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<RefusalView>,
}

/// What a caller would be told for whom there is nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusalView {
    /// The code of the error.
    pub code: ErrorCode,
    /// Its HTTP status.
    pub http_status: u16,
    /// What stands in the way of each.
    pub message: String,
    /// When a retry makes sense, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

impl From<&Error> for RefusalView {
    fn from(error: &Error) -> Self {
        Self {
            code: error.code,
            http_status: error.status(),
            message: error.message.clone(),
            retry_after_s: error.retry_after_s,
        }
    }
}

/// The rules by which is chosen, from the named policy, the route and the wishes together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PolicyView {
    /// The name of the policy.
    pub name: String,
    /// How much each preference counts.
    pub weights: Weights,
    /// Seconds that the call may take.
    pub timeout_s: f64,
    /// How often it may be tried.
    pub max_attempts: u32,
    /// Whether others may answer.
    pub fallback: bool,
}

/// How much each preference counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct Weights {
    /// How soon it answers.
    pub latency: f64,
    /// What this call costs.
    pub price: f64,
    /// Whether it runs on this machine.
    pub locality: f64,
    /// How busy it is.
    pub load: f64,
    /// How good it is, against how hard the task is.
    pub quality: f64,
    /// Whether it speaks the caller's dialect.
    pub dialect: f64,
}

/// What an answer is true for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Versions {
    /// The providers and models.
    pub matrix: String,
    /// The rules of choice.
    pub policies: String,
    /// The prices among them.
    pub prices: String,
}

/// Somebody who would be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CandidateView {
    /// The service.
    pub service_id: ServiceId,
    /// Its name.
    pub name: String,
    /// The model that it would be asked for.
    pub model: String,
    /// How well it fits, from 0 to 1.
    pub score: f64,
    /// How well it fits by each preference, from 0 to 1, before these are weighed.
    pub parts: Weights,
    /// 0 for what was asked for, 1 and more for what stands in for it.
    pub rank: u32,
    /// The dialect in which it would be asked.
    pub dialect: Dialect,
    /// What the call would cost.
    pub cost_estimate: CallCost,
}

/// Somebody who would not be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExcludedView {
    /// The service.
    pub service_id: ServiceId,
    /// Its name.
    pub name: String,
    /// The model that it would be asked for.
    pub model: String,
    /// Why not, in words.
    pub excluded: String,
}

/// The answer of `GET /matrix`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MatrixView {
    /// A short word for its content.
    pub version: String,
    /// The provider matrix that is in force, as its file has it.
    #[schema(value_type = Object)]
    pub matrix: serde_json::Value,
}

/// The answer of `GET /policies`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PoliciesView {
    /// A short word for their content.
    pub version: String,
    /// The routing policies that are in force, as their file has them.
    #[schema(value_type = Object)]
    pub policies: serde_json::Value,
}

/// The answer of `GET /prices`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PricesView {
    /// A short word for all of them, which is on receipts.
    pub version: String,
    /// One of each model, in the order of the matrix.
    pub prices: Vec<PriceView>,
}

/// What a model costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PriceView {
    /// Who offers it.
    pub provider: String,
    /// The model.
    pub model: String,
    /// Dollars for a million tokens; null where that isn't known, or nothing since it runs on this machine.
    pub usd_per_million: Option<RateView>,
    /// A request with more tokens than this has other prices, if there are any.
    pub above_input_tokens: Option<u64>,
    /// Those.
    pub usd_per_million_above: Option<RateView>,
    /// Where the provider says so.
    pub source: Option<String>,
    /// The day on which that was read.
    pub date: Option<String>,
}

/// Dollars for a million tokens of each kind; null where that isn't known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RateView {
    /// Read.
    pub input: Option<NanoUsd>,
    /// Written, or thought.
    pub output: Option<NanoUsd>,
    /// Read from a cache.
    pub cache_read: Option<NanoUsd>,
    /// Written to a cache.
    pub cache_write: Option<NanoUsd>,
}

only_objects!(RouteRequest, Weights);
