//! Services that register and never beat again, and what must happen to them when.

use std::collections::HashMap;
use std::time::Duration;

use pas_types::id::ServiceId;
use tokio::time::Instant;

use super::crowd::{Member, register, registration};
use super::pace::Pace;

/// Seconds between their beats, if they beat.
const INTERVAL_S: u32 = 1;
/// Seconds without a beat after which the first one counts as missed.
const TTL_S: u32 = 2;
/// Beats after which a service is gone.
pub(crate) const MISSES: u32 = 3;

/// Services that are silent since they registered.
#[derive(Debug)]
pub(crate) struct Mortals {
    last_signs: HashMap<ServiceId, Instant>,
}

impl Mortals {
    /// Registers so many, spread over one second. `name` must be new: who comes back has another past.
    pub(crate) fn register(port: u16, name: &str, count: u32) -> anyhow::Result<Self> {
        let pace = Pace::per_second(count);
        let mut last_signs = HashMap::new();
        for number in 0..count {
            pace.wait(number);
            let registration = registration(name, number as usize, INTERVAL_S, TTL_S);
            for Member { service_id, registered, .. } in register(port, &[registration], 1)? {
                last_signs.insert(service_id, registered);
            }
        }
        Ok(Self { last_signs })
    }

    /// When that service was due to have missed so many beats, if it is one of these. Its last sign of life is taken
    /// for the moment at which it was sent, so that what is measured from here is rather too long than too short.
    pub(crate) fn due(&self, service_id: ServiceId, misses: u32) -> Option<Instant> {
        let patience = TTL_S + misses.checked_sub(1).filter(|_| misses <= MISSES)? * INTERVAL_S;
        Some(*self.last_signs.get(&service_id)? + Duration::from_secs(patience.into()))
    }

    /// How many they are.
    pub(crate) fn count(&self) -> usize {
        self.last_signs.len()
    }
}
