//! What an alert says: one function for each thing that the monitor has to tell.

use std::collections::BTreeMap;
use std::time::Duration;

use pas_types::alert::{AlertAction, AlertType, HeartbeatAlert, Severity};
use pas_types::catalog;
use pas_types::id::AlertId;
use pas_types::registry::{Status, Transition, TransitionKind};
use pas_types::time::{Now, WireTime};
use serde_json::{Value, json};

use super::flapping;

/// The alert about a transition, if it is worth one. What people did on purpose is not.
pub fn of_transition(transition: &Transition, alert_id: AlertId) -> Option<HeartbeatAlert> {
    use AlertAction as Action;
    use TransitionKind as Kind;
    let missed = transition.missed_beats;
    let (alert_type, severity, action, what) = match transition.kind {
        Kind::BeatMissed if missed <= 1 => (
            AlertType::HeartbeatMiss,
            Severity::Warning,
            Action::MarkedDegraded,
            "missed a beat and is degraded".to_owned(),
        ),
        Kind::BeatMissed => (
            AlertType::HeartbeatMiss,
            Severity::Critical,
            Action::MarkedDown,
            format!("missed {missed} beats in a row, is down and not offered any more"),
        ),
        Kind::Evicted => (
            AlertType::HeartbeatMiss,
            Severity::Critical,
            Action::Deregistered,
            format!("missed {missed} beats in a row and is no longer registered"),
        ),
        Kind::Recovered => {
            (AlertType::Recovered, Severity::Info, Action::Recovered, "beats again".to_owned())
        }
        Kind::Unreachable => (
            AlertType::Unreachable,
            Severity::Warning,
            action_of_probe(transition),
            "does not answer probes any more".to_owned(),
        ),
        Kind::Reachable => (
            AlertType::Reachable,
            Severity::Info,
            action_of_probe(transition),
            "answers probes again".to_owned(),
        ),
        Kind::BrakeOn => (
            AlertType::BrakeOn,
            Severity::Critical,
            Action::None,
            "holds evictions back: too many services fell silent at once".to_owned(),
        ),
        Kind::BrakeOff => {
            (AlertType::BrakeOff, Severity::Info, Action::None, "evicts as usual again".to_owned())
        }
        Kind::Registered
        | Kind::Reregistered
        | Kind::Reported
        | Kind::Promoted
        | Kind::Paused
        | Kind::Resumed
        | Kind::Deregistered
        | Kind::Stalled => return None,
    };
    let message = format!("{} {what}", name_of(transition));
    Some(about(transition, alert_id, alert_type, severity, action, message, details_of(transition)))
}

/// The alert that a service flaps; `transition` is the change with which it began.
pub fn flapping(transition: &Transition, rules: &flapping::Rules, alert_id: AlertId) -> HeartbeatAlert {
    let window_s = rules.window.as_secs();
    let message =
        format!("{} changed its status {} times within {window_s} s", name_of(transition), rules.changes);
    let mut details = details_of(transition);
    details.insert("changes".to_owned(), json!(rules.changes));
    details.insert("window_s".to_owned(), json!(window_s));
    about(transition, alert_id, AlertType::Flapping, Severity::Warning, AlertAction::None, message, details)
}

/// The alert that the registry has said nothing for `silent_after`.
pub fn registry_silent(
    last_seen: Option<WireTime>,
    silent_after: Duration,
    now: Now,
    alert_id: AlertId,
) -> HeartbeatAlert {
    let message = format!("the registry has said nothing for {} s", silent_after.as_secs());
    HeartbeatAlert {
        last_seen,
        ..own(alert_id, AlertType::RegistrySilent, Severity::Critical, catalog::REGISTRY, now, message)
    }
}

/// The alert that the registry speaks again.
pub fn registry_back(last_seen: Option<WireTime>, now: Now, alert_id: AlertId) -> HeartbeatAlert {
    let message = "the registry speaks again".to_owned();
    HeartbeatAlert {
        last_seen,
        action: AlertAction::Recovered,
        ..own(alert_id, AlertType::RegistryBack, Severity::Info, catalog::REGISTRY, now, message)
    }
}

