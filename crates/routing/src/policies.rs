//! The rules of choice as they are written.

use std::collections::BTreeMap;

use pas_types::invoke::Delivery;
use pas_types::json;
use pas_types::money::NanoUsd;
use pas_types::routing::{
    ContentFilter, DataPolicy, LimitedBy, Locality, Privacy, Tier, Translate, Weights, Window,
};
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::matrix::TimeLimits;

/// The document `config/policies.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    /// The policy of a call that names none.
    pub default: String,
    /// The policies by name. Those that a caller can `prefer` must be there.
    pub policies: BTreeMap<String, Policy>,
    /// What holds where a policy says nothing of it.
    #[serde(default)]
    pub defaults: Defaults,
    /// How good a model is wanted for how hard a task.
    #[serde(default)]
    pub complexity: ComplexityRules,
    /// For a model or a route: the models that stand in for it, in this order.
    #[serde(default)]
    pub fallbacks: BTreeMap<String, Vec<String>>,
    /// How many calls, and tokens, may pass.
    #[serde(default)]
    pub rate_limits: Vec<RateLimit>,
    /// Nobody keeps budgets yet: a declared one is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budgets: Option<serde_json::Value>,
}

/// One way to choose.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// How much each preference counts.
    #[serde(default)]
    pub weights: Weights,
    /// Scores this far apart, at the most, are a tie: those that tie take turns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tie: Option<f64>,
    /// Only these providers, each before the next. None named: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub providers: Vec<String>,
    /// Only what runs there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locality: Option<Locality>,
    /// Only who is at least as careful with data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataPolicy>,
    /// What a call may cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost_usd: Option<NanoUsd>,
    /// The time that a call gets.
    #[serde(default, skip_serializing_if = "TimeLimits::is_none")]
    pub timeouts: TimeLimits,
    /// What it says otherwise than the defaults.
    #[serde(default, skip_serializing_if = "Handling::is_none")]
    pub handling: Handling,
}

/// What holds where a policy says nothing of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// The time that a call gets.
    #[serde(default)]
    pub timeouts: TimeLimits,
    /// How a call is handled.
    #[serde(default)]
    pub handling: Handling,
}

/// How a call is handled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handling {
    /// The share of calls that goes to canaries while there are others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary_share: Option<f64>,
    /// How often it may be tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// Whether another candidate may answer when the first one fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<bool>,
    /// How a stream is passed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// What may be done to a request whose target speaks another dialect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub translate: Option<Translate>,
    /// What is kept of its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Privacy>,
    /// What is done with an answer that a content filter refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_filter: Option<ContentFilter>,
    /// Whether an answer is read to its end when the client has gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain: Option<bool>,
}

impl Handling {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// How good a model is wanted for how hard a task.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ComplexityRules {
    /// For a simple task.
    pub simple: Tier,
    /// For an ordinary task.
    pub standard: Tier,
    /// For a complex task.
    pub complex: Tier,
    /// A request of so many tokens is an ordinary task, unless its caller says otherwise; a shorter one is simple.
    pub standard_from_tokens: u64,
    /// A request of so many tokens is a complex task.
    pub complex_from_tokens: u64,
}

impl Default for ComplexityRules {
    fn default() -> Self {
        Self {
            simple: Tier::Light,
            standard: Tier::Standard,
            complex: Tier::Strong,
            standard_from_tokens: 1_000,
            complex_from_tokens: 16_000,
        }
    }
}

/// How many calls, or tokens, may pass in a window of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Of whom.
    pub per: LimitedBy,
    /// Of this one alone. Left out: of each by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// Tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// In any such stretch of time.
    pub window: Window,
}

impl Policies {
    /// Reads JSON. What is in it is judged by [`crate::Table::compile`].
    pub fn read(text: &[u8]) -> Result<Self, Fault> {
        json::parse(text).map_err(Fault::from)
    }
}
