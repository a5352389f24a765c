//! What the HMI's own routes answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pas_types::health::{Check, Health, HealthStatus};
use pas_types::id::ServiceId;
use pas_types::registry::ListedService;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Error;

/// The answer of `GET /api/hello`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Hello {
    /// The version of PAS.
    #[schema(value_type = String)]
    pub version: &'static str,
    /// Whether what is shown is the scripted swarm of `pas demo`.
    pub demo: bool,
    /// Where the event stream is.
    pub events_url: String,
    /// Where the services are.
    pub urls: Urls,
}

/// Where the services are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Urls {
    /// The registry.
    pub registry: String,
    /// The event stream.
    pub event_stream: String,
    /// The heartbeat monitor.
    pub heartbeat_monitor: String,
    /// The provider router.
    pub provider_router: String,
    /// The gateway.
    pub gateway: String,
}

/// The answer of `GET /api/services`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ServicesPage {
    /// What to ask with next time.
    pub cursor: String,
    /// Whether this is everything, and what was known before is to be forgotten.
    pub reset: bool,
    /// How long ago the registry was heard; null when it never was.
    pub heard_age_ms: Option<u64>,
    /// Why the registry is not heard; null when it is.
    pub broken: Option<String>,
    /// Services that are new or changed.
    #[schema(value_type = Vec<ListedService>)]
    pub services: Vec<Arc<ListedService>>,
    /// Services that are gone.
    pub gone: Vec<ServiceId>,
}

/// The answer of `GET /api/health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HealthPage {
    /// The HMI, and those whose view it is.
    pub services: Vec<How>,
}

/// How a service says that it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct How {
    /// Which service.
    pub name: String,
    /// Where it was asked.
    pub url: String,
    /// How it is.
    pub status: HowStatus,
    /// Why it is not `ok`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Seconds since it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_s: Option<u64>,
    /// Each of its checks by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checks: Option<BTreeMap<String, Check>>,
    /// How long the answer took.
    pub took_ms: u64,
}

/// How a service is, by its own word where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HowStatus {
    /// All is well.
    Ok,
    /// It works, but not as it should.
    Degraded,
    /// It came up a short while ago.
    Recovering,
    /// It does not work, and says so.
    Down,
    /// It said nothing that could be read, or not in time.
    Unreachable,
}

impl From<HealthStatus> for HowStatus {
    fn from(status: HealthStatus) -> Self {
        match status {
            HealthStatus::Ok => Self::Ok,
            HealthStatus::Recovering => Self::Recovering,
            HealthStatus::Degraded => Self::Degraded,
            HealthStatus::Down => Self::Down,
        }
    }
}

impl How {
    /// What a service at `url` said, or why it said nothing, after such a time.
    pub(crate) fn new(name: &str, url: &str, health: Result<Health, Error>, took: Duration) -> Self {
        let (name, url) = (name.to_owned(), url.to_owned());
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        match health {
            Ok(Health { status, reason, service: _, version, uptime_s, checks }) => Self {
                name,
                url,
                status: status.into(),
                reason,
                version: Some(version),
                uptime_s: Some(uptime_s),
                checks: Some(checks),
                took_ms,
            },
            Err(error) => Self {
                name,
                url,
                status: HowStatus::Unreachable,
                reason: Some(error.to_string()),
                version: None,
                uptime_s: None,
                checks: None,
                took_ms,
            },
        }
    }
}