/// The alert that the time of day jumped, ahead or back (negative).
pub fn clock_jump(jump_ms: i64, now: Now, alert_id: AlertId) -> HeartbeatAlert {
    let direction = if jump_ms < 0 { "back" } else { "ahead" };
    let size = Duration::from_millis(jump_ms.unsigned_abs()).as_secs_f64();
    let message = format!("the time of day jumped {direction} by {size:.1} s");
    HeartbeatAlert {
        details: Some(BTreeMap::from([("jump_ms".to_owned(), json!(jump_ms))])),
        ..own(alert_id, AlertType::ClockJump, Severity::Warning, catalog::HEARTBEAT_MONITOR, now, message)
    }
}

/// Somebody has taken note of `alert`.
pub fn acknowledge(alert: &mut HeartbeatAlert, reason: Option<String>, at: WireTime) {
    alert.acked = true;
    let details = alert.details.get_or_insert_default();
    details.insert("acked_at".to_owned(), json!(at));
    if let Some(reason) = reason {
        details.insert("ack_reason".to_owned(), json!(reason));
    }
}

/// A probe says what it did to the service: nothing, where beats or the service itself said worse already.
fn action_of_probe(transition: &Transition) -> AlertAction {
    match (transition.from_status, transition.to_status) {
        (Some(from), Some(to)) if from == to => AlertAction::None,
        (_, Some(Status::Ok)) => AlertAction::Recovered,
        (_, Some(Status::Degraded)) => AlertAction::MarkedDegraded,
        (_, Some(Status::Down)) => AlertAction::MarkedDown,
        (_, None) => AlertAction::None,
    }
}

/// Only the registry's own transitions carry no name.
fn name_of(transition: &Transition) -> &str {
    transition.service_name.as_deref().unwrap_or(catalog::REGISTRY.name)
}

fn details_of(transition: &Transition) -> BTreeMap<String, Value> {
    let status = |status: Option<Status>| status.map(|status| json!(status));
    [
        ("from_status", status(transition.from_status)),
        ("to_status", status(transition.to_status)),
        ("reason", transition.reason.as_ref().map(|reason| json!(reason))),
    ]
    .into_iter()
    .filter_map(|(key, value)| value.map(|value| (key.to_owned(), value)))
    .collect()
}

fn about(
    transition: &Transition,
    alert_id: AlertId,
    alert_type: AlertType,
    severity: Severity,
    action: AlertAction,
    message: String,
    details: BTreeMap<String, Value>,
) -> HeartbeatAlert {
    HeartbeatAlert {
        alert_id,
        alert_type,
        severity,
        service_id: transition.service_id,
        service_name: name_of(transition).to_owned(),
        missed_beats: transition.missed_beats,
        last_seen: transition.last_seen,
        action,
        ts: transition.ts,
        acked: false,
        message: Some(message),
        details: (!details.is_empty()).then_some(details),
    }
}

fn own(
    alert_id: AlertId,
    alert_type: AlertType,
    severity: Severity,
    subject: catalog::Entry,
    now: Now,
    message: String,
) -> HeartbeatAlert {
    HeartbeatAlert {
        alert_id,
        alert_type,
        severity,
        service_id: None,
        service_name: subject.name.to_owned(),
        missed_beats: 0,
        last_seen: None,
        action: AlertAction::None,
        ts: now.wall.into(),
        acked: false,
        message: Some(message),
        details: None,
    }
}

#[cfg(test)]
mod tests {
    use pas_types::id::ServiceId;
    use pas_types::registry::ServiceType;

    use super::*;

    fn transition(kind: TransitionKind, missed_beats: u32) -> Transition {
        Transition {
            seq: 1,
            ts: WireTime::from_millis(1_000),
            kind,
            service_id: Some(ServiceId(uuid::Uuid::from_u128(1))),
            service_name: Some("llama".to_owned()),
            service_type: Some(ServiceType::Model),
            from_status: None,
            to_status: None,
            from_role: None,
            to_role: None,
            missed_beats,
            last_seen: Some(WireTime::from_millis(900)),
            reason: None,
        }
    }

