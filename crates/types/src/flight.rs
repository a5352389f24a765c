//! Calls that are under way in the gateway.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::CallId;
use crate::time::WireTime;

/// The paths of the gateway for calls.
pub mod path {
    /// `POST`: a call in PAS's own words.
    pub const INVOKE: &str = "/invoke";
    /// `GET`: the calls that are under way.
    pub const IN_FLIGHT: &str = "/inflight";
    /// `POST`: ends one of them.
    pub const CANCEL: &str = "/inflight/{run_id}/cancel";
    /// `GET`: the models that somebody serves, and the named routes.
    pub const MODELS: &str = "/v1/models";
    /// `POST`: a chat in OpenAI's words.
    pub const CHAT_COMPLETIONS: &str = "/v1/chat/completions";
    /// `POST`: a message in Anthropic's words.
    pub const MESSAGES: &str = "/v1/messages";
}

/// A call that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InFlight {
    /// The call.
    pub run_id: CallId,
    /// When it came in.
    pub ts: WireTime,
    /// How long ago that was.
    pub age_ms: u64,
    /// The route by which it did.
    pub route: String,
    /// The agent that calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The service that is asked at the moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// For this model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// All calls that are under way, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InFlightPage {
    /// The calls.
    pub inflight: Vec<InFlight>,
    /// Always null: they are all there.
    pub next_cursor: Option<String>,
}

/// A call was told to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cancelled {
    /// The call.
    pub run_id: CallId,
    /// Its receipt says so when it has ended.
    pub cancelling: bool,
}
