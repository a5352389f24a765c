//! The services of PAS that exist, and where they listen unless told otherwise.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// One service of PAS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its name in logs and on the command line, and in the registry unless it registers under one of its own.
    pub name: &'static str,
    /// Its section in `config/pas.yaml`, and the word in its metrics and environment variables.
    pub section: &'static str,
    /// Its default port.
    pub port: u16,
    /// The file name of its binary.
    pub binary: &'static str,
}

/// The registry.
pub const REGISTRY: Entry =
    Entry { name: "registry", section: "registry", port: 6121, binary: "pas-registry" };

/// The heartbeat monitor.
pub const HEARTBEAT_MONITOR: Entry = Entry {
    name: "heartbeat-monitor",
    section: "heartbeat_monitor",
    port: 6109,
    binary: "pas-heartbeat-monitor",
};

/// The event stream.
pub const EVENT_STREAM: Entry =
    Entry { name: "event-stream", section: "event_stream", port: 6102, binary: "pas-event-stream" };

/// The gateway.
pub const GATEWAY: Entry = Entry { name: "gateway", section: "gateway", port: 6120, binary: "pas-gateway" };

/// The provider router.
pub const PROVIDER_ROUTER: Entry =
    Entry { name: "provider-router", section: "provider_router", port: 6103, binary: "pas-provider-router" };

/// The classifier. In the registry it is the model `tlc-domain-classifier`.
pub const CLASSIFIER: Entry =
    Entry { name: "classifier", section: "classifier", port: 8052, binary: "pas-classifier" };

/// Every service that exists, in the order in which they start.
pub const SERVICES: [Entry; 6] =
    [REGISTRY, EVENT_STREAM, HEARTBEAT_MONITOR, PROVIDER_ROUTER, GATEWAY, CLASSIFIER];

/// The port of the web HMI, whose origin every service admits.
pub const HMI_PORT: u16 = 6101;

/// The root under which this machine reaches what listens on `address`; what listens everywhere is reached on loopback.
pub fn url_of(address: IpAddr, port: u16) -> String {
    let address = match address {
        IpAddr::V4(v4) if v4.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    format!("http://{}", SocketAddr::new(address, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_listens_everywhere_is_reached_on_loopback() {
        assert_eq!(url_of(Ipv4Addr::UNSPECIFIED.into(), 6121), "http://127.0.0.1:6121");
        assert_eq!(url_of(Ipv6Addr::UNSPECIFIED.into(), 6121), "http://[::1]:6121");
        assert_eq!(url_of([10, 0, 0, 7].into(), 6121), "http://10.0.0.7:6121");
    }
}
