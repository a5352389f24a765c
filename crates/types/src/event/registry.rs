//! What happens to the registry's list. Whom it happened to is the event's `service_id`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Fields, Need};
use crate::check::{check_name, check_reason};
use crate::error::Error;
use crate::registry::{Role, ServiceType};
use crate::schema::{Name, Reason};
use crate::time::WireTime;

/// A service is on the list: for the first time, again after it was gone, or as a known one that came back changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registered {
    /// Its name.
    #[schema(value_type = Name)]
    pub service_name: String,
    /// What kind of thing it is.
    pub service_type: ServiceType,
    /// What it is trusted with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether it was on the list before.
    #[serde(default)]
    pub known: bool,
}

/// A service is off the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deregistered {
    /// Its name.
    #[schema(value_type = Name)]
    pub service_name: String,
    /// What kind of thing it was.
    pub service_type: ServiceType,
    /// Whether it was taken off the list because it stayed silent.
    #[serde(default)]
    pub evicted: bool,
    /// When it last beat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<WireTime>,
    /// Why, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Reason>)]
    pub reason: Option<String>,
}

/// A service has another role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Promoted {
    /// Its name.
    #[schema(value_type = Name)]
    pub service_name: String,
    /// What kind of thing it is.
    pub service_type: ServiceType,
    /// What it was trusted with before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_role: Option<Role>,
    /// What it is trusted with now.
    pub to_role: Role,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Reason>)]
    pub reason: Option<String>,
}

/// An operator took a service out of service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Paused {
    /// Its name.
    #[schema(value_type = Name)]
    pub service_name: String,
    /// What kind of thing it is.
    pub service_type: ServiceType,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Reason>)]
    pub reason: Option<String>,
}

/// An operator gave it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Resumed {
    /// Its name.
    #[schema(value_type = Name)]
    pub service_name: String,
    /// What kind of thing it is.
    pub service_type: ServiceType,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Reason>)]
    pub reason: Option<String>,
}

impl Fields for Registered {
    const NEEDS: &'static [Need] = &[Need::ServiceId];

    fn validate(&self) -> Result<(), Error> {
        check_name("service_name", &self.service_name)
    }
}

/// The types that say who, and why.
macro_rules! reasoned {
    ($($name:ident),+) => {
        $(
            impl Fields for $name {
                const NEEDS: &'static [Need] = &[Need::ServiceId];

                fn validate(&self) -> Result<(), Error> {
                    check_name("service_name", &self.service_name)?;
                    check_reason(self.reason.as_deref())
                }
            }
        )+
    };
}

reasoned!(Deregistered, Promoted, Paused, Resumed);
