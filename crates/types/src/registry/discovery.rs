use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Role, ServiceType, ServiceView, Status};
use crate::check::{check_caps, check_count, check_label, check_name};
use crate::error::Error;
use crate::limits;
use crate::object::only_objects;
use crate::query::{check_limit, limit, set, twice, word};
use crate::schema::{Capability, LabelFilter};
use crate::word::words;

/// Which services are asked for. Everything that is named must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct DiscoveryQuery {
    /// Of this type.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub service_type: Option<ServiceType>,
    /// With this role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// With each of these capabilities. In a URL: `cap`, as often as needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Capability>, max_items = 256)]
    pub cap: Vec<String>,
    /// With this effective status; `any` for all. Left out: usable now, that is `ok` or `degraded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub status: Option<StatusFilter>,
    /// With exactly this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 256, pattern = r"^\P{Cc}*$")]
    #[param(min_length = 1, max_length = 256, pattern = r"^\P{Cc}*$")]
    pub name: Option<String>,
    /// With each of these labels. In a URL: `label.KEY=VALUE`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = LabelFilter)]
    #[param(value_type = Object, style = Form)]
    pub label: BTreeMap<String, String>,
    /// Rows of the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

words! {
    /// Which effective status is asked for.
    StatusFilter, "status" {
        /// Works.
        Ok = "ok",
        /// Works, but not as it should.
        Degraded = "degraded",
        /// Is not offered.
        Down = "down",
        /// All but those that are gone.
        Any = "any",
    }
}

impl StatusFilter {
    /// Whether a service of this status is asked for.
    pub fn admits(self, status: Status) -> bool {
        match self {
            Self::Ok => status == Status::Ok,
            Self::Degraded => status == Status::Degraded,
            Self::Down => status == Status::Down,
            Self::Any => true,
        }
    }
}

impl DiscoveryQuery {
    /// Reads the query of a URL, already decoded into pairs.
    pub fn from_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, Error> {
        let mut query = Self::default();
        for (key, value) in pairs {
            match key {
                "type" => set(&mut query.service_type, key, word(key, value)?)?,
                "role" => set(&mut query.role, key, word(key, value)?)?,
                "status" => set(&mut query.status, key, word(key, value)?)?,
                "name" => set(&mut query.name, key, value.to_owned())?,
                "cursor" => set(&mut query.cursor, key, value.to_owned())?,
                "limit" => set(&mut query.limit, key, limit(value)?)?,
                "cap" => query.cap.push(value.to_owned()),
                _ => match key.strip_prefix("label.") {
                    Some(label) if !label.is_empty() => {
                        if query.label.insert(label.to_owned(), value.to_owned()).is_some() {
                            return Err(twice(key));
                        }
                    }
                    _ => return Err(unknown(key)),
                },
            }
        }
        query.validate()?;
        Ok(query)
    }

    /// Whether it may be answered as it is.
    pub fn validate(&self) -> Result<(), Error> {
        check_caps("cap", &self.cap)?;
        check_count("label", self.label.len(), limits::LABELS)?;
        self.label.iter().try_for_each(|(key, value)| check_label("label", key, Some(value)))?;
        if let Some(name) = &self.name {
            check_name("name", name)?;
        }
        match self.limit {
            Some(limit) => check_limit(limit),
            None => Ok(()),
        }
    }

    /// Rows of the page, the default where none is named.
    pub fn page_size(&self) -> usize {
        self.limit.unwrap_or(limits::LIST_DEFAULT) as usize
    }
}

fn unknown(key: &str) -> Error {
    Error::invalid(
        key,
        format!(
            "{key} is not a filter of /discover: use type, role, cap, status, name, label.KEY, limit or cursor"
        ),
    )
}

/// The answer of `GET /discover`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DiscoveryPage {
    /// The services, sorted by name, then id.
    pub services: Vec<ServiceView>,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<String>,
    /// The change log's index that this answer is true for.
    pub index: u64,
    /// The start of the registry that the index belongs to.
    pub registry_epoch: u64,
}

only_objects!(DiscoveryQuery);
