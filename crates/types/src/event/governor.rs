//! What the token governor keeps inside its limits: contexts and money.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Fields, Need};
use crate::check::{check_budget_path, check_name_if_given, check_reason, check_text, check_tokens};
use crate::error::Error;
use crate::id::SummaryId;
use crate::limits;
use crate::money::NanoUsd;
use crate::object::only_objects;
use crate::schema::{BudgetPath, Name, Reason, Tokens};
use crate::time::WireTime;
use crate::word::words;

/// An agent's context is so full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// Tokens in the context.
    #[schema(value_type = Tokens)]
    pub ctx_used: u64,
    /// Tokens that fit.
    #[schema(value_type = Tokens)]
    pub ctx_limit: u64,
    /// What that means for the agent.
    pub status: ContextStatus,
    /// Those of the tokens that no summary makes fewer: system prompt, tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Tokens>)]
    pub prefix_tokens: Option<u64>,
    /// The model whose context it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Name>)]
    pub model: Option<String>,
}

words! {
    /// What the fullness of a context means.
    ContextStatus, "status of a context" {
        /// Under its target.
        Ok = "ok",
        /// At its target or over it.
        Warning = "warning",
        /// At its hard maximum or over it: to be saved and cleared.
        Breach = "breach",
    }
}

impl Fields for Context {
    const NEEDS: &'static [Need] = &[Need::Agent];

    fn validate(&self) -> Result<(), Error> {
        check_tokens("ctx_used", Some(self.ctx_used))?;
        check_tokens("ctx_limit", Some(self.ctx_limit))?;
        check_tokens("prefix_tokens", self.prefix_tokens)?;
        check_name_if_given("model", self.model.as_deref())
    }
}

/// An agent's state is saved, its context cleared, its thread resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// How far it is.
    pub state: CheckpointState,
    /// Why it was begun.
    pub trigger_reason: CheckpointTrigger,
    /// The summary that it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary_id: Option<SummaryId>,
    /// Where the summary is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 4096)]
    pub summary_path: Option<String>,
    /// How the summary was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<CheckpointMethod>,
    /// Tokens in the context before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Tokens>)]
    pub ctx_before: Option<u64>,
    /// Tokens in the context after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Tokens>)]
    pub ctx_after: Option<u64>,
    /// How long it has taken so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Reason>)]
    pub reason: Option<String>,
}

words! {
    /// How far a checkpoint is.
    CheckpointState, "state of a checkpoint" {
        /// The state is being written down.
        Saving = "saving",
        /// It is written, and verified.
        Saved = "saved",
        /// The context is cleared.
        Cleared = "cleared",
        /// The agent has its thread again.
        Resumed = "resumed",
        /// The state could not be saved; nothing was cleared.
        Failed = "failed",
    }
}

words! {
    /// Why a checkpoint was begun.
    CheckpointTrigger, "reason for a checkpoint" {
        /// The context reached its hard maximum.
        HardMaxBreach = "hard_max_breach",
        /// Somebody asked for it.
        Manual = "manual",
    }
}

words! {
    /// How a summary was made.
    CheckpointMethod, "method of summary" {
        /// A model wrote it.
        Model = "model",
        /// Sentences were picked.
        Extractive = "extractive",
        /// There is none but the state card.
        CardOnly = "card_only",
    }
}

impl Fields for Checkpoint {
    const NEEDS: &'static [Need] = &[Need::Agent];

    fn validate(&self) -> Result<(), Error> {
        check_text("summary_path", self.summary_path.as_deref().unwrap_or_default(), limits::LINE_BYTES)?;
        check_tokens("ctx_before", self.ctx_before)?;
        check_tokens("ctx_after", self.ctx_after)?;
        check_reason(self.reason.as_deref())
    }
}

/// A budget has crossed one of its stages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Which budget: a path in the tree, its segments percent-encoded.
    #[schema(value_type = BudgetPath)]
    pub path: String,
    /// The stage that it is in now.
    pub status: BudgetStatus,
    /// What happens at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_type: Option<LimitType>,
    /// The time that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Its money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd: Option<UsdAmounts>,
    /// Its tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<TokenAmounts>,
    /// When it opens again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<WireTime>,
}

words! {
    /// The stage that a budget is in.
    BudgetStatus, "status of a budget" {
        /// There is enough left.
        Ok = "ok",
        /// It is nearly spent.
        Warning = "warning",
        /// Calls are given cheaper models.
        Downgraded = "downgraded",
        /// It is spent.
        Exhausted = "exhausted",
    }
}

words! {
    /// What happens at the end of a budget.
    LimitType, "type of limit" {
        /// It is said.
        Soft = "soft",
        /// Calls are refused.
        Hard = "hard",
    }
}

words! {
    /// The time that a budget is for.
    Window, "window" {
        /// A calendar day.
        Day = "day",
        /// A calendar month.
        Month = "month",
        /// An agent's run.
        Run = "run",
    }
}

/// The money of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct UsdAmounts {
    /// All that may be spent.
    pub limit: NanoUsd,
    /// What is spent.
    pub spent: NanoUsd,
    /// What is held for calls that are being made.
    pub held: NanoUsd,
}

/// The tokens of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct TokenAmounts {
    /// All that may be spent.
    #[schema(value_type = Tokens)]
    pub limit: u64,
    /// What is spent.
    #[schema(value_type = Tokens)]
    pub spent: u64,
    /// What is held for calls that are being made.
    #[schema(value_type = Tokens)]
    pub held: u64,
}

only_objects!(UsdAmounts, TokenAmounts);

impl Fields for Budget {
    fn validate(&self) -> Result<(), Error> {
        check_budget_path("path", &self.path)?;
        let Some(TokenAmounts { limit, spent, held }) = self.tokens else { return Ok(()) };
        check_tokens("tokens.limit", Some(limit))?;
        check_tokens("tokens.spent", Some(spent))?;
        check_tokens("tokens.held", Some(held))
    }
}
