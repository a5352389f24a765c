//! What is to run: the services of the catalogue, each with the configuration that it says is in force.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use pas_types::catalog::{
    EVENT_STREAM, Entry, GATEWAY, HEARTBEAT_MONITOR, HMI, PROVIDER_ROUTER, REGISTRY, SERVICES, url_of,
};
use serde::Deserialize;
use serde_json::Value;

use crate::home::{DEFAULT_DATA_DIR, DEMO_DATA_DIR, Home};
use crate::out;

/// Where the configuration comes from: the flags that every command takes and every service is given.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Source {
    /// The configuration [default: config/pas.yaml, if it exists].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where services keep their data [default: what the configuration says].
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// The services that are to run, and where.
#[derive(Debug)]
pub(crate) struct Swarm {
    /// Its folders.
    pub(crate) home: Home,
    /// How long a service may take to stop.
    pub(crate) grace: Duration,
    /// Every service, in the order in which they start.
    pub(crate) services: Vec<Service>,
    /// Who will look for a service where it is not, for people to read.
    elsewhere: Vec<String>,
    /// Whose pages will not be admitted, likewise.
    pub(crate) foreign_pages: Option<String>,
    source: Source,
}

/// One service that is to run.
#[derive(Debug)]
pub(crate) struct Service {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its section in the configuration.
    pub(crate) section: &'static str,
    /// Its program.
    pub(crate) binary: PathBuf,
    /// What that is called with before any flag.
    pub(crate) arguments: &'static [&'static str],
    /// The addresses on which it will listen.
    pub(crate) bind: Vec<IpAddr>,
    /// The port on which it will listen.
    pub(crate) port: u16,
    /// Where this machine reaches it.
    pub(crate) url: String,
}

/// The section `swarm` of what `--print-config` prints, as far as the launcher needs it.
#[derive(Debug, Deserialize)]
struct Shared {
    data_dir: PathBuf,
    bind: Vec<IpAddr>,
    registry_url: String,
    events_url: String,
    origins: Vec<String>,
    grace_s: u64,
}

/// The section of a service, as far as the launcher needs it.
#[derive(Debug, Deserialize)]
struct Own {
    port: u16,
    gateway_url: Option<String>,
    monitor_url: Option<String>,
    router_url: Option<String>,
}

impl Source {
    /// The folders of the swarm that these flags mean.
    pub(crate) fn home(&self) -> Result<Home> {
        match &self.data_dir {
            Some(data_dir) => Home::new(data_dir.clone()),
            None => Home::new(self.ask(&REGISTRY)?.0.data_dir),
        }
    }

    /// The same for commands that must work whatever the configuration says: a slip in it must not keep anybody from
    /// stopping what runs.
    pub(crate) fn home_or_default(&self) -> Result<Home> {
        self.home().or_else(|_| {
            let home = Home::new(DEFAULT_DATA_DIR.into())?;
            out::note(format!(
                "the configuration can't be used (`pas doctor` says why); going on with the data directory {}",
                home.data_dir.display()
            ));
            Ok(home)
        })
    }

    /// The same for a demo, which has a data directory of its own.
    pub(crate) fn for_demo(&self) -> Self {
        let data_dir = self.data_dir.clone().unwrap_or_else(|| DEMO_DATA_DIR.into());
        Self { data_dir: Some(data_dir), ..self.clone() }
    }

    /// The same flags for another program.
    pub(crate) fn flags(&self) -> impl Iterator<Item = PathBuf> {
        let config = self.config.iter().flat_map(|file| ["--config".into(), file.clone()]);
        let data_dir = self.data_dir.iter().flat_map(|dir| ["--data-dir".into(), dir.clone()]);
        config.chain(data_dir)
    }

    /// Asks a service what configuration is in force, so that there is one reading of it: the service's own.
    fn ask(&self, entry: &Entry) -> Result<(Shared, Own)> {
        let binary = binary(entry)?;
        let mut command = without_foreign_credentials(Command::new(&binary), entry.name);
        let output = command.args(entry.arguments).args(self.flags()).arg("--print-config").output();
        let output = output.with_context(|| format!("cannot run {}", binary.display()))?;
        if !output.status.success() {
            bail!(
                "{} refuses its configuration:\n{}",
                entry.name,
                String::from_utf8_lossy(&output.stderr).trim_end()
            );
        }
        parse(&String::from_utf8_lossy(&output.stdout), entry)
            .with_context(|| format!("{} --print-config is not understood", binary.display()))
    }
}

