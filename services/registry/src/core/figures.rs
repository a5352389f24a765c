//! What there is to count.

use std::collections::BTreeMap;

use pas_types::registry::{ServiceType, Status};

use super::Registry;

/// What happened since the start, as counts that only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Registrations that were accepted.
    pub registrations: u64,
    /// Beats that were accepted.
    pub beats: u64,
    /// Services that left the list because they stayed silent.
    pub evictions: u64,
    /// Times that the registry stood still.
    pub stalls: u64,
}

/// How things are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Services by type and effective status.
    pub services: BTreeMap<(ServiceType, Status), u64>,
    /// What happened since the start.
    pub tally: Tally,
    /// Whether the eviction brake is on.
    pub brake_on: bool,
    /// Services that it holds back.
    pub brake_held: usize,
    /// Services of which the store lacks something.
    pub pending_rows: usize,
    /// Transitions that the store lacks.
    pub pending_transitions: usize,
    /// Transitions that were dropped, because too many waited.
    pub dropped_transitions: u64,
}

impl Registry {
    /// Transitions that the store lacks.
    pub fn pending_transitions(&self) -> usize {
        self.pending.transitions()
    }

    /// How things are.
    pub fn figures(&self) -> Figures {
        let mut services = BTreeMap::new();
        for row in self.services.values() {
            *services.entry((row.record.service_type, row.life.status())).or_default() += 1;
        }
        Figures {
            services,
            tally: self.tally,
            brake_on: self.brake.is_on(),
            brake_held: self.brake.held(),
            pending_rows: self.pending.rows(),
            pending_transitions: self.pending.transitions(),
            dropped_transitions: self.pending.dropped(),
        }
    }
}
