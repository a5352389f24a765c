//! How a service is: the worst of the things that it looks at.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use pas_types::catalog;
use pas_types::health::{Check, Health as Report, HealthStatus};
use pas_types::time::Now;
use tokio::sync::watch;

/// The checks of one service, by name. Clones share them.
#[derive(Debug, Clone)]
pub struct Health {
    service: &'static str,
    started: Now,
    checks: Arc<Mutex<BTreeMap<&'static str, Check>>>,
    changes: watch::Sender<()>,
}

impl Health {
    /// No checks yet: `ok`.
    pub fn new(entry: &catalog::Entry, now: Now) -> Self {
        Self { service: entry.name, started: now, checks: Arc::default(), changes: watch::Sender::new(()) }
    }

    /// The check `name` is well.
    pub fn ok(&self, name: &'static str) {
        self.put(name, Check { status: HealthStatus::Ok, reason: None });
    }

    /// The check `name` is not well, because of `reason`.
    pub fn set(&self, name: &'static str, status: HealthStatus, reason: impl Into<String>) {
        self.put(name, Check { status, reason: Some(reason.into()) });
    }

    fn put(&self, name: &'static str, check: Check) {
        let mut checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner);
        if checks.get(name) != Some(&check) {
            checks.insert(name, check);
            self.changes.send_replace(());
        }
    }

    /// Tells that a check says something else than before.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// What `GET /health` answers.
    pub fn report(&self, now: Now) -> Report {
        let checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let worst = checks.iter().max_by_key(|(_, check)| check.status);
        let worst = worst.map(|(_, check)| check);
        Report {
            status: worst.map_or(HealthStatus::Ok, |check| check.status),
            reason: worst
                .filter(|check| check.status != HealthStatus::Ok)
                .and_then(|check| check.reason.clone()),
            service: self.service.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: now.monotonic.saturating_sub(self.started.monotonic).as_secs(),
            checks: checks.into_iter().map(|(name, check)| (name.to_owned(), check)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_as_well_as_its_worst_check() {
        let health = Health::new(&catalog::REGISTRY, crate::clock::now());
        health.ok("disk");
        health.set("boot", HealthStatus::Recovering, "grace");
        health.set("store", HealthStatus::Degraded, "disk full");
        let report = health.report(crate::clock::now());
        assert_eq!((report.status, report.reason.as_deref()), (HealthStatus::Degraded, Some("disk full")));
    }
}
