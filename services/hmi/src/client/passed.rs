//! Which calls are passed on, and to whom. What isn't in the table can't be reached through the HMI.

use http::Method;
use pas_types::{alert, catalog, event, flight, provider_router, receipt, registry};

/// A service whose answers are passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The registry.
    Registry,
    /// The event stream.
    Events,
    /// The heartbeat monitor.
    Monitor,
    /// The provider router.
    Router,
    /// The gateway.
    Gateway,
}

impl Owner {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Registry, Self::Events, Self::Monitor, Self::Router, Self::Gateway];

    /// Which service it is.
    pub fn entry(self) -> catalog::Entry {
        match self {
            Self::Registry => catalog::REGISTRY,
            Self::Events => catalog::EVENT_STREAM,
            Self::Monitor => catalog::HEARTBEAT_MONITOR,
            Self::Router => catalog::PROVIDER_ROUTER,
            Self::Gateway => catalog::GATEWAY,
        }
    }

    /// What it is called in a sentence.
    pub fn spoken(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Events => "event stream",
            Self::Monitor => "heartbeat monitor",
            Self::Router => "provider router",
            Self::Gateway => "gateway",
        }
    }

    /// Where its calls are found here.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Registry => "/api/registry",
            Self::Events => "/api/events",
            Self::Monitor => "/api/monitor",
            Self::Router => "/api/router",
            Self::Gateway => "/api/gateway",
        }
    }
}

/// What a call does, and so what is done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Looks at something.
    Read,
    /// Asks something that needs a body.
    Ask,
    /// Does what its owner tells the event stream; says why.
    Act,
    /// Ends a call; says why.
    Cancel,
    /// Takes note of an alert.
    Acknowledge,
    /// Keeps quiet about some.
    Mute,
}

impl Kind {
    /// Its method.
    pub fn method(self) -> Method {
        match self {
            Self::Read => Method::GET,
            Self::Ask | Self::Act | Self::Cancel | Self::Acknowledge | Self::Mute => Method::POST,
        }
    }
}

/// A call that is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// To whom.
    pub owner: Owner,
    /// What it does.
    pub kind: Kind,
    /// Its path there.
    pub path: &'static str,
}

impl Passed {
    /// Its method.
    pub fn method(self) -> Method {
        self.kind.method()
    }

    /// Its path here.
    pub fn path_here(self) -> String {
        format!("{}{}", self.owner.prefix(), self.path)
    }
}

/// All of them.
pub const PASSED: [Passed; 26] = {
    use Kind::{Acknowledge, Act, Ask, Cancel, Mute, Read};
    use Owner::{Events, Gateway, Monitor, Registry, Router};
    [
        passed(Registry, Read, registry::path::DISCOVER),
        passed(Registry, Read, registry::path::SERVICE),
        passed(Registry, Act, registry::path::PAUSE),
        passed(Registry, Act, registry::path::RESUME),
        passed(Registry, Act, registry::path::PROMOTE),
        passed(Registry, Act, registry::path::DEREGISTER),
        passed(Events, Read, event::path::EVENTS),
        passed(Events, Read, event::path::EXPORT),
        passed(Events, Read, event::path::SNAPSHOT),
        passed(Monitor, Read, alert::path::ALERTS),
        passed(Monitor, Acknowledge, alert::path::ACK),
        passed(Monitor, Read, alert::path::MUTES),
        passed(Monitor, Mute, alert::path::MUTE),
        passed(Router, Read, provider_router::path::MATRIX),
        passed(Router, Read, provider_router::path::POLICIES),
        passed(Router, Read, provider_router::path::PRICES),
        passed(Router, Ask, provider_router::path::ROUTE),
        passed(Gateway, Read, receipt::path::RECEIPTS),
        passed(Gateway, Read, receipt::path::STATS),
        passed(Gateway, Read, receipt::path::RECEIPT),
        passed(Gateway, Read, flight::path::IN_FLIGHT),
        passed(Gateway, Cancel, flight::path::CANCEL),
        passed(Gateway, Read, flight::path::MODELS),
        passed(Gateway, Ask, flight::path::INVOKE),
        passed(Gateway, Ask, flight::path::CHAT_COMPLETIONS),
        passed(Gateway, Ask, flight::path::MESSAGES),
    ]
};

const fn passed(owner: Owner, kind: Kind, path: &'static str) -> Passed {
    Passed { owner, kind, path }
}
