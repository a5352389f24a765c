//! Who may come in: a web page must not be able to drive a local swarm.

use std::net::IpAddr;

use http::{HeaderMap, Uri, header};
use pas_types::{Error, ErrorCode, catalog};

use crate::config::Swarm;

/// The Hosts and Origins that are admitted.
#[derive(Debug, Clone)]
pub struct Door {
    hosts: Vec<String>,
    origins: Vec<String>,
    insecure: bool,
}

const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

impl Door {
    /// Loopback's names, the addresses that are listened on, the HMI's origin, and what `swarm` adds.
    pub fn new(swarm: &Swarm) -> Self {
        let mut hosts: Vec<String> = LOOPBACK.iter().map(|host| (*host).to_owned()).collect();
        hosts.extend(swarm.bind.iter().map(|address| match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        }));
        hosts.extend(swarm.hosts.iter().map(|host| host.to_ascii_lowercase()));
        let mut origins: Vec<String> =
            LOOPBACK.iter().map(|host| format!("http://{host}:{}", catalog::HMI.port)).collect();
        origins.extend(swarm.origins.iter().map(|origin| origin.trim_end_matches('/').to_ascii_lowercase()));
        Self { hosts, origins, insecure: swarm.insecure_bind }
    }

    /// Whether nobody can tell who calls, and others can reach it.
    pub(crate) fn is_insecure(&self) -> bool {
        self.insecure
    }

    /// Whether a request may come in.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Error> {
        let mut named = headers.get_all(header::HOST).iter();
        let host = match (named.next(), named.next()) {
            (Some(value), None) => value.to_str().unwrap_or_default(),
            (Some(_), Some(_)) => {
                return Err(Error::invalid("host", "the request has more than one Host: send one"));
            }
            // HTTP/2 says it in the URI.
            (None, _) => uri.authority().map_or("", |authority| authority.as_str()),
        };
        if !self.hosts.iter().any(|known| known.eq_ignore_ascii_case(without_port(host))) {
            return Err(Error::new(
                ErrorCode::PermissionDenied,
                format!("the Host `{host}` is not served here: use localhost, or add it to swarm.hosts"),
            )
            .with_field("host"));
        }
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
        let origin = origin.to_str().unwrap_or_default();
        if !self.origins.iter().any(|known| known.eq_ignore_ascii_case(origin)) {
            return Err(Error::new(
                ErrorCode::PermissionDenied,
                format!("pages of `{origin}` may not call: only the HMI's may, and those in swarm.origins"),
            )
            .with_field("origin"));
        }
        Ok(())
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(host: &str, origin: Option<&str>) -> bool {
        let swarm = Swarm {
            hosts: vec!["Swarm.Example".into()],
            origins: vec!["https://ui.example/".into()],
            ..Swarm::default()
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        Door::new(&swarm).check(&Uri::from_static("/"), &headers).is_ok()
    }

    #[test]
    fn only_known_hosts_are_served() {
        for host in ["localhost", "LOCALHOST:6121", "127.0.0.1:1", "[::1]", "[::1]:6121", "swarm.example:80"]
        {
            assert!(admits(host, None), "{host}");
        }
        for host in
            ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:6121", "[::2]", "::1:x"]
        {
            assert!(!admits(host, None), "{host}");
        }
    }

    #[test]
    fn only_pages_of_known_origins_may_call() {
        for origin in
            ["http://localhost:6101", "http://127.0.0.1:6101", "http://[::1]:6101", "https://ui.example"]
        {
            assert!(admits("localhost", Some(origin)), "{origin}");
        }
        for origin in ["null", "http://localhost:6102", "https://localhost:6101", "http://evil.example"] {
            assert!(!admits("localhost", Some(origin)), "{origin}");
        }
    }
}