    fn raised(kind: TransitionKind, missed: u32) -> Option<(AlertType, Severity, AlertAction, String)> {
        let alert = of_transition(&transition(kind, missed), AlertId(uuid::Uuid::nil()))?;
        Some((alert.alert_type, alert.severity, alert.action, alert.message.unwrap()))
    }

    #[test]
    fn each_missed_beat_raises_its_alert() {
        use TransitionKind::{BeatMissed, Evicted, Recovered};
        let miss = |severity, action, message: &str| {
            Some((AlertType::HeartbeatMiss, severity, action, message.to_owned()))
        };
        assert_eq!(
            [raised(BeatMissed, 1), raised(BeatMissed, 2), raised(Evicted, 3)],
            [
                miss(Severity::Warning, AlertAction::MarkedDegraded, "llama missed a beat and is degraded"),
                miss(
                    Severity::Critical,
                    AlertAction::MarkedDown,
                    "llama missed 2 beats in a row, is down and not offered any more"
                ),
                miss(
                    Severity::Critical,
                    AlertAction::Deregistered,
                    "llama missed 3 beats in a row and is no longer registered"
                ),
            ]
        );
        assert_eq!(
            raised(Recovered, 0),
            Some((
                AlertType::Recovered,
                Severity::Info,
                AlertAction::Recovered,
                "llama beats again".to_owned()
            ))
        );
    }

    #[test]
    fn an_alert_has_the_frame_of_the_first_users() {
        let missed = Transition {
            from_status: Some(Status::Ok),
            to_status: Some(Status::Degraded),
            reason: Some("no beat".to_owned()),
            ..transition(TransitionKind::BeatMissed, 1)
        };
        let alert = of_transition(&missed, AlertId(uuid::Uuid::from_u128(2))).unwrap();
        let expected = json!({
            "alert_id": "00000000-0000-0000-0000-000000000002",
            "alert_type": "heartbeat_miss",
            "severity": "warning",
            "service_id": "00000000-0000-0000-0000-000000000001",
            "service_name": "llama",
            "missed_beats": 1,
            "last_seen": "1970-01-01T00:00:00.900Z",
            "action": "marked_degraded",
            "ts": "1970-01-01T00:00:01.000Z",
            "acked": false,
            "message": "llama missed a beat and is degraded",
            "details": { "from_status": "ok", "to_status": "degraded", "reason": "no beat" },
        });
        assert_eq!(serde_json::to_value(alert).unwrap(), expected);
    }

    #[test]
    fn what_people_do_on_purpose_raises_none() {
        use TransitionKind as Kind;
        let quiet: Vec<Kind> = Kind::ALL.iter().copied().filter(|kind| raised(*kind, 0).is_none()).collect();
        assert_eq!(
            quiet,
            [
                Kind::Registered,
                Kind::Reregistered,
                Kind::Reported,
                Kind::Promoted,
                Kind::Paused,
                Kind::Resumed,
                Kind::Deregistered,
                Kind::Stalled
            ]
        );
    }

    #[test]
    fn a_probe_says_only_what_it_changed() {
        let action = |kind, from, to| {
            let probed = Transition { from_status: Some(from), to_status: Some(to), ..transition(kind, 0) };
            of_transition(&probed, AlertId(uuid::Uuid::nil())).unwrap().action
        };
        let (gone, back) = (TransitionKind::Unreachable, TransitionKind::Reachable);
        assert_eq!(action(gone, Status::Ok, Status::Degraded), AlertAction::MarkedDegraded);
        assert_eq!(action(gone, Status::Down, Status::Down), AlertAction::None);
        assert_eq!(action(back, Status::Degraded, Status::Ok), AlertAction::Recovered);
        assert_eq!(action(back, Status::Degraded, Status::Degraded), AlertAction::None);
    }

    #[test]
    fn an_alert_about_the_registry_itself_names_it() {
        let brake =
            Transition { service_id: None, service_name: None, ..transition(TransitionKind::BrakeOn, 0) };
        let alert = of_transition(&brake, AlertId(uuid::Uuid::nil())).unwrap();
        assert_eq!((alert.service_id, alert.service_name.as_str()), (None, "registry"));
    }
}
