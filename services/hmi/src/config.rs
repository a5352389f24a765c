//! The section `hmi` of the configuration.

use std::net::IpAddr;

use pas_service::Swarm;
use pas_service::config::check_url;
use pas_types::{Error, catalog};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The settings of the HMI. Where registry and event stream are, the section `swarm` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The port to listen on; 0 for a free one.
    pub port: u16,
    /// Where the gateway is.
    pub gateway_url: String,
    /// Where the heartbeat monitor is.
    pub monitor_url: String,
    /// Where the provider router is.
    pub router_url: String,
    /// Whether what is on the screen is the scripted swarm of `pas demo`.
    pub demo: bool,
}

impl Default for Config {
    fn default() -> Self {
        let url = |entry: catalog::Entry| format!("http://127.0.0.1:{}", entry.port);
        Self {
            port: catalog::HMI.port,
            gateway_url: url(catalog::GATEWAY),
            monitor_url: url(catalog::HEARTBEAT_MONITOR),
            router_url: url(catalog::PROVIDER_ROUTER),
            demo: false,
        }
    }
}

impl Config {
    /// Whether the HMI may run with it.
    pub fn validate(&self) -> Result<(), Error> {
        check_url("gateway_url", &self.gateway_url, &catalog::GATEWAY)?;
        check_url("monitor_url", &self.monitor_url, &catalog::HEARTBEAT_MONITOR)?;
        check_url("router_url", &self.router_url, &catalog::PROVIDER_ROUTER)
    }
}

/// The origins under which a browser has the HMI's own pages, where it listens on `port`.
pub(crate) fn own_origins(swarm: &Swarm, port: u16) -> Vec<String> {
    let loopback = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned);
    let bound = swarm.bind.iter().map(|address| match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    });
    let hosts = loopback.into_iter().chain(bound).chain(swarm.hosts.iter().cloned());
    hosts.map(|host| format!("http://{host}:{port}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(Config::default().validate(), Ok(()));
    }

    #[test]
    fn what_is_no_url_is_refused_by_name() {
        let error = Config { monitor_url: "localhost".to_owned(), ..Config::default() }.validate();
        let message = "monitor_url is `localhost`: use an http URL, as http://127.0.0.1:6109";
        assert_eq!(error, Err(Error::invalid("monitor_url", message)));
    }
}
