//! The parts of a receipt.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use super::Millis;
use crate::error::ErrorCode;
use crate::event::{CallCost, CallUsage, CostState};
use crate::id::ServiceId;
use crate::money::NanoUsd;
use crate::object::only_objects;
use crate::schema::{self, Capability, Line, Name, Word};

/// In whose words a call was asked, and in whose it was sent on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct Dialects {
    /// The caller's.
    #[serde(rename = "in", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Word>)]
    pub incoming: Option<Cow<'static, str>>,
    /// That of whom it was sent to last.
    #[serde(rename = "out", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Word>)]
    pub outgoing: Option<Cow<'static, str>>,
}

impl Dialects {
    /// Whether neither is known.
    pub fn is_empty(&self) -> bool {
        self.incoming.is_none() && self.outgoing.is_none()
    }
}

/// What was asked for. Everything that is named must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct TargetRequest {
    /// What kind of thing: `model`, `tool`, `agent`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Word>)]
    pub target_type: Option<Cow<'static, str>>,
    /// With this role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Word>)]
    pub role: Option<Cow<'static, str>>,
    /// With each of these capabilities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Capability>, max_items = 256)]
    pub require_caps: Vec<Arc<str>>,
    /// The service of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Name>)]
    pub name: Option<Arc<str>>,
    /// What stood as `model` in the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Name>)]
    pub model: Option<Arc<str>>,
    /// With each of these labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = schema::LabelFilter)]
    pub labels: BTreeMap<Arc<str>, Arc<str>>,
}

/// The policy that chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct PolicyUsed {
    /// Its name.
    #[schema(value_type = Name)]
    pub name: Arc<str>,
    /// The version of the policies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Word>)]
    pub version: Option<Arc<str>>,
}

/// What was known when the choice was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct SnapshotUsed {
    /// The place in the registry's log up to which its services were known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<RegistryPlace>,
    /// The version of the provider matrix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Word>)]
    pub matrix: Option<Arc<str>>,
    /// How long ago that was known to be so.
    #[schema(minimum = 0, maximum = 9007199254740991u64)]
    pub age_ms: u64,
}

/// A place in the registry's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct RegistryPlace {
    /// A start of the registry.
    #[schema(minimum = 0, maximum = 9007199254740991u64)]
    pub epoch: u64,
    /// The place within it.
    #[schema(minimum = 0, maximum = 9007199254740991u64)]
    pub index: u64,
}

/// Who could have answered, or why not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct Candidate {
    /// The service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_id: Option<ServiceId>,
    /// Its name.
    #[schema(value_type = Name)]
    pub name: Arc<str>,
    /// Its model.
    #[schema(value_type = Name)]
    pub model: Arc<str>,
    /// How well it fits; who is excluded has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -1000000, maximum = 1000000)]
    pub score: Option<f32>,
    /// Why it is out, as `context: needs 41k, has 32k`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Line>)]
    pub excluded: Option<Cow<'static, str>>,
}

/// How many candidates are excluded, by the word of the reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExcludedCounts(pub Vec<(Cow<'static, str>, u32)>);

impl ExcludedCounts {
    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for ExcludedCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(reason, count)| (reason, count)))
    }
}

impl<'de> Deserialize<'de> for ExcludedCounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Counts;

        impl<'de> Visitor<'de> for Counts {
            type Value = ExcludedCounts;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of counts by reason")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ExcludedCounts, A::Error> {
                let mut counts = Vec::new();
                while let Some((reason, count)) = map.next_entry::<String, u32>()? {
                    counts.push((reason.into(), count));
                }
                Ok(ExcludedCounts(counts))
            }
        }

        deserializer.deserialize_map(Counts)
    }
}

impl utoipa::PartialSchema for ExcludedCounts {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        schema::counts("How many candidates are excluded, by reason.")
    }
}

impl ToSchema for ExcludedCounts {}

/// One attempt to have the call answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct Attempt {
    /// The service that was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_id: Option<ServiceId>,
    /// Its name.
    #[schema(value_type = Name)]
    pub name: Arc<str>,
    /// Its model.
    #[schema(value_type = Name)]
    pub model: Arc<str>,
    /// The provider of the model, where the service says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Name>)]
    pub provider: Option<Arc<str>>,
    /// How it went, in a word: `ok`, or what kind of fault.
    #[schema(value_type = Word)]
    pub outcome: Cow<'static, str>,
    /// The status that it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 100, maximum = 999)]
    pub http_status: Option<u16>,
    /// How long it took.
    pub timings_ms: AttemptTimings,
    /// The tokens that it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<CallUsage>,
    /// What it cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<CallCost>,
    /// What it said, where it failed; never a secret, never a caller's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Line>)]
    pub error: Option<Box<str>>,
}

/// How long the parts of an attempt took, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct AttemptTimings {
    /// Until there was a connection; 0 for one that was there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<Millis>,
    /// Until the first byte of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_byte: Option<Millis>,
    /// All of it.
    pub total: Millis,
}

/// Who answered a call; of one that nobody answered, who was asked last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The service.
    pub service_id: Option<ServiceId>,
    /// Its name.
    pub name: &'a str,
    /// The model.
    pub model: &'a str,
    /// The provider of the model, where the service says it.
    pub provider: Option<&'a str>,
}

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct Resolved {
    /// The service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_id: Option<ServiceId>,
    /// Its name.
    #[schema(value_type = Name)]
    pub name: Arc<str>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Line>)]
    pub url: Option<Arc<str>>,
    /// The model that it was asked for.
    #[schema(value_type = Name)]
    pub model: Arc<str>,
    /// The model that it says it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Name>)]
    pub model_reported: Option<Arc<str>>,
    /// The provider of the model, where the service says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Name>)]
    pub provider: Option<Arc<str>>,
}

/// How long the parts of a call took, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct Timings {
    /// To find who could answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovery: Option<Millis>,
    /// Waiting for a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Millis>,
    /// Upstream, all attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Millis>,
    /// Until the first token came from upstream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token: Option<Millis>,
    /// In the gateway itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overhead: Option<Millis>,
    /// All of it.
    pub total: Millis,
}

/// What a call cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct Cost {
    /// In dollars; null if it is unknown, which is not zero.
    pub usd: Option<NanoUsd>,
    /// How sure that is.
    pub state: CostState,
    /// The version of the prices by which it was reckoned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Word>)]
    pub price_version: Option<Arc<str>>,
}

impl Cost {
    /// Nobody knows.
    pub const UNKNOWN: Self = Self { usd: None, state: CostState::Unknown, price_version: None };

    /// This cost, by prices of this version.
    pub fn of(CallCost { usd, state }: CallCost, price_version: Option<Arc<str>>) -> Self {
        Self { usd, state, price_version }
    }

    /// The cost alone.
    pub fn call(&self) -> CallCost {
        CallCost { usd: self.usd, state: self.state }
    }
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct Failure {
    /// In a word.
    pub code: ErrorCode,
    /// In a sentence, as the caller was told.
    #[schema(value_type = Line)]
    pub message: Box<str>,
}

only_objects!(
    Dialects,
    TargetRequest,
    PolicyUsed,
    SnapshotUsed,
    RegistryPlace,
    Candidate,
    Attempt,
    AttemptTimings,
    Resolved,
    Timings,
    Cost,
    Failure
);
