//! From the registry's protocol to the words of the core.

use std::str::FromStr;
use std::sync::Arc;

use pas_proto::registry::v1 as proto;
use pas_service::fleet;
use pas_types::registry::{ListedService, Transition};

use crate::core::targets::{Learned, Seen, Target};
use crate::core::transitions::Batch;

/// The label by which a service names the path of its health.
const HEALTH_PATH: &str = "health_path";

/// A message of the history. A transition of a kind that a newer registry has is passed over: the rest must go on.
pub(super) fn batch(message: proto::FollowResponse) -> Batch {
    let last_seq = message.transitions.iter().map(|transition| transition.seq).max();
    let understood = |transition: proto::Transition| {
        let seq = transition.seq;
        match self::transition(transition) {
            Ok(transition) => Some(transition),
            Err(what) => {
                tracing::warn!(seq, "a transition that can't be understood is passed over: {what}");
                None
            }
        }
    };
    let transitions = message.transitions.into_iter().filter_map(understood).collect();
    Batch { transitions, last_seq, head: message.head }
}

fn transition(transition: proto::Transition) -> Result<Transition, String> {
    Ok(Transition {
        seq: transition.seq,
        ts: word("ts", &transition.ts)?,
        kind: word("kind", &transition.kind)?,
        service_id: optional_word("service_id", transition.service_id)?,
        service_name: transition.service_name,
        service_type: optional_word("service_type", transition.service_type)?,
        from_status: optional_word("from_status", transition.from_status)?,
        to_status: optional_word("to_status", transition.to_status)?,
        from_role: optional_word("from_role", transition.from_role)?,
        to_role: optional_word("to_role", transition.to_role)?,
        missed_beats: transition.missed_beats,
        last_seen: optional_word("last_seen", transition.last_seen)?,
        reason: transition.reason,
    })
}

/// What the registry's watch told, as far as probes are concerned.
pub fn learned(told: fleet::Learned) -> Learned {
    let seen = |service: &Arc<ListedService>| Seen {
        service_id: service.service_id,
        target: Target::of(
            service.service_id,
            service.url.as_deref().unwrap_or_default(),
            service.label(HEALTH_PATH),
        ),
    };
    let fleet::Learned { gone, only, new_epoch, .. } = told;
    Learned { seen: told.seen.iter().map(seen).collect(), gone, only, new_epoch }
}

fn word<T: FromStr<Err: std::fmt::Display>>(field: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{field}: {error}"))
}

fn optional_word<T: FromStr<Err: std::fmt::Display>>(
    field: &str,
    text: Option<String>,
) -> Result<Option<T>, String> {
    text.map(|text| word(field, &text)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transition_that_is_not_understood_is_passed_over_and_counts_as_read() {
        let transition = |seq: u64, kind: &str| proto::Transition {
            seq,
            ts: "2025-11-06T10:30:00.000Z".to_owned(),
            kind: kind.to_owned(),
            ..proto::Transition::default()
        };
        let transitions = vec![transition(1, "brake_on"), transition(2, "levitated")];
        let batch = batch(proto::FollowResponse { transitions, head: 5 });
        let understood: Vec<u64> = batch.transitions.iter().map(|transition| transition.seq).collect();
        assert_eq!((understood, batch.last_seq, batch.head), (vec![1], Some(2), 5));
    }
}
