//! The services of PAS that exist, and where they listen unless told otherwise.

/// One service of PAS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its name in the registry, in logs and on the command line.
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

/// Every service that exists, in the order in which they start.
pub const SERVICES: [Entry; 2] = [REGISTRY, HEARTBEAT_MONITOR];

/// The port of the web HMI, whose origin every service admits.
pub const HMI_PORT: u16 = 6101;
