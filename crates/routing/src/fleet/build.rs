//! From services to candidates.

use std::collections::HashMap;
use std::sync::Arc;

use pas_types::invoke::TargetType;
use pas_types::registry::{Role, ServiceType, Status};
use pas_types::routing::{DataPolicy, Locality, Tier};

use super::{Candidate, Fleet, Hot, Service, flag};
use crate::caps::{BITS, Caps, Dictionary};
use crate::dialect::Dialects;
use crate::price::Price;
use crate::table::{Facts, ModelId, ProviderId, Table};

/// Models of one service, at the most; its label has room for more.
const MODELS: usize = 1_000;
/// Candidates in all: two services in three have one model, and the rest must stay bounded too.
const CANDIDATES: usize = 200_000;
/// The latency that is worth half.
const HALF_LATENCY_MS: f64 = 1_000.0;
/// The greatest share of turns that a service may ask for by its label `weight`.
const WEIGHT: u32 = 1_000;
/// What is not known counts as the middle.
const MIDDLE: f32 = 0.5;
/// What a score is worth when the service is degraded, and when it has not beaten since the registry started.
const DEGRADED: f32 = 0.7;
const UNVERIFIED: f32 = 0.8;

impl Fleet {
    /// Makes it of what is registered. Parts of PAS (type `service`) are nobody's target.
    pub fn build(table: Arc<Table>, mut services: Vec<Arc<Service>>) -> Self {
        // The same services in another order are the same fleet.
        services.sort_by_key(|service| (type_of(service), service.service_id));
        let mut fleet = Self {
            serving: vec![Vec::new(); table.models.len()],
            table,
            candidates: Vec::with_capacity(services.len()),
            hot: Vec::with_capacity(services.len()),
            types: [0..0, 0..0, 0..0],
            dictionary: Dictionary::default(),
            having: Vec::new(),
            others: HashMap::new(),
            names: HashMap::new(),
            long_from: u64::MAX,
        };
        for service in &services {
            let Some(target_type) = type_of(service) else { continue };
            let begin = fleet.candidates.len() as u32;
            fleet.add_service(service, target_type);
            let places = &mut fleet.types[target_type as usize];
            let begin = if places.start == places.end { begin } else { places.start };
            *places = begin..fleet.candidates.len() as u32;
        }
        let long_from = fleet.candidates.iter().filter_map(|candidate| candidate.price.long_from()).min();
        fleet.long_from = long_from.unwrap_or(u64::MAX);
        fleet
    }

    fn add_service(&mut self, service: &Arc<Service>, target_type: TargetType) {
        let own: Arc<str> = service.name.as_str().into();
        let listed = service.label("models").filter(|_| target_type == TargetType::Model);
        let mut models: Vec<&str> =
            listed.into_iter().flat_map(|list| list.split(',')).map(str::trim).collect();
        models.retain(|model| !model.is_empty());
        models.truncate(MODELS);
        let first = self.candidates.len();
        for model in &models {
            if self.candidates[first..].iter().all(|candidate| &*candidate.model != *model) {
                self.add(service, target_type, &own, (*model).into());
            }
        }
        if self.candidates.len() == first {
            self.add(service, target_type, &own, Arc::clone(&own));
        }
    }

    fn add(&mut self, service: &Arc<Service>, target_type: TargetType, name: &Arc<str>, model: Arc<str>) {
        if self.candidates.len() >= CANDIDATES {
            return;
        }
        let place = self.candidates.len() as u32;
        let known = match target_type {
            TargetType::Model => self.table.model(&model),
            TargetType::Tool | TargetType::Agent => None,
        };
        let names = self.names.entry(Arc::clone(name)).or_default();
        let is_first = names
            .last()
            .is_none_or(|last| self.candidates[*last as usize].service.service_id != service.service_id);
        names.push(place);
        match known {
            Some(known) => self.serving[known.index()].push(place),
            None if target_type == TargetType::Model => {
                self.others.entry(Arc::clone(&model)).or_default().push(place);
            }
            None => {}
        }
        let candidate = candidate(&self.table, service, model, known);
        let (caps, more) = self.learn_caps(place, service, candidate.facts);
        let mut hot = hot(&candidate, caps);
        hot.flags |= if is_first { flag::FIRST } else { 0 } | if more { flag::MORE_CAPS } else { 0 };
        self.hot.push(hot);
        self.candidates.push(candidate);
    }

