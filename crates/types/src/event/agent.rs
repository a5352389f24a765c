//! What agents tell of themselves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Event;
use super::body::{Fields, Need};
use crate::check::{check_progress, check_text, check_word};
use crate::error::Error;
use crate::id::TaskId;
use crate::limits;
use crate::registry::{self, Activity, ResourceUse, Status, TokenUsage};
use crate::schema::Word;
use crate::time::WireTime;
use crate::word::words;

/// An agent lives, and says how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// What it does; how it is, where it doesn't say what it does.
    pub status: AgentStatus,
    /// How much of its task is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1)]
    pub progress: Option<f64>,
    /// How full its context is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_usage: Option<TokenUsage>,
    /// What it uses of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceUse>,
}

impl Fields for Heartbeat {
    const NEEDS: &'static [Need] = &[Need::Agent];

    fn validate(&self) -> Result<(), Error> {
        check_progress(self.progress)?;
        self.resources.map_or(Ok(()), ResourceUse::validate)
    }
}

words! {
    /// What an agent does, or how it is.
    AgentStatus, "status of an agent" {
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
        /// Is well, and doesn't say what it does.
        Ok = "ok",
        /// Is not as it should be, and doesn't say what it does.
        Degraded = "degraded",
        /// Can't work, and doesn't say what it does.
        Down = "down",
    }
}

impl From<Activity> for AgentStatus {
    fn from(activity: Activity) -> Self {
        match activity {
            Activity::Queued => Self::Queued,
            Activity::Running => Self::Running,
            Activity::Waiting => Self::Waiting,
            Activity::Idle => Self::Idle,
            Activity::Done => Self::Done,
            Activity::Error => Self::Error,
        }
    }
}

impl From<Status> for AgentStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Ok => Self::Ok,
            Status::Degraded => Self::Degraded,
            Status::Down => Self::Down,
        }
    }
}

impl Event {
    /// The event that an agent's beat is.
    pub fn of_beat(agent: &str, beat: &registry::Heartbeat, ts: WireTime) -> Self {
        let status = beat.activity.map_or_else(|| beat.status.unwrap_or_default().into(), AgentStatus::from);
        let registry::Heartbeat { progress, token_usage, resources, .. } = *beat;
        Self {
            agent: Some(agent.to_owned()),
            run_id: beat.run_id.clone(),
            service_id: Some(beat.service_id),
            ..Self::new(ts, Heartbeat { status, progress, token_usage, resources })
        }
    }
}

/// Something about an agent's work has changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusUpdate {
    /// What: `started`, `progress`, `completed`, `failed`, or a word of the agent's own.
    #[schema(value_type = Word)]
    pub event: String,
    /// The task that it works on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
    /// How much of it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1)]
    pub progress: Option<f64>,
    /// It in one sentence, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 4096)]
    pub message: Option<String>,
    /// What else the agent has to say; the keys are its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<BTreeMap<String, serde_json::Value>>,
}

impl Fields for StatusUpdate {
    const NEEDS: &'static [Need] = &[Need::Agent];

    fn validate(&self) -> Result<(), Error> {
        check_word("event", &self.event)?;
        check_progress(self.progress)?;
        check_text("message", self.message.as_deref().unwrap_or_default(), limits::LINE_BYTES)
    }
}

/// Somebody says something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// What.
    #[schema(max_length = 65536)]
    pub message: String,
    /// How much it matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<LogLevel>,
}

words! {
    /// How much something that is said matters.
    LogLevel, "level" {
        /// To whoever looks for a fault.
        Debug = "debug",
        /// For the record.
        Info = "info",
        /// Worth a look.
        Warn = "warn",
        /// Something failed.
        Error = "error",
    }
}

impl Fields for Log {
    fn validate(&self) -> Result<(), Error> {
        check_text("message", &self.message, limits::TEXT_BYTES)
    }
}
