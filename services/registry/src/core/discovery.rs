//! Discovery: who fits a query, a page at a time.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use pas_types::id::ServiceId;
use pas_types::registry::{DiscoveryPage, DiscoveryQuery, Status};
use pas_types::time::Now;
use uuid::Uuid;

use super::directory::Place;
use super::{Registry, Room, Row};
use crate::error::Refusal;

/// A page of services, not yet in words.
#[derive(Debug)]
pub struct Page {
    rows: Vec<Row>,
    next_cursor: Option<String>,
    index: u64,
    epoch: u64,
}

impl Page {
    /// The page as it is told.
    pub fn into_answer(self, now: Now) -> DiscoveryPage {
        DiscoveryPage {
            services: self.rows.iter().map(|row| row.view(now)).collect(),
            next_cursor: self.next_cursor,
            index: self.index,
            registry_epoch: self.epoch,
        }
    }
}

impl Registry {
    /// The services that fit `query`, sorted by name and id. A page of heavy services ends before its limit.
    pub fn discover(&self, query: &DiscoveryQuery) -> Result<Page, Refusal> {
        query.validate()?;
        let after = query.cursor.as_deref().map(|cursor| decode(cursor, query)).transpose()?;
        let kind = (query.service_type, query.role);
        let limit = query.page_size();
        let mut fitting = self
            .directory
            .candidates(kind, &query.cap, query.name.as_deref(), after)
            .filter_map(|place| Some((place, self.services.get(&place.id)?)))
            .filter(|(_, row)| fits(row, query));
        let mut room = Room::new(limit);
        let mut rows = Vec::new();
        let mut last = None;
        while room.is_left()
            && let Some((place, row)) = fitting.next()
        {
            room.take(row.weight());
            rows.push(row.clone());
            last = Some(place);
        }
        let next_cursor = last.filter(|_| fitting.next().is_some()).map(|place| encode(place, query));
        Ok(Page { rows, next_cursor, index: self.changes.settled(), epoch: self.epoch })
    }
}

fn fits(row: &Row, query: &DiscoveryQuery) -> bool {
    let record = &row.record;
    let usable = |status| matches!(status, Status::Ok | Status::Degraded);
    query.service_type.is_none_or(|wanted| wanted == record.service_type)
        && query.role.is_none_or(|wanted| wanted == record.role)
        && query.cap.iter().all(|wanted| record.caps.iter().any(|cap| **cap == **wanted))
        && query.name.as_deref().is_none_or(|wanted| wanted == &*record.name)
        && query
            .label
            .iter()
            .all(|(key, wanted)| record.labels.get(key).and_then(Option::as_ref) == Some(wanted))
        && query.status.map_or_else(|| usable(row.life.status()), |wanted| wanted.admits(row.life.status()))
}

/// A cursor is the place of a page's last row, sealed with the filters that it belongs to.
fn encode(place: &Place, query: &DiscoveryQuery) -> String {
    let seal = seal(place, query).to_be_bytes();
    let id = place.id.0.into_bytes();
    let bytes = seal.iter().chain(&id).chain(place.name.as_bytes());
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

fn decode(cursor: &str, query: &DiscoveryQuery) -> Result<Place, Refusal> {
    parse(cursor)
        .filter(|(sealed, place)| *sealed == seal(place, query))
        .map_or(Err(Refusal::UnknownCursor), |(_, place)| Ok(place))
}

fn parse(cursor: &str) -> Option<(u64, Place)> {
    let digits = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let (pairs, []) = cursor.as_bytes().as_chunks::<2>() else { return None };
    let bytes: Vec<u8> = pairs.iter().map(|pair| digits(pair)).collect::<Option<_>>()?;
    let (sealed, rest) = bytes.split_first_chunk::<8>()?;
    let (id, name) = rest.split_first_chunk::<16>()?;
    let place = Place { name: std::str::from_utf8(name).ok()?.into(), id: ServiceId(Uuid::from_bytes(*id)) };
    Some((u64::from_be_bytes(*sealed), place))
}

fn seal(place: &Place, query: &DiscoveryQuery) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&place.name, place.id).hash(&mut hasher);
    (query.service_type, query.role, &query.cap, &query.name, &query.label).hash(&mut hasher);
    query.status.map(|status| status as u8).hash(&mut hasher);
    hasher.finish()
}
