//! The provider matrix as it is written: who offers which models, and what is known of them.

use pas_types::json;
use pas_types::money::NanoUsd;
use pas_types::routing::{DataPolicy, Locality, Tier};
use serde::{Deserialize, Deserializer, Serialize};

use crate::fault::Fault;

/// The document `config/providers.matrix.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// Capabilities besides those that PAS itself has words for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// Who offers models.
    pub providers: Vec<Provider>,
    /// Names under which a caller can ask for a kind of model.
    #[serde(default)]
    pub routes: Vec<Route>,
}

/// Somebody who offers models. A service belongs to one by its label `provider`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its name.
    pub name: String,
    /// Where its models run.
    pub locality: Locality,
    /// What it does with what it is sent. Left out: nobody has said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataClaim>,
    /// The time that its models get.
    #[serde(default, skip_serializing_if = "TimeLimits::is_none")]
    pub timeouts: TimeLimits,
    /// Its models.
    pub models: Vec<Model>,
}

/// What a provider says that it does with what it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataClaim {
    /// In one word.
    pub policy: DataPolicy,
    /// Where it says so.
    pub source: String,
    /// When that was read.
    pub date: String,
}

/// A model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The name by which its provider knows it.
    pub id: String,
    /// Other names by which people ask for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// What it can do.
    pub caps: Vec<String>,
    /// Tokens that fit its context, the answer included. Left out: as its service says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ctx_limit: Option<u64>,
    /// Tokens of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u64>,
    /// How good it is.
    pub tier: Tier,
    /// What it costs; null where that isn't known, or nothing since it runs on this machine.
    #[serde(deserialize_with = "said")]
    pub prices: Option<Prices>,
    /// What is done with what it is sent, where its provider makes a difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataClaim>,
    /// The time that it gets.
    #[serde(default, skip_serializing_if = "TimeLimits::is_none")]
    pub timeouts: TimeLimits,
    /// Where its provider describes it.
    pub source: String,
}

/// What a model costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Dollars for a million tokens.
    pub usd_per_million: Rates,
    /// Other prices for long requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<Above>,
    /// Where the provider says so.
    pub source: String,
    /// When that was read.
    pub date: String,
}

/// Dollars for a million tokens of each kind; null or left out where that isn't known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// Read.
    #[serde(default)]
    pub input: Option<NanoUsd>,
    /// Written, or thought.
    #[serde(default)]
    pub output: Option<NanoUsd>,
    /// Read from a cache.
    #[serde(default)]
    pub cache_read: Option<NanoUsd>,
    /// Written to a cache.
    #[serde(default)]
    pub cache_write: Option<NanoUsd>,
}

/// Prices of all tokens of a request that is longer than so much.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Above {
    /// Tokens of the request, whatever was cached.
    pub input_tokens: u64,
    /// Dollars for a million tokens then.
    pub usd_per_million: Rates,
}

/// A name under which a caller can ask for a kind of model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The name.
    pub name: String,
    /// The routing policy by which one is chosen. Left out: the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What a model must be able to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub require_caps: Vec<String>,
    /// The models among which is chosen. None named: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// The time that a call gets.
    #[serde(default, skip_serializing_if = "TimeLimits::is_none")]
    pub timeouts: TimeLimits,
}

/// How long things may take, in seconds. What is left out is as it is said farther out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeLimits {
    /// Until a connection stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_s: Option<f64>,
    /// Until a stream brings its first token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_s: Option<f64>,
    /// Between two tokens of a stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between_tokens_s: Option<f64>,
    /// All of a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_s: Option<f64>,
}

impl TimeLimits {
    /// Whether nothing is said.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// What is said here, and else what is said there.
    pub(crate) fn or(self, there: Self) -> Self {
        Self {
            connect_s: self.connect_s.or(there.connect_s),
            first_token_s: self.first_token_s.or(there.first_token_s),
            between_tokens_s: self.between_tokens_s.or(there.between_tokens_s),
            call_s: self.call_s.or(there.call_s),
        }
    }
}

impl Matrix {
    /// Reads JSON. What is in it is judged by [`crate::Table::compile`].
    pub fn read(text: &[u8]) -> Result<Self, Fault> {
        json::parse(text).map_err(Fault::from)
    }
}

/// A field that may be null, but not left out.
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}
