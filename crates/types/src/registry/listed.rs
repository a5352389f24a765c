use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Labels, Role, ServiceType, Status};
use crate::id::ServiceId;

/// A service as the registry's watch tells of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ListedService {
    /// Its id.
    pub service_id: ServiceId,
    /// Its name.
    pub name: String,
    /// What kind of thing it is.
    #[serde(rename = "type")]
    pub service_type: ServiceType,
    /// What it is trusted with.
    pub role: Role,
    /// The root under which it is called; none for an agent without a server.
    #[serde(default)]
    pub url: Option<String>,
    /// What it can do.
    #[serde(default)]
    pub caps: Vec<String>,
    /// What else it said of itself.
    #[serde(default)]
    pub labels: Labels,
    /// Tokens that fit its context.
    #[serde(default)]
    pub ctx_limit: Option<u64>,
    /// What it roughly costs per 1,000 tokens.
    #[serde(default)]
    pub cost_hint_usd_per_1k: Option<f64>,
    /// How it is.
    pub status: Status,
    /// Why it is not `ok`.
    #[serde(default)]
    pub status_reasons: Vec<String>,
    /// Whether it was taken out of service.
    #[serde(default)]
    pub paused: bool,
    /// Whether it has beaten since the registry started.
    #[serde(default)]
    pub verified: bool,
    /// The time within which it answers 95 of 100 calls, in milliseconds.
    #[serde(default)]
    pub p95_ms: Option<f64>,
    /// Calls that wait.
    #[serde(default)]
    pub queue_depth: Option<u64>,
    /// How busy it is; 1 is as busy as it should be.
    #[serde(default)]
    pub load: Option<f64>,
}

impl ListedService {
    /// One of its labels; none if it is missing, null or empty.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key)?.as_deref().filter(|value| !value.is_empty())
    }
}
