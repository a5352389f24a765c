//! Whether the ports of a swarm can be had.

use std::io::ErrorKind;
use std::net::TcpListener;

use pas_types::catalog::{EVENT_STREAM, REGISTRY};

use crate::core::state::State;
use crate::proc;
use crate::swarm::{Service, Swarm};

/// A port that somebody else holds.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Which port, whose it should be, and who holds it.
    pub(crate) problem: String,
    /// What helps.
    pub(crate) remedy: String,
}

/// The ports of the services that are yet to start and can't, because somebody else listens there.
pub(crate) fn taken(swarm: &Swarm, state: Option<&State>) -> Vec<Taken> {
    let runs = |service: &Service| {
        let records = state.into_iter().flat_map(|state| &state.services);
        records.into_iter().any(|record| record.service == service.name && record.running().is_some())
    };
    swarm.services.iter().filter(|service| !runs(service) && is_taken(service)).map(describe).collect()
}

/// Trying is the only proof; an address that this machine lacks is the service's own concern.
fn is_taken(service: &Service) -> bool {
    service.bind.iter().any(|address| {
        TcpListener::bind((*address, service.port)).is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
    })
}

fn describe(service: &Service) -> Taken {
    let holders: Vec<String> = proc::holders(service.port).iter().map(ToString::to_string).collect();
    let holders = if holders.is_empty() {
        "a process that this user can't see".to_owned()
    } else {
        holders.join(" and ")
    };
    Taken {
        problem: format!("port {} of {} is taken by {holders}", service.port, service.name),
        remedy: format!("stop it, or set {} in the configuration", settings(service)),
    }
}

/// The settings that move a service to another port: the others look for some of them where they are told to.
fn settings(service: &Service) -> String {
    let told = [(REGISTRY, "registry_url"), (EVENT_STREAM, "events_url")];
    let also = told.into_iter().find(|(entry, _)| entry.name == service.name);
    let also = also.map_or_else(String::new, |(_, key)| format!(" and swarm.{key}"));
    format!("{}.port{also}", service.section)
}
