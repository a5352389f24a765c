//! The core's types as messages.

use pas_proto::registry::v1::watch_response::Event;
use pas_proto::registry::v1::{self, WatchResponse};
use pas_types::registry::Transition;

use crate::core::{Changes, Cursor, Room, Row, Snapshot};

/// A snapshot in parts that fit into messages; an empty one is one part too.
pub(super) fn snapshot(snapshot: Snapshot) -> impl Iterator<Item = WatchResponse> {
    let Snapshot { at, rows, authoritative } = snapshot;
    let mut rows = rows.into_iter().peekable();
    let mut ended = false;
    std::iter::from_fn(move || {
        if ended {
            return None;
        }
        let mut room = Room::of_message();
        let mut services = Vec::new();
        while room.is_left()
            && let Some((index, row)) = rows.next()
        {
            room.take(row.weight());
            services.push(service(index, &row));
        }
        ended = rows.peek().is_none();
        Some(response(Event::Snapshot(v1::Snapshot {
            at: Some(cursor(at)),
            services,
            last: ended,
            authoritative,
        })))
    })
}

pub(super) fn changes(changes: Changes) -> WatchResponse {
    response(Event::Changes(v1::Changes {
        at: Some(cursor(changes.at)),
        upserted: changes.upserted.iter().map(|(index, row)| service(*index, row)).collect(),
        removed_service_ids: changes.removed.iter().map(ToString::to_string).collect(),
    }))
}

pub(super) fn progress(at: Cursor) -> WatchResponse {
    response(Event::Progress(v1::Progress { at: Some(cursor(at)) }))
}

pub(super) fn transition(transition: Transition) -> v1::Transition {
    v1::Transition {
        seq: transition.seq,
        ts: transition.ts.to_string(),
        kind: transition.kind.to_string(),
        service_id: transition.service_id.map(|id| id.to_string()),
        service_name: transition.service_name,
        service_type: transition.service_type.map(|it| it.to_string()),
        from_status: transition.from_status.map(|it| it.to_string()),
        to_status: transition.to_status.map(|it| it.to_string()),
        missed_beats: transition.missed_beats,
        last_seen: transition.last_seen.map(|it| it.to_string()),
        reason: transition.reason,
        from_role: transition.from_role.map(|it| it.to_string()),
        to_role: transition.to_role.map(|it| it.to_string()),
    }
}

fn response(event: Event) -> WatchResponse {
    WatchResponse { event: Some(event) }
}

fn cursor(at: Cursor) -> v1::Cursor {
    v1::Cursor { epoch: at.epoch, index: at.index }
}

fn service(index: u64, Row { record, life }: &Row) -> v1::Service {
    let label =
        |(key, value): (&String, &Option<String>)| v1::Label { key: key.clone(), value: value.clone() };
    v1::Service {
        service_id: record.service_id.to_string(),
        name: record.name.to_string(),
        r#type: record.service_type.to_string(),
        role: record.role.to_string(),
        url: record.url.as_deref().unwrap_or_default().to_owned(),
        caps: record.caps.iter().map(ToString::to_string).collect(),
        labels: record.labels.iter().map(label).collect(),
        ctx_limit: record.ctx_limit,
        cost_hint_usd_per_1k: record.cost_hint_usd_per_1k,
        status: life.status().to_string(),
        status_reasons: life.status_reasons(),
        paused: record.paused,
        verified: life.verified,
        p95_ms: life.measures.p95_ms,
        queue_depth: life.measures.queue_depth,
        load: life.measures.load,
        missed_beats: life.missed,
        index,
        last_heartbeat_at: life.last_beat.to_string(),
    }
}