    /// What it can do: as the matrix says, else as it says itself. Answers also whether that is more than there are bits.
    fn learn_caps(&mut self, place: u32, service: &Service, facts: Option<ModelId>) -> (Caps, bool) {
        let table = Arc::clone(&self.table);
        let of_facts = facts.map(|model| table.models[model.index()].caps.iter().map(|cap| &**cap));
        let of_service = service.caps.iter().map(String::as_str).filter(|_| facts.is_none());
        let (mut caps, mut more) = (Caps::default(), false);
        for cap in of_facts.into_iter().flatten().chain(of_service) {
            let number = self.dictionary.learn(cap);
            if number < BITS {
                caps.0 |= 1 << number;
            } else {
                more = true;
            }
            if self.having.len() <= number as usize {
                self.having.resize_with(number as usize + 1, Vec::new);
            }
            let having = &mut self.having[number as usize];
            if having.last() != Some(&place) {
                having.push(place);
            }
        }
        (caps, more)
    }
}

fn type_of(service: &Service) -> Option<TargetType> {
    match service.service_type {
        ServiceType::Model => Some(TargetType::Model),
        ServiceType::Tool => Some(TargetType::Tool),
        ServiceType::Agent => Some(TargetType::Agent),
        ServiceType::Service => None,
    }
}

fn candidate(table: &Table, service: &Arc<Service>, model: Arc<str>, known: Option<ModelId>) -> Candidate {
    let facts = known.filter(|known| is_meant(table, service, &table.models[known.index()]));
    let what = facts.map(|model| &table.models[model.index()]);
    let provider = match service.label("provider") {
        Some(name) => table.provider(name),
        None => what.map(|what| what.provider),
    };
    let locality = locality(table, service, provider);
    let model_id = known.map_or_else(|| Arc::clone(&model), |known| table.model_name(known).into());
    Candidate {
        key: key(service, &model),
        dialects: Dialects::read(service.label("dialects")),
        locality,
        data: match (locality, what) {
            (Locality::Local, _) => DataPolicy::Stays,
            (Locality::External, what) => what.map_or(DataPolicy::Unknown, |what| what.data),
        },
        tier: what.map(|what| what.tier).or_else(|| service.label("tier")?.parse().ok()),
        price: price(service, locality, what),
        ctx_limit: ctx_limit(service, &model, what),
        max_output: what.and_then(|what| what.max_output),
        weight: service.label("weight").and_then(|word| word.parse().ok()).unwrap_or(1).clamp(1, WEIGHT),
        service: Arc::clone(service),
        model,
        model_id,
        facts,
        provider,
    }
}

/// Whether what the table knows of a model of this name is about this one: a model that its service says to be of another
/// provider, or to run elsewhere, has only the name.
fn is_meant(table: &Table, service: &Service, what: &Facts) -> bool {
    let offerer = &table.providers[what.provider.index()];
    if let Some(name) = service.label("provider") {
        return name == &*offerer.name;
    }
    let said = service.label("locality").and_then(|word| word.parse::<Locality>().ok());
    said.is_none_or(|said| said == offerer.locality)
}

fn locality(table: &Table, service: &Service, provider: Option<ProviderId>) -> Locality {
    let said = service.label("locality").and_then(|word| word.parse().ok());
    // A door to a provider elsewhere stands on this machine, and is not there.
    let of_provider = || provider.map(|provider| table.providers[provider.index()].locality);
    let by_address = if is_on_loopback(service) { Locality::Local } else { Locality::External };
    said.or_else(of_provider).unwrap_or(by_address)
}

