//! What is asked of the resource manager: a share of the machine, all of it or none.

use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::check::{check_count, check_name, check_unique, check_within};
use crate::error::Error;
use crate::id::JobId;
use crate::limits;
use crate::object::only_objects;
use crate::schema;

/// The greatest process id on Linux.
pub(crate) const PID_MAX: u32 = 4_194_304;

/// A share of a machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Resources {
    /// Cores, or parts of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 4096)]
    pub cpu: Option<f64>,
    /// Mebibytes of memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1000000000)]
    pub mem_mb: Option<u64>,
    /// Graphics processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1024)]
    pub gpu: Option<u32>,
    /// Mebibytes of memory on graphics processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1000000000)]
    pub gpu_mem_mb: Option<u64>,
    /// Network ports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ports: Option<Ports>,
}

/// Network ports: so many, whichever are free, or exactly these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "ports is neither a count nor a list of port numbers: use 2, or [8050, 8051]")]
pub enum Ports {
    /// So many.
    Count(u16),
    /// These.
    List(Vec<u16>),
}

impl Ports {
    /// How many ports that is.
    pub fn count(&self) -> usize {
        match self {
            Self::Count(count) => usize::from(*count),
            Self::List(ports) => ports.len(),
        }
    }
}

impl PartialSchema for Ports {
    fn schema() -> RefOr<Schema> {
        schema::ports()
    }
}

impl ToSchema for Ports {}

impl Resources {
    /// Refuses what breaks a limit. `path` is where the share stands in the request, as `resources.`.
    pub(crate) fn validate_at(&self, path: &str) -> Result<(), Error> {
        if let Some(cpu) = self.cpu {
            check_within(&format!("{path}cpu"), cpu, 0.0, limits::CPU)?;
        }
        for (field, amount, max) in [
            ("mem_mb", self.mem_mb, limits::MEM_MB),
            ("gpu", self.gpu.map(u64::from), limits::GPUS),
            ("gpu_mem_mb", self.gpu_mem_mb, limits::MEM_MB),
        ] {
            check_within(&format!("{path}{field}"), amount.unwrap_or_default(), 0, max)?;
        }
        let Some(ports) = &self.ports else { return Ok(()) };
        let field = format!("{path}ports");
        check_count(&field, ports.count(), limits::PORTS)?;
        let Ports::List(list) = ports else { return Ok(()) };
        check_unique(&field, list)?;
        list.iter().try_for_each(|port| check_within(&field, *port, 1, u16::MAX))
    }

    fn is_nothing(&self) -> bool {
        self.cpu.unwrap_or_default() == 0.0
            && [self.mem_mb, self.gpu.map(u64::from), self.gpu_mem_mb]
                .iter()
                .all(|n| n.unwrap_or_default() == 0)
            && self.ports.as_ref().is_none_or(|ports| ports.count() == 0)
    }
}

/// The body of `POST /reserve`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct ResourceRequest {
    /// The job that it is for.
    pub job_id: JobId,
    /// The agent that asks.
    #[schema(min_length = 1, max_length = 256, pattern = r"^\P{Cc}*$")]
    pub agent: String,
    /// Cores, or parts of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 4096)]
    pub cpu: Option<f64>,
    /// Mebibytes of memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1000000000)]
    pub mem_mb: Option<u64>,
    /// Graphics processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1024)]
    pub gpu: Option<u32>,
    /// Mebibytes of memory on graphics processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1000000000)]
    pub gpu_mem_mb: Option<u64>,
    /// Network ports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ports: Option<Ports>,
    /// Seconds after which the reservation ends unless it is renewed.
    #[serde(default = "default_ttl")]
    #[schema(minimum = 1, maximum = 86400, default = 300)]
    pub ttl_s: u32,
    /// Seconds to wait in the queue when there is not enough now.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 3600, default = 0)]
    pub wait_s: u32,
    /// Who waits with a greater one is served first.
    #[serde(default)]
    #[schema(minimum = -100, maximum = 100, default = 0)]
    pub priority: i32,
    /// The same request under the same id is answered with the same reservation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 256, pattern = r"^\P{Cc}*$")]
    pub request_id: Option<String>,
    /// The process that uses it. When the reservation ends, the process is ended before anything is free again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 4194304)]
    pub pid: Option<u32>,
}

const fn default_ttl() -> u32 {
    300
}

impl ResourceRequest {
    /// What is asked for.
    pub fn resources(&self) -> Resources {
        let Self { cpu, mem_mb, gpu, gpu_mem_mb, ref ports, .. } = *self;
        Resources { cpu, mem_mb, gpu, gpu_mem_mb, ports: ports.clone() }
    }

    /// Refuses what breaks a limit, and a request for nothing.
    pub fn validate(&self) -> Result<(), Error> {
        check_name("agent", &self.agent)?;
        let resources = self.resources();
        resources.validate_at("")?;
        if resources.is_nothing() {
            let message = "nothing is asked for: name a cpu, mem_mb, gpu, gpu_mem_mb or ports above 0";
            return Err(Error::invalid("cpu", message));
        }
        check_within("ttl_s", self.ttl_s, 1, limits::RESERVATION_TTL_S)?;
        check_within("wait_s", self.wait_s, 0, limits::RESERVATION_WAIT_S)?;
        check_within("priority", self.priority, -limits::PRIORITY, limits::PRIORITY)?;
        if let Some(request_id) = &self.request_id {
            check_name("request_id", request_id)?;
        }
        check_within("pid", self.pid.unwrap_or(1), 1, PID_MAX)
    }
}

only_objects!(Resources, ResourceRequest);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(document: serde_json::Value) -> ResourceRequest {
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let request = read(json!({"job_id": "J-1", "agent": "Architect", "cpu": 0.5, "ports": 2}));
        let wanted = ResourceRequest {
            job_id: "J-1".parse().unwrap(),
            agent: "Architect".to_owned(),
            cpu: Some(0.5),
            mem_mb: None,
            gpu: None,
            gpu_mem_mb: None,
            ports: Some(Ports::Count(2)),
            ttl_s: 300,
            wait_s: 0,
            priority: 0,
            request_id: None,
            pid: None,
        };
        assert_eq!(request, wanted);
    }

    #[test]
    fn a_request_for_nothing_is_refused() {
        let request = read(json!({"job_id": "J-1", "agent": "Architect", "cpu": 0, "ports": []}));
        assert_eq!(request.validate().unwrap_err().field.as_deref(), Some("cpu"));
    }

    #[test]
    fn a_port_that_is_named_twice_is_refused() {
        let request = read(json!({"job_id": "J-1", "agent": "Architect", "ports": [8050, 8050]}));
        assert_eq!(request.validate(), Err(Error::invalid("ports", "ports names 8050 twice: name it once")));
    }
}
