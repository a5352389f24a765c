//! What becomes of tasks, and of the steps that they are made of.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::Fields;
use crate::check::{check_name_if_given, check_progress, check_reason, check_within};
use crate::error::Error;
use crate::id::{CallId, JobId, TaskId};
use crate::schema::{Name, Reason};
use crate::word::words;

words! {
    /// How far a task or a step is.
    TaskStatus, "status of a task" {
        /// Hasn't begun.
        Queued = "queued",
        /// Is being done.
        Running = "running",
        /// Waits for something else.
        Waiting = "waiting",
        /// Is done.
        Done = "done",
        /// Could not be done.
        Failed = "failed",
        /// Is not wanted any more.
        Cancelled = "cancelled",
    }
}

/// A task has begun, goes on or is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Which task.
    pub task_id: TaskId,
    /// How far it is.
    pub status: TaskStatus,
    /// The task that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_task_id: Option<TaskId>,
    /// The job card that it carries out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    /// What it is, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Name>)]
    pub title: Option<String>,
    /// How much of it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1)]
    pub progress: Option<f64>,
    /// Why it is as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Reason>)]
    pub reason: Option<String>,
}

impl Fields for Task {
    fn validate(&self) -> Result<(), Error> {
        check_name_if_given("title", self.title.as_deref())?;
        check_progress(self.progress)?;
        check_reason(self.reason.as_deref())
    }
}

/// A step of a task has begun or is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The task that it is a part of.
    pub task_id: TaskId,
    /// Its place among the task's steps, from 1.
    #[schema(minimum = 1, maximum = 4294967295u32)]
    pub step: u32,
    /// How far it is.
    pub status: TaskStatus,
    /// What it is, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Name>)]
    pub title: Option<String>,
    /// The call through the gateway that it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_id: Option<CallId>,
    /// How long it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// Why it is as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Reason>)]
    pub reason: Option<String>,
}

impl Fields for Step {
    fn validate(&self) -> Result<(), Error> {
        check_within("step", self.step, 1, u32::MAX)?;
        check_name_if_given("title", self.title.as_deref())?;
        check_reason(self.reason.as_deref())
    }
}
