//! Which services there are, as far as the monitor needs to know: whom to probe, and where.

use std::collections::HashSet;

use pas_types::id::ServiceId;

/// The path that is probed when a service names none.
const DEFAULT_PATH: &str = "/health";

/// A service that is probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its id.
    pub service_id: ServiceId,
    /// What is asked for.
    pub url: String,
}

impl Target {
    /// The target that a service is, if it has a server at all: an agent that somebody registered by hand has none.
    pub fn of(service_id: ServiceId, url: &str, health_path: Option<&str>) -> Option<Self> {
        if !(url.starts_with("http://") || url.starts_with("https://")) {
            return None;
        }
        let root = url.trim_end_matches('/');
        let path = health_path.unwrap_or(DEFAULT_PATH);
        let slash = if path.starts_with('/') { "" } else { "/" };
        Some(Self { service_id, url: format!("{root}{slash}{path}") })
    }
}

/// A service of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its id.
    pub service_id: ServiceId,
    /// Where to probe it, if it is probed.
    pub target: Option<Target>,
}

/// What a message means for the probes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Learned {
    /// Services, to be probed or not.
    pub seen: Vec<Seen>,
    /// Services that are gone.
    pub gone: Vec<ServiceId>,
    /// Services other than these are gone too.
    pub only: Option<HashSet<ServiceId>>,
    /// The registry has started anew; it may have forgotten what it was told.
    pub new_epoch: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> ServiceId {
        ServiceId(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn a_target_is_the_root_and_the_path_with_one_slash_between() {
        let url = |url, path| Target::of(id(1), url, path).map(|target| target.url);
        assert_eq!(url("http://127.0.0.1:80", None).as_deref(), Some("http://127.0.0.1:80/health"));
        assert_eq!(url("http://a/v1/", Some("/live")).as_deref(), Some("http://a/v1/live"));
        assert_eq!(url("https://a", Some("live?deep=1")).as_deref(), Some("https://a/live?deep=1"));
        // The path must not be able to name another host.
        assert_eq!(url("http://a", Some("@b/")).as_deref(), Some("http://a/@b/"));
    }

    #[test]
    fn a_service_without_a_server_is_no_target() {
        assert_eq!(Target::of(id(1), "", None), None);
        assert_eq!(Target::of(id(1), "ftp://a", None), None);
    }
}
