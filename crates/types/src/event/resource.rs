//! What the resource manager lends, and what it runs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Fields, Need};
use crate::check::{check_reason, check_within};
use crate::error::Error;
use crate::id::{JobId, ReservationId};
use crate::resource::{PID_MAX, Resources};
use crate::schema::Reason;
use crate::time::WireTime;
use crate::word::words;

/// A share of the machine is asked for, lent or given back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reservation {
    /// Which reservation.
    pub reservation_id: ReservationId,
    /// What has become of it.
    pub status: ReservationStatus,
    /// The job that it is for.
    pub job_id: JobId,
    /// What it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Resources>,
    /// When it ends unless it is renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<WireTime>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Reason>)]
    pub reason: Option<String>,
}

words! {
    /// What has become of a reservation.
    ReservationStatus, "status of a reservation" {
        /// There is not enough yet; it waits in the queue.
        Waiting = "waiting",
        /// It holds what it asked for.
        Active = "active",
        /// It was not renewed in time. What it held is free once its process is proved gone.
        Expired = "expired",
        /// What it held is free.
        Released = "released",
    }
}

impl Fields for Reservation {
    const NEEDS: &'static [Need] = &[Need::Agent];

    fn validate(&self) -> Result<(), Error> {
        self.items.as_ref().map_or(Ok(()), |items| items.validate_at("items."))?;
        check_reason(self.reason.as_deref())
    }
}

/// A program that the resource manager runs has begun or ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Which job.
    pub job_id: JobId,
    /// What has become of it.
    pub status: JobStatus,
    /// What it holds of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation_id: Option<ReservationId>,
    /// Its first process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 4194304)]
    pub pid: Option<u32>,
    /// What keeps its processes together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub containment: Option<Containment>,
    /// What it answered at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 255)]
    pub exit_code: Option<u8>,
    /// The signal that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 64)]
    pub signal: Option<u8>,
    /// How long it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// Why it was ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Reason>)]
    pub reason: Option<String>,
}

words! {
    /// What has become of a job.
    JobStatus, "status of a job" {
        /// Waits for its share of the machine.
        Queued = "queued",
        /// Runs.
        Running = "running",
        /// Ended by itself, and well.
        Done = "done",
        /// Ended by itself, and not well; or could not be started.
        Failed = "failed",
        /// Somebody ended it.
        Killed = "killed",
        /// Was ended because its time was up.
        TimedOut = "timed_out",
        /// Is gone, and how it ended is not known.
        Lost = "lost",
    }
}

words! {
    /// What keeps the processes of a job together, so that none escapes its end.
    Containment, "containment" {
        /// A control group of the second version.
        CgroupV2 = "cgroup_v2",
        /// A control group of the first version.
        CgroupV1 = "cgroup_v1",
        /// A process group, which a process can leave.
        ProcessGroup = "process_group",
    }
}

impl Fields for Job {
    const NEEDS: &'static [Need] = &[Need::Agent];

    fn validate(&self) -> Result<(), Error> {
        check_within("pid", self.pid.unwrap_or(1), 1, PID_MAX)?;
        check_within("signal", self.signal.unwrap_or(1), 1, 64)?;
        check_reason(self.reason.as_deref())
    }
}
