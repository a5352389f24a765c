//! A call through the gateway, as far as a screen needs it. The whole receipt is the gateway's, under the same call id.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::Fields;
use crate::check::{check_budget_path, check_name_if_given, check_not_negative, check_text, check_tokens};
use crate::error::{Error, ErrorCode};
use crate::id::CallId;
use crate::limits;
use crate::money::NanoUsd;
use crate::object::only_objects;
use crate::schema::{BudgetPath, Name, Tokens};
use crate::word::words;

/// A call through the gateway is over. Who called is the event's `agent`, who answered its `service_id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The gateway's id of the call, which it calls `run_id` itself.
    pub call_id: CallId,
    /// How it ended.
    pub status: CallStatus,
    /// The route by which it came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 4096)]
    pub route: Option<String>,
    /// The name of the service that answered; of a call that nobody answered, the one that was asked last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Name>)]
    pub service: Option<String>,
    /// The model that answered, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Name>)]
    pub model: Option<String>,
    /// The name of the policy that chose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Name>)]
    pub policy: Option<String>,
    /// Who pays: a path in the tree of budgets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BudgetPath>)]
    pub budget: Option<String>,
    /// How often the gateway tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 4294967295u32)]
    pub attempts: Option<u32>,
    /// The tokens that it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<CallUsage>,
    /// What it cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<CallCost>,
    /// How long it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timings_ms: Option<CallTimings>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorCode>,
}

words! {
    /// How a call ended.
    CallStatus, "status of a call" {
        /// It was answered whole.
        Ok = "ok",
        /// It failed.
        Error = "error",
        /// The answer broke off after it had begun.
        Cut = "cut",
        /// The client left.
        Cancelled = "cancelled",
        /// It was not made: no candidate, no budget, a limit.
        Refused = "refused",
        /// The gateway died under it; how it ended is not known.
        Lost = "lost",
    }
}

/// The tokens of a call. What was cached is not counted again as input, nor what was thought as output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct CallUsage {
    /// Read.
    #[schema(value_type = Tokens)]
    pub input: u64,
    /// Written.
    #[schema(value_type = Tokens)]
    pub output: u64,
    /// Read from a cache.
    #[serde(default)]
    #[schema(value_type = Tokens)]
    pub cache_read: u64,
    /// Written to a cache.
    #[serde(default)]
    #[schema(value_type = Tokens)]
    pub cache_write: u64,
    /// Thought.
    #[serde(default)]
    #[schema(value_type = Tokens)]
    pub reasoning: u64,
    /// Who counted them.
    pub source: UsageSource,
}

words! {
    /// Who counted the tokens of a call.
    UsageSource, "source of usage" {
        /// The provider.
        Provider = "provider",
        /// Nobody: they are estimated.
        Estimated = "estimated",
    }
}

/// What a call cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct CallCost {
    /// In dollars; null if it is unknown, which is not zero.
    pub usd: Option<NanoUsd>,
    /// How sure that is.
    pub state: CostState,
}

words! {
    /// How sure the cost of a call is.
    CostState, "state of a cost" {
        /// By the provider's count and a known price.
        Confirmed = "confirmed",
        /// By an estimate of the tokens or the price.
        Estimated = "estimated",
        /// There is no price.
        Unknown = "unknown",
    }
}

/// How long the parts of a call took, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct CallTimings {
    /// All of it.
    #[schema(minimum = 0)]
    pub total: f64,
    /// Until the first token came from upstream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub first_token: Option<f64>,
    /// Spent upstream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub upstream: Option<f64>,
    /// Spent in the gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub overhead: Option<f64>,
}

only_objects!(CallUsage, CallCost, CallTimings);

impl Fields for Receipt {
    fn validate(&self) -> Result<(), Error> {
        check_text("route", self.route.as_deref().unwrap_or_default(), limits::LINE_BYTES)?;
        self.budget.as_deref().map_or(Ok(()), |path| check_budget_path("budget", path))?;
        for (field, name) in [("service", &self.service), ("model", &self.model), ("policy", &self.policy)] {
            check_name_if_given(field, name.as_deref())?;
        }
        self.usage.map_or(Ok(()), |usage| usage.validate("usage"))?;
        self.cost.map_or(Ok(()), |cost| cost.validate("cost"))?;
        self.timings_ms.map_or(Ok(()), CallTimings::validate)
    }
}

impl CallUsage {
    /// Every kind of tokens by its name.
    pub const fn kinds(self) -> [(&'static str, u64); 5] {
        [
            ("input", self.input),
            ("output", self.output),
            ("cache_read", self.cache_read),
            ("cache_write", self.cache_write),
            ("reasoning", self.reasoning),
        ]
    }

    /// Refuses what breaks a limit; `place` is the field in which it stands.
    pub(crate) fn validate(self, place: &str) -> Result<(), Error> {
        let check = |(kind, tokens)| check_tokens(&format!("{place}.{kind}"), Some(tokens));
        self.kinds().into_iter().try_for_each(check)
    }
}

impl CallCost {
    /// Refuses what contradicts itself; `place` is the field in which it stands.
    pub(crate) fn validate(self, place: &str) -> Result<(), Error> {
        let field = format!("{place}.usd");
        match (self.usd, self.state) {
            (None, CostState::Confirmed | CostState::Estimated) => {
                let message = format!("{field} is missing, and yet {}: name it, or say unknown", self.state);
                Err(Error::invalid(field, message))
            }
            (Some(usd), CostState::Unknown) => {
                let message = format!("{field} is {usd}, and yet unknown: leave it out, or say estimated");
                Err(Error::invalid(field, message))
            }
            _ => Ok(()),
        }
    }
}

impl CallTimings {
    fn validate(self) -> Result<(), Error> {
        check_not_negative("timings_ms.total", Some(self.total))?;
        check_not_negative("timings_ms.first_token", self.first_token)?;
        check_not_negative("timings_ms.upstream", self.upstream)?;
        check_not_negative("timings_ms.overhead", self.overhead)
    }
}
