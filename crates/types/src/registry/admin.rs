use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Role, check_name, check_not_negative, check_reason};
use crate::error::Error;
use crate::id::{LeaseId, ServiceId};
use crate::object::only_objects;
use crate::time::WireTime;
use crate::word::words;

/// The body of `POST /promote`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Promote {
    /// Which service.
    pub service_id: ServiceId,
    /// Its next rung, up or down: experimental, staging, canary or production.
    pub role: Role,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    pub reason: Option<String>,
}

impl Promote {
    /// Whether it may be tried as it is.
    pub fn validate(&self) -> Result<(), Error> {
        if !Role::RUNGS.contains(&self.role) {
            return Err(Error::invalid(
                "role",
                format!(
                    "{} is not a rung: use one of experimental, staging, canary, production",
                    self.role.as_str()
                ),
            ));
        }
        check_reason(self.reason.as_deref())
    }
}

/// The body of `POST /pause` and `POST /resume`: exactly one of the first four says who is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Selector {
    /// This service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_id: Option<ServiceId>,
    /// Every service of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The service of this name (or id) and all below it, by `labels.parent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtree: Option<String>,
    /// Everything but PAS's own services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<bool>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    pub reason: Option<String>,
}

/// Who is meant by a [`Selector`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// One service.
    Service(ServiceId),
    /// Every service of a name.
    Name(String),
    /// A name and all below it.
    Subtree(String),
    /// Everything but PAS's own services.
    All,
}

impl Selector {
    /// Who is meant.
    pub fn subject(&self) -> Result<Subject, Error> {
        check_reason(self.reason.as_deref())?;
        let one_of = "name exactly one of service_id, name, subtree, or all: true";
        match (self.service_id, &self.name, &self.subtree, self.all) {
            (Some(id), None, None, None) => Ok(Subject::Service(id)),
            (None, Some(name), None, None) => {
                check_name("name", name)?;
                Ok(Subject::Name(name.clone()))
            }
            (None, None, Some(name), None) => {
                check_name("subtree", name)?;
                Ok(Subject::Subtree(name.clone()))
            }
            (None, None, None, Some(true)) => Ok(Subject::All),
            (None, None, None, Some(false)) => {
                Err(Error::invalid("all", format!("all is false, which selects nothing: {one_of}")))
            }
            (None, None, None, None) => {
                Err(Error::invalid("service_id", format!("nobody is named: {one_of}")))
            }
            _ => Err(Error::invalid("service_id", format!("more than one selection is given: {one_of}"))),
        }
    }
}

/// What an admin action did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdminOutcome {
    /// Everyone that the request named.
    pub matched: u64,
    /// Those for whom it changed something.
    pub changed: Vec<ServiceId>,
}

/// The body of `POST /deregister`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Deregister {
    /// Which service.
    pub service_id: ServiceId,
    /// Its lease; if given, it must be the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_id: Option<LeaseId>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    pub reason: Option<String>,
}

impl Deregister {
    /// Whether it may be tried as it is.
    pub fn validate(&self) -> Result<(), Error> {
        check_reason(self.reason.as_deref())
    }
}

/// What became of a service that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deregistered {
    /// Which service.
    pub service_id: ServiceId,
    /// Since when.
    pub ts: WireTime,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The body of `POST /reachability`: what the monitor's probe of a service found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct ReachabilityReport {
    /// Which service.
    pub service_id: ServiceId,
    /// Whether it answered.
    pub reachable: bool,
    /// How long that took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub latency_ms: Option<f64>,
    /// What it said of itself, or why it couldn't be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    pub reason: Option<String>,
}

impl ReachabilityReport {
    /// Whether it may be taken as it is.
    pub fn validate(&self) -> Result<(), Error> {
        check_not_negative("latency_ms", self.latency_ms)?;
        check_reason(self.reason.as_deref())
    }
}

words! {
    /// What is known of whether a service can be reached.
    #[derive(Default)]
    Reachability, "reachability" {
        /// It never answered a probe and never promised to.
        #[default]
        Unprobed = "unprobed",
        /// The last probe was answered.
        Reachable = "reachable",
        /// The last probe was not answered, though it should have been.
        Unreachable = "unreachable",
    }
}

/// The body of `POST /brake/release`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct BrakeRelease {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    pub reason: Option<String>,
}

impl BrakeRelease {
    /// Whether it may be tried as it is.
    pub fn validate(&self) -> Result<(), Error> {
        check_reason(self.reason.as_deref())
    }
}

/// The answer of `POST /brake/release`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BrakeState {
    /// Whether this request ended a brake that was on.
    pub released: bool,
    /// Services whose eviction the brake held back.
    pub held: u64,
}

only_objects!(Promote, Selector, Deregister, ReachabilityReport, BrakeRelease);
