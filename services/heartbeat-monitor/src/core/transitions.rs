//! From the registry's transitions to alerts. Nothing here depends on how the transitions were cut into batches: the
//! same history yields the same alerts, whatever restarted in between.

use std::collections::HashMap;

use pas_types::id::ServiceId;
use pas_types::registry::{Transition, TransitionKind};

use super::flapping::{self, Flapping};
use super::{NewId, Raised, alerts};

/// A message of the registry's history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// What happened, in order.
    pub transitions: Vec<Transition>,
    /// The last transition that the message brought, also when the monitor doesn't understand it.
    pub last_seq: Option<u64>,
    /// The newest transition that the registry has.
    pub head: u64,
}

/// What a batch comes to. It is stored whole or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// The alerts to store.
    pub raised: Vec<Raised>,
    /// The services whose record of changes moved.
    pub flapping: HashMap<ServiceId, Flapping>,
    /// Up to where the history has been read now.
    pub cursor: u64,
}

/// Whether the registry's history is not the one that was read up to `cursor`: its database was lost, or an older one
/// was restored. Then it is read from its beginning; alerts that are stored already are known by their transition.
pub fn is_another_history(head: u64, cursor: u64) -> bool {
    head < cursor
}

/// The services of `batch` whose status changed, whose records [`take`] needs.
pub fn changed_services(batch: &Batch) -> impl Iterator<Item = ServiceId> {
    batch.transitions.iter().filter(|transition| changes_status(transition)).filter_map(|it| it.service_id)
}

/// The services of `batch` of which the registry forgot what probes said: it registered them anew.
pub fn registered_services(batch: &Batch) -> impl Iterator<Item = ServiceId> {
    use TransitionKind::{Registered, Reregistered};
    let anew =
        batch.transitions.iter().filter(|transition| matches!(transition.kind, Registered | Reregistered));
    anew.filter_map(|transition| transition.service_id)
}

/// Decides on a batch. `records` has what is known of the [`changed_services`]; what was read before is left out.
pub fn take(
    batch: &Batch,
    cursor: u64,
    mut records: HashMap<ServiceId, Flapping>,
    rules: &flapping::Rules,
    ids: NewId<'_>,
) -> Taken {
    let mut raised = Vec::new();
    for transition in batch.transitions.iter().filter(|transition| transition.seq > cursor) {
        let about_flapping = transition
            .service_id
            .filter(|_| changes_status(transition))
            .filter(|id| records.entry(*id).or_default().change(transition.ts.as_millis(), rules))
            .map(|_| alerts::flapping(transition, rules, ids()));
        let alerts = alerts::of_transition(transition, ids()).into_iter().chain(about_flapping);
        raised.extend(alerts.map(|alert| Raised { alert, source_seq: Some(transition.seq) }));
    }
    Taken { raised, flapping: records, cursor: cursor.max(batch.last_seq.unwrap_or(0)) }
}

fn changes_status(transition: &Transition) -> bool {
    transition.from_status.is_some()
        && transition.to_status.is_some()
        && transition.from_status != transition.to_status
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use pas_types::id::AlertId;
    use pas_types::registry::{ServiceType, Status};
    use pas_types::time::WireTime;
    use proptest::prelude::*;

    use super::*;

    const RULES: flapping::Rules = flapping::Rules { changes: 3, window: Duration::from_secs(60) };

    /// What a store keeps of [`Taken`], all at once.
    #[derive(Debug, Clone, Default, PartialEq)]
    struct Stored {
        alerts: Vec<Raised>,
        flapping: BTreeMap<ServiceId, Flapping>,
        cursor: u64,
    }

    impl Stored {
        fn decide(&self, batch: &Batch) -> Taken {
            let records = changed_services(batch)
                .filter_map(|id| Some((id, self.flapping.get(&id)?.clone())))
                .collect();
            // Ids are left equal: here alerts are compared by all else.
            take(batch, self.cursor, records, &RULES, &mut || AlertId(uuid::Uuid::nil()))
        }

        fn commit(&mut self, taken: Taken) {
            self.alerts.extend(taken.raised);
            self.flapping.extend(taken.flapping);
            self.cursor = taken.cursor;
        }
    }

    fn batch(transitions: &[Transition]) -> Batch {
        let last_seq = transitions.last().map(|transition| transition.seq);
        Batch { transitions: transitions.to_vec(), last_seq, head: last_seq.unwrap_or(0) }
    }

    fn histories() -> impl Strategy<Value = Vec<Transition>> {
        let status =
            prop::sample::select(vec![None, Some(Status::Ok), Some(Status::Degraded), Some(Status::Down)]);
        let kind = prop::sample::select(TransitionKind::ALL.to_vec());
        let step = (1u64..4, 0i64..40_000, kind, prop::option::of(0u128..3), status.clone(), status, 0u32..4);
        prop::collection::vec(step, 0..60).prop_map(|steps| {
            let (mut seq, mut ms) = (0, 0);
            let transition = |(gap, pause, kind, service, from_status, to_status, missed_beats)| {
                seq += gap;
                ms += pause;
                Transition {
                    seq,
                    ts: WireTime::from_millis(ms),
                    kind,
                    service_id: Option::<u128>::map(service, |n| ServiceId(uuid::Uuid::from_u128(n))),
                    service_name: service.map(|n| format!("s{n}")),
                    service_type: service.map(|_| ServiceType::Model),
                    from_status,
                    to_status,
                    from_role: None,
                    to_role: None,
                    missed_beats,
                    last_seen: None,
                    reason: None,
                }
            };
            steps.into_iter().map(transition).collect()
        })
    }

    proptest! {
        #[test]
        fn each_alert_is_raised_once_however_batches_are_cut_and_whoever_restarts(
            history in histories(),
            cuts in prop::collection::vec((0usize..8, 0usize..4, any::<bool>()), 0..60),
        ) {
            let mut at_once = Stored::default();
            at_once.commit(at_once.decide(&batch(&history)));

            let mut in_pieces = Stored::default();
            let mut read = 0_usize;
            for (length, again, dies_before_commit) in cuts {
                // The follower may be sent again what it had, and may die before it has stored a batch.
                let from = read.saturating_sub(again);
                let to = (read + length).min(history.len());
                let taken = in_pieces.decide(&batch(&history[from..to]));
                if !dies_before_commit {
                    in_pieces.commit(taken);
                    read = to;
                }
            }
            in_pieces.commit(in_pieces.decide(&batch(&history[read..])));
            prop_assert_eq!(in_pieces, at_once);
        }
    }

    #[test]
    fn a_transition_that_is_not_understood_is_passed() {
        let not_understood = Batch { transitions: Vec::new(), last_seq: Some(7), head: 9 };
        let mut stored = Stored::default();
        stored.commit(stored.decide(&not_understood));
        assert_eq!(stored, Stored { cursor: 7, ..Stored::default() });
    }

    #[test]
    fn a_history_that_ends_before_the_cursor_is_another_one() {
        assert!(is_another_history(4, 5));
        assert!(!is_another_history(5, 5));
        // A registry that began anew counts in a higher range, and is simply followed on.
        assert!(!is_another_history(2 << 32 | 1, 1 << 32 | 900));
    }
}
