//! Ids are types: a lease can't be passed where a service is meant.

use std::sync::Arc;

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
uuid_id! {
    /// A share of the machine that the resource manager lends.
    ReservationId
}

macro_rules! file_safe_id {
    ($(#[$doc:meta])* $name:ident, $noun:literal, $field:literal, $example:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String")]
        #[schema(value_type = String, pattern = r"^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$", examples($example))]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self, Error> {
                if is_file_safe(&text) {
                    return Ok(Self(text.into()));
                }
                let rule = "has 1 to 128 letters, digits, `.`, `_` or `-`, and is neither `.` nor `..`";
                Err(Error::invalid($field, format!("{} {rule}", $noun)))
            }
        }

        impl std::str::FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                Self::try_from(text.to_owned())
            }
        }
    };
}

file_safe_id! {
    /// A job, in words of whoever gave it. It can become a file name.
    JobId, "a job id", "job_id", "J-2025-001"
}
file_safe_id! {
    /// An agent's run, in words of whoever began it. It can become a file name.
    RunId, "a run id", "run_id", "R-001"
}
file_safe_id! {
    /// A call through the gateway, which names it.
    CallId, "a call id", "call_id", "gw-2025-11-06-10-30-00-123456"
}
file_safe_id! {
    /// A task, in words of whoever gave it. It can become a file name.
    TaskId, "a task id", "task_id", "T-17"
}
file_safe_id! {
    /// A summary of a context that was saved.
    SummaryId, "a summary id", "summary_id", "S-001"
}

/// Whether `text` may become a file name: `[A-Za-z0-9._-]{1,128}`, and neither `.` nor `..`.
pub fn is_file_safe(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text != "."
        && text != ".."
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}