/// Whether it is reached without leaving this machine.
fn is_on_loopback(service: &Service) -> bool {
    let parsed = service.url.as_deref().and_then(|url| url::Url::parse(url).ok());
    parsed.is_some_and(|url| match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    })
}

/// What fits the context: as the matrix says, or the service; and never more than the service says of this very model, since
/// a server on this machine gives it what it was started with.
fn ctx_limit(service: &Service, model: &str, what: Option<&Facts>) -> Option<u64> {
    let known = what.and_then(|what| what.ctx_limit);
    let pairs = service.label("ctx_limits").into_iter().flat_map(|list| list.split(','));
    let mut pairs = pairs.filter_map(|pair| pair.trim().rsplit_once('='));
    let said = pairs.find(|(of, _)| *of == model).and_then(|(_, tokens)| tokens.parse().ok());
    match (known, said) {
        (Some(known), Some(said)) => Some(u64::min(known, said)),
        (known, said) => known.or(said).or(service.ctx_limit),
    }
}

fn price(service: &Service, locality: Locality, what: Option<&Facts>) -> Price {
    if let Some(listed) = what.and_then(|what| what.price) {
        return Price::Listed(listed);
    }
    match (locality, service.cost_hint_usd_per_1k) {
        // Of a model that the matrix knows, only the matrix says what it costs.
        (_, Some(hint)) if what.is_none() => Price::of_hint(hint),
        (Locality::Local, _) => Price::Free,
        (Locality::External, _) => Price::Unknown,
    }
}

fn key(service: &Service, model: &str) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(service.service_id.0.as_bytes());
    hasher.update(model.as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(bytes)
}

fn hot(candidate: &Candidate, caps: Caps) -> Hot {
    let service = &candidate.service;
    // What a service says of itself may be anything.
    let measure = |value: Option<f64>| value.filter(|value| value.is_finite() && *value >= 0.0);
    let p95 = measure(service.p95_ms);
    let queue = service.queue_depth.map(|calls| calls as f64 / 10.0);
    let load = match (measure(service.load), queue) {
        (None, None) => None,
        (load, queue) => Some(load.unwrap_or_default() + queue.unwrap_or_default()),
    };
    let is_degraded = service.status == Status::Degraded;
    let mut flags = 0;
    for (flag, is) in [
        (flag::URL, service.url.as_deref().is_some_and(|url| !url.is_empty())),
        (flag::PAUSED, service.paused),
        (flag::DOWN, service.status == Status::Down),
        (flag::LOCAL, candidate.locality == Locality::Local),
    ] {
        flags |= if is { flag } else { 0 };
    }
    let (usd_in, usd_out) = candidate.price.per_token(0).unwrap_or((f64::INFINITY, f64::INFINITY));
    Hot {
        caps,
        ctx_limit: candidate.ctx_limit.unwrap_or(u64::MAX),
        max_output: candidate.max_output.unwrap_or(u64::MAX),
        p95_ms: p95.map_or(0.0, |p95| p95 as f32),
        latency: p95.map_or(MIDDLE, |p95| (HALF_LATENCY_MS / (HALF_LATENCY_MS + p95)) as f32),
        load: load.map_or(MIDDLE, |load| (1.0 / (1.0 + load)) as f32),
        health: if is_degraded { DEGRADED } else { 1.0 } * if service.verified { 1.0 } else { UNVERIFIED },
        usd_in,
        usd_out,
        role: role_bit(service.role),
        tier: candidate.tier.map_or(Tier::ALL.len() as u8, |tier| tier as u8),
        data: candidate.data,
        dialects: candidate.dialects,
        flags,
        provider: candidate.provider,
    }
}

/// A role as a bit.
pub(crate) const fn role_bit(role: Role) -> u8 {
    1 << role as u8
}
