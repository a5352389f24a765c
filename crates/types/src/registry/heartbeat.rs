use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Status, check_not_negative, check_reason};
use crate::check::check_progress;
use crate::error::Error;
use crate::id::{LeaseId, RunId, ServiceId};
use crate::limits;
use crate::object::only_objects;
use crate::word::words;

/// The body of `PUT /heartbeat`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Heartbeat {
    /// Who lives.
    pub service_id: ServiceId,
    /// The lease under which it beats; a stale one is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_id: Option<LeaseId>,
    /// How it is, by its own word. Left out: `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Why it is not `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    pub reason: Option<String>,
    /// The latency that it measured, 95th percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub p95_ms: Option<f64>,
    /// Calls that wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_depth: Option<u64>,
    /// How busy it is; 1 is all that it can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub load: Option<f64>,
    /// How much of its task is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1)]
    pub progress: Option<f64>,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity>,
    /// The agent's run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// The call that it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 256)]
    pub current_call: Option<String>,
    /// How full its context is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_usage: Option<TokenUsage>,
    /// What it uses of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceUse>,
}

impl Heartbeat {
    /// A beat that says nothing but that the service lives.
    pub fn plain(service_id: ServiceId, lease_id: Option<LeaseId>) -> Self {
        Self {
            service_id,
            lease_id,
            status: None,
            reason: None,
            p95_ms: None,
            queue_depth: None,
            load: None,
            progress: None,
            activity: None,
            run_id: None,
            current_call: None,
            token_usage: None,
            resources: None,
        }
    }

    /// Whether it may be taken as it is.
    pub fn validate(&self) -> Result<(), Error> {
        check_reason(self.reason.as_deref())?;
        check_not_negative("p95_ms", self.p95_ms)?;
        check_not_negative("load", self.load)?;
        check_progress(self.progress)?;
        if let Some(call) = &self.current_call
            && !(1..=limits::NAME_BYTES).contains(&call.len())
        {
            let message = format!("current_call has {} bytes: use 1 to {}", call.len(), limits::NAME_BYTES);
            return Err(Error::invalid("current_call", message));
        }
        self.resources.map_or(Ok(()), ResourceUse::validate)
    }

    /// What an agent says of its work, if it says anything.
    pub fn work(&self) -> Option<Work> {
        let work = Work {
            progress: self.progress,
            activity: self.activity,
            run_id: self.run_id.clone(),
            current_call: self.current_call.clone(),
            token_usage: self.token_usage,
            resources: self.resources,
        };
        (work != Work::default()).then_some(work)
    }
}

words! {
    /// What an agent does.
    Activity, "activity" {
        /// Has work that it hasn't begun.
        Queued = "queued",
        /// Works.
        Running = "running",
        /// Waits for another.
        Waiting = "waiting",
        /// Has no work.
        Idle = "idle",
        /// Has finished.
        Done = "done",
        /// Has failed.
        Error = "error",
    }
}

/// How full a context is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct TokenUsage {
    /// Tokens in the context.
    pub ctx_used: u64,
    /// Tokens that fit.
    pub ctx_limit: u64,
}

/// What a process uses of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct ResourceUse {
    /// Cores.
    #[schema(minimum = 0)]
    pub cpu: f64,
    /// Mebibytes of memory.
    #[schema(minimum = 0)]
    pub mem_mb: f64,
}

impl ResourceUse {
    /// Refuses what can't be. Errors name the fields below `resources`, where it stands in every request.
    pub(crate) fn validate(self) -> Result<(), Error> {
        check_not_negative("resources.cpu", Some(self.cpu))?;
        check_not_negative("resources.mem_mb", Some(self.mem_mb))
    }
}

/// What an agent last said of its work.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Work {
    /// How much of its task is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<f64>,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity>,
    /// The agent's run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// The call that it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_call: Option<String>,
    /// How full its context is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_usage: Option<TokenUsage>,
    /// What it uses of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceUse>,
}

/// The answer of `PUT /heartbeat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeartbeatAnswer {
    /// When the next beat is wanted.
    pub next_beat_ms: u64,
}

only_objects!(Heartbeat, TokenUsage, ResourceUse);
