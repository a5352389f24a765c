//! From the registry's protocol to the words of the core.

use std::str::FromStr;

use pas_proto::registry::v1::{self as proto, watch_response::Event};
use pas_types::id::ServiceId;
use pas_types::registry::Transition;

use crate::core::targets::{Cursor, Seen, Target, Watched};
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

/// A message of the watch.
pub(super) fn watched(message: proto::WatchResponse) -> Result<Watched, String> {
    match message.event {
        Some(Event::Snapshot(snapshot)) => Ok(Watched::Snapshot {
            at: cursor(snapshot.at)?,
            services: seen(snapshot.services)?,
            last: snapshot.last,
            authoritative: snapshot.authoritative,
        }),
        Some(Event::Changes(changes)) => Ok(Watched::Changes {
            at: cursor(changes.at)?,
            upserted: seen(changes.upserted)?,
            removed: changes
                .removed_service_ids
                .iter()
                .map(|id| word("removed_service_ids", id))
                .collect::<Result<_, _>>()?,
        }),
        Some(Event::Progress(progress)) => Ok(Watched::Progress { at: cursor(progress.at)? }),
        None => Err("a message of an unknown kind".to_owned()),
    }
}

fn cursor(at: Option<proto::Cursor>) -> Result<Cursor, String> {
    at.map(|proto::Cursor { epoch, index }| Cursor { epoch, index })
        .ok_or_else(|| "a message without its place".to_owned())
}

fn seen(services: Vec<proto::Service>) -> Result<Vec<Seen>, String> {
    services.into_iter().map(service).collect()
}

fn service(service: proto::Service) -> Result<Seen, String> {
    let service_id: ServiceId = word("service_id", &service.service_id)?;
    let health_path = service.labels.iter().find(|label| label.key == HEALTH_PATH);
    let health_path = health_path.and_then(|label| label.value.as_deref()).filter(|path| !path.is_empty());
    Ok(Seen { service_id, target: Target::of(service_id, &service.url, health_path) })
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

    #[test]
    fn a_message_of_the_watch_that_is_not_whole_is_refused() {
        let at = Some(proto::Cursor { epoch: 1, index: 2 });
        let of = |event| watched(proto::WatchResponse { event });
        assert_eq!(of(None), Err("a message of an unknown kind".to_owned()));
        let nowhere = Event::Progress(proto::Progress { at: None });
        assert_eq!(of(Some(nowhere)), Err("a message without its place".to_owned()));
        let nobody = proto::Service { service_id: "first".to_owned(), ..proto::Service::default() };
        let changes = proto::Changes { at, upserted: vec![nobody], removed_service_ids: Vec::new() };
        assert!(of(Some(Event::Changes(changes))).is_err_and(|what| what.starts_with("service_id: ")));
    }
}
