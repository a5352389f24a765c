use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use crate::check::{check_caps, check_count, check_label, check_name, check_not_negative};
use crate::error::Error;
use crate::id::{LeaseId, ServiceId};
use crate::limits;
use crate::object::only_objects;
use crate::schema::{Capability, LabelMap};
use crate::word::words;

/// What a service says of itself beyond the table's columns: `parent`, `tier`, `dialects`, `models`, `locality`,
/// `provider`, `health_path`, or words of its own. Null is allowed, for a `parent` that there is none.
pub type Labels = BTreeMap<String, Option<String>>;

words! {
    /// What kind of thing is registered.
    ServiceType, "type" {
        /// Answers prompts.
        Model = "model",
        /// Does one thing when invoked.
        Tool = "tool",
        /// Acts by itself, and calls others.
        Agent = "agent",
        /// A part of PAS.
        Service = "service",
    }
}

impl ServiceType {
    /// The roles that a registration of this type may name.
    pub const fn roles(self) -> &'static [Role] {
        match self {
            Self::Agent => &Role::ALL,
            _ => &Role::RUNGS,
        }
    }
}

words! {
    /// What a service is trusted with.
    Role, "role" {
        /// Being tried; routed to by name alone.
        Experimental = "experimental",
        /// Being prepared for production.
        Staging = "staging",
        /// Takes a share of production's calls.
        Canary = "canary",
        /// Takes production's calls.
        Production = "production",
        /// An agent that leads others.
        Coordinator = "coordinator",
        /// An agent that keeps the swarm going.
        System = "system",
        /// An agent that does the work.
        Execution = "execution",
    }
}

impl Role {
    /// The rungs of promotion, from the lowest.
    pub const RUNGS: [Self; 4] = [Self::Experimental, Self::Staging, Self::Canary, Self::Production];
}

/// The body of `POST /register`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Registration {
    /// The id of an earlier registration, to be known again when the url has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_id: Option<ServiceId>,
    /// The name by which people and routes know the service. Same name and url is the same service.
    #[schema(min_length = 1, max_length = 256, pattern = r"^\P{Cc}*$")]
    pub name: String,
    /// What kind of thing it is.
    #[serde(rename = "type")]
    pub service_type: ServiceType,
    /// What it is trusted with. Counts at the first registration only, but for agents: a promotion
    /// survives the next one.
    pub role: Role,
    /// The root under which it is called. Only an agent may have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 8192)]
    pub url: Option<String>,
    /// What it can do, in free words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Capability>, max_items = 256)]
    pub caps: Vec<String>,
    /// What else routing and people need to know of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = LabelMap)]
    pub labels: Labels,
    /// Tokens that fit its context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub ctx_limit: Option<u64>,
    /// What it roughly costs per 1,000 tokens, for a model that the provider matrix doesn't know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub cost_hint_usd_per_1k: Option<f64>,
    /// Seconds between its beats.
    #[serde(default = "default_interval")]
    #[schema(minimum = 1, maximum = 86400)]
    pub heartbeat_interval_s: u32,
    /// Seconds without a beat after which the first one counts as missed. At least the interval.
    #[serde(default = "default_ttl")]
    #[schema(minimum = 1, maximum = 604800)]
    pub ttl_s: u32,
    /// Differs at each start of the service's process: another one gets a new lease, which fences the old process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 128)]
    pub boot_id: Option<String>,
}

const fn default_interval() -> u32 {
    60
}

const fn default_ttl() -> u32 {
    90
}

/// The longest time to live, a week.
const MAX_TTL_S: u32 = 604_800;

impl Registration {
    /// Whether it may be stored as it is.
    pub fn validate(&self) -> Result<(), Error> {
        check_name("name", &self.name)?;
        self.validate_role()?;
        self.validate_url()?;
        check_caps("caps", &self.caps)?;
        self.validate_labels()?;
        if self.ctx_limit == Some(0) {
            return Err(Error::invalid("ctx_limit", "ctx_limit is 0: use 1 or more tokens, or leave it out"));
        }
        check_not_negative("cost_hint_usd_per_1k", self.cost_hint_usd_per_1k)?;
        self.validate_beats()?;
        match &self.boot_id {
            Some(boot) if boot.is_empty() || boot.len() > 128 => Err(Error::invalid(
                "boot_id",
                format!("boot_id has {} bytes: use 1 to 128, or leave it out", boot.len()),
            )),
            _ => Ok(()),
        }
    }

    fn validate_role(&self) -> Result<(), Error> {
        let legal = self.service_type.roles();
        if legal.contains(&self.role) {
            return Ok(());
        }
        let words: Vec<&str> = legal.iter().map(|role| role.as_str()).collect();
        Err(Error::invalid(
            "role",
            format!(
                "a {} can't have the role {}: use one of {}",
                self.service_type.as_str(),
                self.role.as_str(),
                words.join(", ")
            ),
        ))
    }

    fn validate_url(&self) -> Result<(), Error> {
        let wanted = "use the root of an HTTP server, as http://127.0.0.1:8050";
        let Some(text) = &self.url else {
            if self.service_type == ServiceType::Agent {
                return Ok(());
            }
            return Err(Error::invalid(
                "url",
                format!("url is missing (only an agent may have none): {wanted}"),
            ));
        };
        let refuse = |why: &str| Err(Error::invalid("url", format!("url {why}: {wanted}")));
        if text.len() > limits::URL_BYTES {
            return refuse("is longer than 8 KiB");
        }
        let Ok(url) = Url::parse(text) else { return refuse("is not a URL") };
        if !matches!(url.scheme(), "http" | "https") {
            return refuse("has another scheme than http or https");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("carries a credential");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("has a query or a fragment");
        }
        Ok(())
    }

    fn validate_labels(&self) -> Result<(), Error> {
        check_count("labels", self.labels.len(), limits::LABELS)?;
        self.labels.iter().try_for_each(|(key, value)| check_label("labels", key, value.as_deref()))
    }

    fn validate_beats(&self) -> Result<(), Error> {
        let between = |field: &str, value: u32, max: u32| {
            if (1..=max).contains(&value) {
                return Ok(());
            }
            Err(Error::invalid(field, format!("{field} is {value}: use 1 to {max} seconds")))
        };
        between("heartbeat_interval_s", self.heartbeat_interval_s, limits::BEAT_INTERVAL_S)?;
        between("ttl_s", self.ttl_s, MAX_TTL_S)?;
        if self.ttl_s < self.heartbeat_interval_s {
            return Err(Error::invalid(
                "ttl_s",
                format!(
                    "ttl_s is {} but the service beats only every {} s: use at least heartbeat_interval_s",
                    self.ttl_s, self.heartbeat_interval_s
                ),
            ));
        }
        Ok(())
    }
}

/// The answer of `POST /register`: 201 for a new service, 200 for a known one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Registered {
    /// The id of the service, for good.
    pub service_id: ServiceId,
    /// The right to beat for it.
    pub lease_id: LeaseId,
    /// Seconds between beats.
    pub heartbeat_interval_s: u32,
    /// Seconds without a beat after which the first one counts as missed.
    pub ttl_s: u32,
    /// When the next beat is wanted.
    pub next_beat_ms: u64,
    /// The role in force, which a promotion may have changed.
    pub role: Role,
}

only_objects!(Registration);
