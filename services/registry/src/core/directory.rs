//! The ordered indexes behind discovery: a page costs what the page holds, not what the registry holds.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use pas_types::id::ServiceId;
use pas_types::registry::{Role, ServiceType};
use uuid::Uuid;

use super::row::Record;

/// The place of a service in every list: sorted by name, then id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) name: Arc<str>,
    pub(crate) id: ServiceId,
}

impl Place {
    pub(crate) fn of(record: &Record) -> Self {
        Self { name: record.name.clone(), id: record.service_id }
    }

    fn before_all_of(name: &str) -> Self {
        Self { name: name.into(), id: ServiceId(Uuid::nil()) }
    }
}

type Kind = (Option<ServiceType>, Option<Role>);

#[derive(Debug, Default)]
pub(crate) struct Directory {
    by_cap: HashMap<Arc<str>, BTreeSet<Place>>,
    /// Under its type and role, under each alone, and under neither.
    by_kind: HashMap<Kind, BTreeSet<Place>>,
}

impl Directory {
    /// Replaces the words in `caps` by shared ones where they are known.
    pub(crate) fn share_words(&self, caps: &mut [Arc<str>]) {
        for cap in caps {
            if let Some((known, _)) = self.by_cap.get_key_value(cap) {
                *cap = known.clone();
            }
        }
    }

    pub(crate) fn insert(&mut self, record: &Record) {
        let place = Place::of(record);
        for cap in &record.caps {
            self.by_cap.entry(cap.clone()).or_default().insert(place.clone());
        }
        for kind in kinds(record) {
            self.by_kind.entry(kind).or_default().insert(place.clone());
        }
    }

    pub(crate) fn remove(&mut self, record: &Record) {
        let place = Place::of(record);
        for cap in &record.caps {
            remove_from(&mut self.by_cap, cap, &place);
        }
        for kind in kinds(record) {
            remove_from(&mut self.by_kind, &kind, &place);
        }
    }

    /// A superset of what fits, as small as one index gives it, in order, from behind `after` on.
    pub(crate) fn candidates<'a>(
        &'a self,
        kind: Kind,
        caps: &[String],
        name: Option<&'a str>,
        after: Option<Place>,
    ) -> impl Iterator<Item = &'a Place> {
        let sets = caps.iter().map(|cap| self.by_cap.get(cap.as_str())).chain([self.by_kind.get(&kind)]);
        let smallest =
            sets.collect::<Option<Vec<_>>>().and_then(|sets| sets.into_iter().min_by_key(|set| set.len()));
        let from_name = name.map(Place::before_all_of);
        let start = match (after, from_name) {
            (Some(after), Some(name)) if name > after => Bound::Included(name),
            (Some(after), _) => Bound::Excluded(after),
            (None, Some(name)) => Bound::Included(name),
            (None, None) => Bound::Unbounded,
        };
        smallest
            .into_iter()
            .flat_map(move |set| set.range((start.clone(), Bound::Unbounded)))
            .take_while(move |place| name.is_none_or(|name| name == &*place.name))
    }

    /// Every service of a name.
    pub(crate) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = ServiceId> + 'a {
        self.candidates((None, None), &[], Some(name), None).map(|place| place.id)
    }
}

fn kinds(record: &Record) -> [Kind; 4] {
    let (service_type, role) = (Some(record.service_type), Some(record.role));
    [(service_type, role), (service_type, None), (None, role), (None, None)]
}

fn remove_from<K, Q>(index: &mut HashMap<K, BTreeSet<Place>>, key: &Q, place: &Place)
where
    K: std::borrow::Borrow<Q> + Eq + std::hash::Hash,
    Q: Eq + std::hash::Hash + ?Sized,
{
    if let Some(places) = index.get_mut(key) {
        places.remove(place);
        if places.is_empty() {
            index.remove(key);
        }
    }
}