impl Swarm {
    /// Every service of the catalogue with its configuration. Fails on the first one whose configuration is wrong.
    pub(crate) fn load(source: &Source) -> Result<Self> {
        let printed =
            SERVICES.iter().map(|entry| Ok((entry, source.ask(entry)?))).collect::<Result<Vec<_>>>()?;
        let Some((_, (shared, _))) = printed.first() else { bail!("the catalogue names no service") };
        let home = Home::new(source.data_dir.clone().unwrap_or_else(|| shared.data_dir.clone()))?;
        let grace = Duration::from_secs(shared.grace_s);
        let services = printed
            .iter()
            .map(|(entry, printed)| Service::new(entry, printed))
            .collect::<Result<Vec<_>>>()?;
        let mut told = vec![
            (REGISTRY, "swarm.registry_url", &shared.registry_url),
            (EVENT_STREAM, "swarm.events_url", &shared.events_url),
        ];
        let hmi = printed.iter().find(|(entry, _)| entry.name == HMI.name);
        if let Some((_, (_, Own { gateway_url, monitor_url, router_url, .. }))) = hmi {
            told.extend(gateway_url.as_ref().map(|url| (GATEWAY, "hmi.gateway_url", url)));
            told.extend(monitor_url.as_ref().map(|url| (HEARTBEAT_MONITOR, "hmi.monitor_url", url)));
            told.extend(router_url.as_ref().map(|url| (PROVIDER_ROUTER, "hmi.router_url", url)));
        }
        let elsewhere =
            told.into_iter().filter_map(|(entry, key, url)| elsewhere(&entry, key, url, &services)).collect();
        let foreign_pages = foreign_pages(&shared.origins, &services);
        Ok(Self { home, grace, services, elsewhere, foreign_pages, source: source.clone() })
    }

    /// What the configuration leaves unsaid or says twice, for people to read.
    pub(crate) fn remarks(&self) -> impl Iterator<Item = &str> {
        self.elsewhere.iter().chain(&self.foreign_pages).map(String::as_str)
    }

    /// The command that runs a service.
    pub(crate) fn command(&self, service: &Service) -> Command {
        let mut command = without_foreign_credentials(Command::new(&service.binary), service.name);
        command
            .args(service.arguments)
            .args(self.source.flags())
            .arg("--log-file")
            .arg(self.home.log(service.name));
        command
    }
}

impl Service {
    fn new(entry: &Entry, (shared, own): &(Shared, Own)) -> Result<Self> {
        let (bind, port) = (shared.bind.clone(), own.port);
        ensure!(
            port != 0,
            "{}.port is 0: a service that others are to find needs a fixed port",
            entry.section
        );
        let address = bind.first().with_context(|| "swarm.bind is empty: name at least one address")?;
        let url = url_of(*address, port);
        let Entry { name, section, arguments, .. } = *entry;
        Ok(Self { name, section, binary: binary(entry)?, arguments, bind, port, url })
    }
}

/// A provider's credential is seen by nobody but the door to that provider.
fn without_foreign_credentials(mut command: Command, service: &str) -> Command {
    let foreign = SERVICES.iter().filter(|entry| entry.name != service).flat_map(|entry| entry.credentials);
    for variable in foreign {
        command.env_remove(variable);
    }
    command
}

/// The program of a service.
pub(crate) fn binary(entry: &Entry) -> Result<PathBuf> {
    program(entry.binary)
}

/// A program beside this one, so that both come from one build.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    let here = std::env::current_exe().context("cannot tell where `pas` is")?;
    let path = here.with_file_name(name);
    ensure!(path.is_file(), "{} is missing: build it (scripts/start_pas_services.sh does)", path.display());
    Ok(path)
}

fn parse(yaml: &str, entry: &Entry) -> Result<(Shared, Own)> {
    let mut sections: BTreeMap<String, Value> = serde_saphyr::from_str(yaml)?;
    let mut section =
        |name: &str| sections.remove(name).with_context(|| format!("section {name} is missing"));
    Ok((serde_json::from_value(section("swarm")?)?, serde_json::from_value(section(entry.section)?)?))
}

