//! How a service is, seen from outside: its process and its answer taken together.

use pas_types::health::{Health, HealthStatus};
use serde::Serialize;

/// A service that lacks its credential, what its model is made from, or the server that has it, says `down` with a reason
/// that begins so.
const NOT_CONFIGURED: [&str; 3] = ["no_credential", "no_weights", "no_backend"];

/// How a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Condition {
    /// It says that all is well.
    Ok,
    /// It came up a short while ago and is finding out how things are.
    Recovering,
    /// It works, but not as it should.
    Degraded,
    /// It runs, and waits for a credential, weights or a server.
    NotConfigured,
    /// It runs, and says that it does not work.
    Down,
    /// Its process runs, but does not answer.
    Silent,
    /// It waits for its turn, or died and waits to be started again.
    Starting,
    /// It does not run, and nobody starts it.
    Stopped,
}

impl Condition {
    /// The condition, and why it is not `ok`.
    pub(crate) fn of(
        alive: bool,
        supervised: bool,
        answer: Result<Health, String>,
    ) -> (Self, Option<String>) {
        let health = match (alive, supervised, answer) {
            (false, true, _) => return (Self::Starting, None),
            (false, false, _) => return (Self::Stopped, None),
            (true, _, Err(reason)) => return (Self::Silent, Some(reason)),
            (true, _, Ok(health)) => health,
        };
        let reason = health.reason.as_deref().unwrap_or_default();
        let waits = NOT_CONFIGURED.iter().any(|lack| reason.starts_with(lack));
        let condition = match health.status {
            HealthStatus::Ok => Self::Ok,
            HealthStatus::Recovering => Self::Recovering,
            HealthStatus::Degraded => Self::Degraded,
            HealthStatus::Down if waits => Self::NotConfigured,
            HealthStatus::Down => Self::Down,
        };
        (condition, health.reason)
    }

    /// Whether it is as well as it can be made by starting it.
    pub(crate) fn is_up(self) -> bool {
        matches!(self, Self::Ok | Self::Recovering | Self::Degraded | Self::NotConfigured)
    }

    /// As people read it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Recovering => "recovering",
            Self::Degraded => "degraded",
            Self::NotConfigured => "not configured",
            Self::Down => "down",
            Self::Silent => "no answer",
            Self::Starting => "starting",
            Self::Stopped => "stopped",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(status: HealthStatus, reason: &str) -> Result<Health, String> {
        let reason = (!reason.is_empty()).then(|| reason.to_owned());
        let (service, version) = ("registry".to_owned(), "0.1.0".to_owned());
        Ok(Health { status, reason, service, version, uptime_s: 1, checks: Default::default() })
    }

    #[test]
    fn a_service_without_its_credential_is_up_and_not_configured() {
        let (condition, reason) =
            Condition::of(true, true, says(HealthStatus::Down, "no_credential: set ANTHROPIC_API_KEY"));
        assert_eq!(condition, Condition::NotConfigured);
        assert_eq!(reason.as_deref(), Some("no_credential: set ANTHROPIC_API_KEY"));
        assert!(condition.is_up());
    }

    #[test]
    fn so_is_one_without_what_its_model_is_made_from() {
        let (condition, _) = Condition::of(true, true, says(HealthStatus::Down, "no_weights: no examples"));
        assert_eq!(condition, Condition::NotConfigured);
    }

    #[test]
    fn a_service_that_is_down_for_another_reason_is_not_up() {
        let (condition, _) = Condition::of(true, true, says(HealthStatus::Down, "disk full"));
        assert_eq!(condition, Condition::Down);
        assert!(!condition.is_up());
    }

    #[test]
    fn what_answers_in_place_of_a_dead_process_is_not_believed() {
        let (condition, _) = Condition::of(false, false, says(HealthStatus::Ok, ""));
        assert_eq!(condition, Condition::Stopped);
    }

    #[test]
    fn a_process_that_does_not_answer_is_silent_and_a_dead_one_starts_only_under_a_supervisor() {
        let silence = || Err("connection refused".to_owned());
        assert_eq!(
            Condition::of(true, true, silence()),
            (Condition::Silent, Some("connection refused".into()))
        );
        assert_eq!(Condition::of(false, true, silence()), (Condition::Starting, None));
        assert_eq!(Condition::of(false, false, silence()), (Condition::Stopped, None));
    }
}
