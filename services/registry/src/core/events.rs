//! Which transitions are told to everybody, as events.

use pas_types::event::{Body, Deregistered, Event, Paused, Promoted, Registered, Resumed};
use pas_types::registry::{Transition, TransitionKind};

/// The event that a transition is. None for those of which the monitor's alerts tell, and for promotions of the time
/// when transitions didn't say to which role.
pub fn event_of(transition: Transition) -> Option<Event> {
    use TransitionKind as Kind;
    let Transition { seq, ts, kind, from_role, to_role, last_seen, reason, .. } = transition;
    let (service_name, service_type) = (transition.service_name?, transition.service_type?);
    let body: Body = match kind {
        // Who registers for the first time has no reason to give.
        Kind::Registered | Kind::Reregistered => {
            Registered { service_name, service_type, role: to_role, known: reason.is_some() }.into()
        }
        Kind::Deregistered | Kind::Evicted => {
            let evicted = kind == Kind::Evicted;
            Deregistered { service_name, service_type, evicted, last_seen, reason }.into()
        }
        Kind::Promoted => {
            Promoted { service_name, service_type, from_role, to_role: to_role?, reason }.into()
        }
        Kind::Paused => Paused { service_name, service_type, reason }.into(),
        Kind::Resumed => Resumed { service_name, service_type, reason }.into(),
        Kind::BeatMissed
        | Kind::Recovered
        | Kind::Reported
        | Kind::Reachable
        | Kind::Unreachable
        | Kind::BrakeOn
        | Kind::BrakeOff
        | Kind::Stalled => return None,
    };
    // Numbers that are counted anew, as by a registry that lost its database while its clock stood back, come with
    // another time.
    let key = format!("registry-{seq}-{}", ts.as_millis());
    Some(Event { service_id: transition.service_id, idempotency_key: Some(key), ..Event::new(ts, body) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use pas_types::id::ServiceId;
    use pas_types::registry::{Role, ServiceType};
    use pas_types::time::WireTime;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn transition(kind: TransitionKind) -> Transition {
        Transition {
            seq: 4711,
            ts: WireTime::from_millis(1_000),
            kind,
            service_id: Some(ServiceId(Uuid::nil())),
            service_name: Some("llama".to_owned()),
            service_type: Some(ServiceType::Model),
            from_status: None,
            to_status: None,
            from_role: Some(Role::Staging),
            to_role: Some(Role::Production),
            missed_beats: 0,
            last_seen: Some(WireTime::from_millis(900)),
            reason: Some("so".to_owned()),
        }
    }

    #[test]
    fn what_people_and_services_do_is_an_event_and_what_the_monitor_tells_is_none() {
        let last_seen = "1970-01-01T00:00:00.900Z";
        let fields = BTreeMap::from([
            (TransitionKind::Registered, json!({"role": "production", "known": true})),
            (TransitionKind::Reregistered, json!({"role": "production", "known": true})),
            (TransitionKind::Deregistered, json!({"evicted": false, "last_seen": last_seen, "reason": "so"})),
            (TransitionKind::Evicted, json!({"evicted": true, "last_seen": last_seen, "reason": "so"})),
            (
                TransitionKind::Promoted,
                json!({"from_role": "staging", "to_role": "production", "reason": "so"}),
            ),
            (TransitionKind::Paused, json!({"reason": "so"})),
            (TransitionKind::Resumed, json!({"reason": "so"})),
        ]);
        for kind in TransitionKind::ALL {
            let event = event_of(transition(kind)).map(|event| serde_json::to_value(event).unwrap());
            let wanted = fields.get(&kind).cloned().map(|mut wanted| {
                let event_type = match kind {
                    TransitionKind::Reregistered => "registered",
                    TransitionKind::Evicted => "deregistered",
                    kind => kind.as_str(),
                };
                wanted.as_object_mut().unwrap().extend([
                    ("event_type".to_owned(), json!(event_type)),
                    ("ts".to_owned(), json!("1970-01-01T00:00:01.000Z")),
                    ("service_id".to_owned(), json!(Uuid::nil())),
                    ("idempotency_key".to_owned(), json!("registry-4711-1000")),
                    ("service_name".to_owned(), json!("llama")),
                    ("service_type".to_owned(), json!("model")),
                ]);
                wanted
            });
            assert_eq!(event, wanted, "{kind}");
        }
    }

    #[test]
    fn who_registers_for_the_first_time_is_not_known() {
        let first = Transition { reason: None, ..transition(TransitionKind::Registered) };
        let event = event_of(first).map(|event| event.body);
        let Some(Body::Registered(registered)) = event else { panic!("{event:?}") };
        assert!(!registered.known);
    }

    #[test]
    fn a_promotion_of_old_that_does_not_say_to_which_role_is_no_event() {
        let old = Transition { from_role: None, to_role: None, ..transition(TransitionKind::Promoted) };
        assert_eq!(event_of(old), None);
    }
}
