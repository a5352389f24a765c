use pas_types::{Error, limits};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::check_range;

/// What a service takes of its callers. Crossing one is an error that names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Header fields of a request.
    pub headers: usize,
    /// Bytes of all its header fields together.
    pub header_bytes: usize,
    /// Bytes of its URL.
    pub url_bytes: usize,
    /// Seconds within which its head must have arrived.
    pub header_read_s: u64,
    /// Seconds that a connection may rest between two requests.
    pub idle_s: u64,
    /// Connections at the same time; more wait in the kernel's queue.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: limits::CONTROL_BODY_BYTES,
            headers: limits::HEADERS,
            header_bytes: limits::HEADER_BYTES,
            url_bytes: limits::URL_BYTES,
            header_read_s: limits::HEADER_READ_S,
            idle_s: limits::IDLE_S,
            connections: limits::CONNECTIONS,
        }
    }
}

impl Limits {
    pub(super) fn validate(&self) -> Result<(), Error> {
        check_range("limits.body_bytes", self.body_bytes as u64, 1_024, 1 << 30)?;
        check_range("limits.headers", self.headers as u64, 10, 10_000)?;
        check_range("limits.header_bytes", self.header_bytes as u64, 1_024, 1 << 20)?;
        check_range("limits.url_bytes", self.url_bytes as u64, 256, 60_000)?;
        check_range("limits.header_read_s", self.header_read_s, 1, 3_600)?;
        check_range("limits.idle_s", self.idle_s, 1, 86_400)?;
        check_range("limits.connections", self.connections as u64, 1, 1_000_000)
    }
}
