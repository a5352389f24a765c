//! Ids are types: a lease can't be passed where a service is meant.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::error::Error;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String, format = "uuid")]
        pub struct $name(#[serde(with = "uuid::serde::hyphenated")] pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse::<Hyphenated>().map(|id| Self(id.into_uuid()))
            }
        }
    };
}

uuid_id! {
    /// A service in the registry.
    ServiceId
}
uuid_id! {
    /// The right to beat for a service. A new one fences the old one.
    LeaseId
}
uuid_id! {
    /// An alert of the heartbeat monitor.
    AlertId
}

/// A job, in words of whoever gave it. It can become a file name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, pattern = r"^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$", examples("J-2025-001"))]
pub struct JobId(String);

impl JobId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for JobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for JobId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        if is_file_safe(&text) {
            return Ok(Self(text));
        }
        let message = "a job id has 1 to 128 letters, digits, `.`, `_` or `-`, and is neither `.` nor `..`";
        Err(Error::invalid("job_id", message))
    }
}

impl std::str::FromStr for JobId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::try_from(text.to_owned())
    }
}

/// Whether `text` may become a file name: `[A-Za-z0-9._-]{1,128}`, and neither `.` nor `..`.
pub fn is_file_safe(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text != "."
        && text != ".."
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}
