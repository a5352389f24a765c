//! The list of all types of events: from it come the words, the enum, and the reader, the checks and the schema of each.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::agent::{Heartbeat, Log, StatusUpdate};
use super::alert::Alert;
use super::governor::{Budget, Checkpoint, Context};
use super::receipt::Receipt;
use super::registry::{Deregistered, Paused, Promoted, Registered, Resumed};
use super::resource::{Job, Reservation};
use super::work::{Step, Task};
use crate::error::Error;
use crate::word::{nearest, words};

/// What the fields of a type of event can do.
pub(super) trait Fields: ToSchema {
    /// The common fields without which an event of this type says nothing.
    const NEEDS: &'static [Need] = &[];

    /// Refuses what breaks a limit.
    fn validate(&self) -> Result<(), Error>;
}

/// A common field that some types can't do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Agent,
    ServiceId,
}

impl Need {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::ServiceId => "service_id",
        }
    }
}

/// One type of event, as its schema is made of it.
pub(super) struct Described {
    pub(super) event_type: EventType,
    pub(super) needs: &'static [Need],
    /// The fields of the type alone.
    pub(super) fields: RefOr<Schema>,
    /// What these refer to.
    pub(super) definitions: Vec<(String, RefOr<Schema>)>,
}

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $word:tt),+ $(,)?) => {
        words! {
            /// What an event tells.
            EventType, "event type" { $($(#[$doc])* $name = $word),+ }
        }

        /// What happened: the fields of one type of event.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum Body {
            $($(#[$doc])* $name($name)),+
        }

        impl Body {
            /// The type of event that has these fields.
            pub const fn event_type(&self) -> EventType {
                match self {
                    $(Self::$name(_) => EventType::$name),+
                }
            }

            pub(super) fn read<'de, D: Deserializer<'de>>(
                event_type: EventType,
                deserializer: D,
            ) -> Result<Self, D::Error> {
                match event_type {
                    $(EventType::$name => $name::deserialize(deserializer).map(Self::$name)),+
                }
            }

            pub(super) fn validate(&self) -> Result<(), Error> {
                match self {
                    $(Self::$name(fields) => fields.validate()),+
                }
            }

            pub(super) const fn needs(&self) -> &'static [Need] {
                match self {
                    $(Self::$name(_) => $name::NEEDS),+
                }
            }

            pub(super) fn described() -> Vec<Described> {
                vec![$(described::<$name>(EventType::$name)),+]
            }
        }

        $(
            impl From<$name> for Body {
                fn from(fields: $name) -> Self {
                    Self::$name(fields)
                }
            }
        )+
    };
}

events! {
    /// An agent lives, and says how far it is.
    Heartbeat = "heartbeat",
    /// Something about an agent's work has changed.
    StatusUpdate = "status_update",
    /// Something needs a look.
    Alert = "alert",
    /// A service is on the registry's list.
    Registered = "registered",
    /// A service is off the registry's list.
    Deregistered = "deregistered",
    /// A service has another role.
    Promoted = "promoted",
    /// An operator took a service out of service.
    Paused = "paused",
    /// An operator gave it back.
    Resumed = "resumed",
    /// A call through the gateway is over.
    Receipt = "receipt",
    /// A share of the machine is asked for, lent or given back.
    Reservation = "reservation",
    /// A program that the resource manager runs has begun or ended.
    Job = "job",
    /// An agent's context is so full.
    Context = "context",
    /// An agent's state is saved, its context cleared, its thread resumed.
    Checkpoint = "checkpoint",
    /// A budget has crossed one of its stages.
    Budget = "budget",
    /// A task has begun, goes on or is over.
    Task = "task",
    /// A step of a task has begun or is over.
    Step = "step",
    /// Somebody says something.
    Log = "log",
}

fn described<T: Fields>(event_type: EventType) -> Described {
    let mut definitions = Vec::new();
    T::schemas(&mut definitions);
    Described { event_type, needs: T::NEEDS, fields: <T as PartialSchema>::schema(), definitions }
}

words! {
    /// How long an event is worth keeping. Retention is set for each class.
    Class, "class of events" {
        /// Says how things stand, is said again soon, and comes by the thousand.
        Short = "short",
        /// Says what happened once: who came and went, what was decided, what it cost, what went wrong.
        Long = "long",
    }
}

impl EventType {
    /// How long events of this type are worth keeping.
    pub const fn class(self) -> Class {
        match self {
            Self::Heartbeat | Self::StatusUpdate | Self::Context | Self::Step | Self::Log => Class::Short,
            Self::Alert
            | Self::Registered
            | Self::Deregistered
            | Self::Promoted
            | Self::Paused
            | Self::Resumed
            | Self::Receipt
            | Self::Reservation
            | Self::Job
            | Self::Checkpoint
            | Self::Budget
            | Self::Task => Class::Long,
        }
    }

    /// Reads the word of a type; who is nearly right is told the nearest.
    pub(super) fn read(word: &str) -> Result<Self, Error> {
        word.parse().map_err(|error: Error| match nearest(Self::ALL.map(Self::as_str), word) {
            Some(nearest) => {
                Error { message: format!("{}; did you mean `{nearest}`?", error.message), ..error }
            }
            None => error,
        })
    }
}