/// Those that read a key would look for a service where that one is not: legal, but seldom meant.
fn elsewhere(entry: &Entry, key: &str, told: &str, services: &[Service]) -> Option<String> {
    let service = services.iter().find(|service| service.name == entry.name)?;
    let port = told.trim_end_matches('/').rsplit(':').next()?;
    (port != service.port.to_string()).then(|| {
        let (name, url) = (service.name, &service.url);
        let who = if key.starts_with("swarm.") { "services look" } else { "the web interface looks" };
        format!("{who} for the {name} at {told}, but it will be at {url}: set {key}")
    })
}

/// Every service admits pages of the HMI's usual origin; those of another only where it is told to.
fn foreign_pages(origins: &[String], services: &[Service]) -> Option<String> {
    let hmi = services.iter().find(|service| service.name == HMI.name)?;
    let url = &hmi.url;
    let is_admitted = |origin: &String| origin.trim_end_matches('/').eq_ignore_ascii_case(url);
    (hmi.port != HMI.port && !origins.iter().any(is_admitted)).then(|| {
        format!("the web interface will be at {url}, whose pages the event stream refuses: add {url} to swarm.origins")
    })
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    const PRINTED: &str = "swarm:\n  data_dir: artifacts\n  bind: [127.0.0.1, \"::1\"]\n  registry_url: http://127.0.0.1:6121\n\
        \x20 events_url: http://127.0.0.1:6102\n  origins: []\n  grace_s: 10\n  log: info\nregistry:\n  port: 7001\n  ttl_s: 90\n";

    fn at_7001(entry: &Entry) -> Service {
        Service {
            name: entry.name,
            section: entry.section,
            binary: entry.binary.into(),
            arguments: &[],
            bind: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            port: 7001,
            url: "http://127.0.0.1:7001".into(),
        }
    }

    #[test]
    fn what_a_service_prints_is_understood() {
        let service = at_7001(&REGISTRY);
        let (shared, own) = parse(PRINTED, &REGISTRY).unwrap();
        assert_eq!((shared.bind, own.port), (service.bind.clone(), service.port));
        assert_eq!(
            elsewhere(&REGISTRY, "swarm.registry_url", &shared.registry_url, &[service]).unwrap(),
            "services look for the registry at http://127.0.0.1:6121, but it will be at http://127.0.0.1:7001: \
             set swarm.registry_url"
        );
    }

    #[test]
    fn where_the_web_interface_looks_for_others_is_compared_with_where_they_will_be() {
        let printed = PRINTED.replace("registry:\n", "hmi:\n  gateway_url: http://127.0.0.1:6120\n");
        let (_, own) = parse(&printed, &HMI).unwrap();
        let told = own.gateway_url.unwrap();
        let remark = |told: &str| elsewhere(&GATEWAY, "hmi.gateway_url", told, &[at_7001(&GATEWAY)]);
        assert_eq!(
            remark(&told).unwrap(),
            "the web interface looks for the gateway at http://127.0.0.1:6120, but it will be at http://127.0.0.1:7001: \
             set hmi.gateway_url"
        );
        assert_eq!(remark("http://127.0.0.1:7001/"), None);
    }

    #[test]
    fn an_hmi_on_another_port_whose_pages_are_not_admitted_is_remarked_on() {
        let remark = |port: u16, origins: &[&str]| {
            let hmi = Service {
                name: HMI.name,
                section: HMI.section,
                binary: HMI.binary.into(),
                arguments: &[],
                bind: vec![Ipv4Addr::LOCALHOST.into()],
                port,
                url: format!("http://127.0.0.1:{port}"),
            };
            foreign_pages(&origins.iter().map(|origin| (*origin).to_owned()).collect::<Vec<_>>(), &[hmi])
        };
        assert_eq!(remark(HMI.port, &[]), None);
        assert_eq!(remark(7101, &["http://127.0.0.1:7101/"]), None);
        assert_eq!(
            remark(7101, &["http://127.0.0.1:6101"]).unwrap(),
            "the web interface will be at http://127.0.0.1:7101, whose pages the event stream refuses: \
             add http://127.0.0.1:7101 to swarm.origins"
        );
    }
}
