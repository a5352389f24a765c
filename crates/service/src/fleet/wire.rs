//! From the registry's protocol to words of our own.

use std::str::FromStr;
use std::sync::Arc;

use pas_proto::registry::v1::{self as proto, watch_response::Event};
use pas_types::registry::ListedService;

use super::Cursor;
use super::watcher::Watched;

/// A message of the watch.
pub(super) fn watched(message: proto::WatchResponse) -> Result<Watched, String> {
    match message.event {
        Some(Event::Snapshot(snapshot)) => Ok(Watched::Snapshot {
            at: cursor(snapshot.at)?,
            services: services(snapshot.services)?,
            last: snapshot.last,
            authoritative: snapshot.authoritative,
        }),
        Some(Event::Changes(changes)) => Ok(Watched::Changes {
            at: cursor(changes.at)?,
            upserted: services(changes.upserted)?,
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

fn services(services: Vec<proto::Service>) -> Result<Vec<Arc<ListedService>>, String> {
    services.into_iter().map(|it| service(it).map(Arc::new)).collect()
}

fn service(service: proto::Service) -> Result<ListedService, String> {
    Ok(ListedService {
        service_id: word("service_id", &service.service_id)?,
        name: service.name,
        service_type: word("type", &service.r#type)?,
        role: word("role", &service.role)?,
        url: Some(service.url).filter(|url| !url.is_empty()),
        caps: service.caps,
        labels: service.labels.into_iter().map(|label| (label.key, label.value)).collect(),
        ctx_limit: service.ctx_limit,
        cost_hint_usd_per_1k: service.cost_hint_usd_per_1k,
        status: word("status", &service.status)?,
        status_reasons: service.status_reasons,
        paused: service.paused,
        verified: service.verified,
        p95_ms: service.p95_ms,
        queue_depth: service.queue_depth,
        load: service.load,
    })
}

fn word<T: FromStr<Err: std::fmt::Display>>(field: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{field}: {error}"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn told(number: u128) -> proto::Service {
        proto::Service {
            service_id: uuid::Uuid::from_u128(number).to_string(),
            name: number.to_string(),
            r#type: "model".to_owned(),
            role: "production".to_owned(),
            status: "ok".to_owned(),
            labels: vec![proto::Label { key: "parent".to_owned(), value: None }],
            ..proto::Service::default()
        }
    }

    /// A service that is known by its number.
    pub(in crate::fleet) fn listed(number: u128) -> ListedService {
        service(told(number)).unwrap()
    }

    #[test]
    fn a_service_is_told_whole() {
        let service = listed(7);
        assert_eq!(
            (service.name.as_str(), service.url.as_deref(), service.label("parent")),
            ("7", None, None)
        );
        assert!(service.labels.contains_key("parent"));
    }

    #[test]
    fn a_message_of_the_watch_that_is_not_whole_is_refused() {
        let at = Some(proto::Cursor { epoch: 1, index: 2 });
        let of = |event| watched(proto::WatchResponse { event });
        assert_eq!(of(None), Err("a message of an unknown kind".to_owned()));
        let nowhere = Event::Progress(proto::Progress { at: None });
        assert_eq!(of(Some(nowhere)), Err("a message without its place".to_owned()));
        let nobody = proto::Service { service_id: "first".to_owned(), ..told(1) };
        let changes = proto::Changes { at, upserted: vec![nobody], removed_service_ids: Vec::new() };
        assert!(of(Some(Event::Changes(changes))).is_err_and(|what| what.starts_with("service_id: ")));
    }
}
