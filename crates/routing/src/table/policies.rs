//! The rules of choice: policies, what stands in for what, limits.

use std::collections::{BTreeMap, HashMap};

use pas_types::invoke::Prefer;
use pas_types::money::NanoUsd;
use pas_types::routing::{DataPolicy, LimitedBy, Locality, Weights};

use super::models::{Words, unknown_model, unknown_policy};
use super::{ModelId, Offerer, PolicyId, RouteId, check};
use crate::fault::Faults;
use crate::matrix::TimeLimits;
use crate::policies::{Handling, Policies, Policy};

/// Scores this far apart are a tie where a policy doesn't say.
const TIE: f64 = 0.01;
/// The share of calls that goes to canaries where nobody says.
const CANARY_SHARE: f64 = 0.05;
/// Policies at the most.
const MOST: usize = 1_000;
/// The greatest weight.
const WEIGHT: f64 = 1_000.0;
/// The greatest limit on calls or tokens.
const LIMIT: u64 = pas_types::limits::TOKENS;

/// A policy, with the defaults filled in.
#[derive(Debug)]
pub(crate) struct CompiledPolicy {
    pub(crate) name: Box<str>,
    pub(crate) weights: Weights,
    pub(crate) tie: f32,
    pub(crate) canary_share: f64,
    /// Rank of each provider of the table; none for those that are no candidates. Empty: no difference is made.
    pub(crate) ranks: Vec<Option<u8>>,
    pub(crate) locality: Option<Locality>,
    pub(crate) data: Option<DataPolicy>,
    pub(crate) max_cost: Option<NanoUsd>,
    pub(crate) timeouts: TimeLimits,
    pub(crate) handling: Handling,
}

pub(super) fn compile(
    policies: &Policies,
    providers: &[Offerer],
    faults: &mut Faults,
) -> (Vec<CompiledPolicy>, HashMap<Box<str>, PolicyId>) {
    if policies.policies.len() > MOST {
        faults.add("policies", format!("has more than {MOST} policies: use fewer"));
        return (Vec::new(), HashMap::new());
    }
    check::timeouts(faults, "defaults.timeouts", &policies.defaults.timeouts);
    check_handling(faults, "defaults.handling", &policies.defaults.handling);
    for prefer in Prefer::ALL {
        if !policies.policies.contains_key(prefer.as_str()) {
            faults.add(format!("policies.{prefer}"), "is missing: a caller can prefer it");
        }
    }
    let (mut compiled, mut names) = (Vec::new(), HashMap::new());
    for (place, (name, policy)) in policies.policies.iter().enumerate() {
        let path = format!("policies.{name}");
        check::name(faults, &path, name);
        check_policy(faults, &path, policy);
        names.insert(name.as_str().into(), PolicyId(place as u16));
        let handling = policy.handling.or(policies.defaults.handling);
        compiled.push(CompiledPolicy {
            name: name.as_str().into(),
            weights: policy.weights,
            tie: policy.tie.unwrap_or(TIE) as f32,
            canary_share: handling.canary_share.unwrap_or(CANARY_SHARE),
            ranks: ranks(faults, &path, policy, providers),
            locality: policy.locality,
            data: policy.data,
            max_cost: policy.max_cost_usd,
            timeouts: policy.timeouts,
            handling,
        });
    }
    (compiled, names)
}

impl Handling {
    fn or(self, there: Self) -> Self {
        Self {
            canary_share: self.canary_share.or(there.canary_share),
            max_attempts: self.max_attempts.or(there.max_attempts),
            fallback: self.fallback.or(there.fallback),
            delivery: self.delivery.or(there.delivery),
            translate: self.translate.or(there.translate),
            privacy: self.privacy.or(there.privacy),
            content_filter: self.content_filter.or(there.content_filter),
            drain: self.drain.or(there.drain),
        }
    }
}

fn check_policy(faults: &mut Faults, path: &str, policy: &Policy) {
    let weights = weights(&policy.weights);
    for (field, weight) in weights {
        check::number(faults, &format!("{path}.weights.{field}"), Some(weight), 0.0, WEIGHT);
    }
    if !weights.iter().any(|(_, weight)| *weight > 0.0) {
        faults.add(format!("{path}.weights"), "weighs nothing: use a number above 0 for at least one");
    }
    check::number(faults, &format!("{path}.tie"), policy.tie, 0.0, 1.0);
    check::timeouts(faults, &format!("{path}.timeouts"), &policy.timeouts);
    check_handling(faults, &format!("{path}.handling"), &policy.handling);
}

fn weights(weights: &Weights) -> [(&'static str, f64); 6] {
    [
        ("latency", weights.latency),
        ("price", weights.price),
        ("locality", weights.locality),
        ("load", weights.load),
        ("quality", weights.quality),
        ("dialect", weights.dialect),
    ]
}

fn check_handling(faults: &mut Faults, path: &str, handling: &Handling) {
    check::number(faults, &format!("{path}.canary_share"), handling.canary_share, 0.0, 1.0);
    let attempts = handling.max_attempts.map(f64::from);
    check::number(faults, &format!("{path}.max_attempts"), attempts, 1.0, pas_types::limits::ATTEMPTS.into());
}

/// The rank of each provider, when the policy makes a difference.
fn ranks(faults: &mut Faults, path: &str, policy: &Policy, providers: &[Offerer]) -> Vec<Option<u8>> {
    let mut ranks = vec![None; if policy.providers.is_empty() { 0 } else { providers.len() }];
    for (place, name) in policy.providers.iter().enumerate() {
        let path = format!("{path}.providers[{place}]");
        match providers.iter().position(|provider| *provider.name == **name) {
            None => {
                let known = providers.iter().map(|provider| &*provider.name).collect::<Vec<_>>().join(", ");
                faults.add(path, format!("the matrix has no provider `{name}`: use one of {known}"));
            }
            Some(provider) if ranks[provider].is_some() => {
                faults.add(path, format!("`{name}` is named twice: name it once"));
            }
            Some(_) if place > usize::from(u8::MAX) => {
                faults.add(path, "is one provider too many: use at most 256")
            }
            Some(provider) => ranks[provider] = Some(place as u8),
        }
    }
    ranks
}

pub(super) fn default(
    policies: &Policies,
    names: &HashMap<Box<str>, PolicyId>,
    faults: &mut Faults,
) -> PolicyId {
    names.get(policies.default.as_str()).copied().unwrap_or_else(|| {
        faults.add("default", unknown_policy(&policies.default, names));
        PolicyId(0)
    })
}

/// What stands in for what.
#[derive(Default)]
pub(super) struct Chains {
    pub(super) models: BTreeMap<ModelId, Vec<ModelId>>,
    pub(super) routes: BTreeMap<RouteId, Vec<ModelId>>,
}

pub(super) fn fallbacks(
    policies: &Policies,
    words: &Words,
    routes: &HashMap<Box<str>, RouteId>,
    faults: &mut Faults,
) -> Chains {
    let mut direct = Chains::default();
    // The path of each model's chain, for the fault of one that comes back to it.
    let mut paths = BTreeMap::new();
    for (key, chain) in &policies.fallbacks {
        let path = format!("fallbacks.{key}");
        let mut models = Vec::new();
        for (place, word) in chain.iter().enumerate() {
            match words.get(word.as_str()) {
                Some(model) => models.push(*model),
                None => faults.add(format!("{path}[{place}]"), unknown_model(word)),
            }
        }
        if let Some(route) = routes.get(key.as_str()) {
            direct.routes.insert(*route, models);
        } else if let Some(model) = words.get(key.as_str()) {
            if direct.models.insert(*model, models).is_some() {
                faults.add(&path, "the same model has another chain, under another of its names: join them");
            }
            paths.insert(*model, path);
        } else {
            faults.add(path, format!("there is no route and no model `{key}`: use the name of one"));
        }
    }
    for (model, path) in &paths {
        if let Some(way) = way_back(*model, &direct.models) {
            let named = |model: &ModelId| paths.get(model).map_or("", |path| &path["fallbacks.".len()..]);
            let way = way.iter().map(named).collect::<Vec<_>>().join(" -> ");
            faults.add(path, format!("comes back to itself: {way}; leave out one of these"));
        }
    }
    let flat = |own: Option<ModelId>, chain: &Vec<ModelId>| flattened(own, chain, &direct.models);
    Chains {
        models: direct.models.iter().map(|(model, chain)| (*model, flat(Some(*model), chain))).collect(),
        routes: direct.routes.iter().map(|(route, chain)| (*route, flat(None, chain))).collect(),
    }
}

/// The way by which a chain comes back to `start`, if it does.
fn way_back(start: ModelId, chains: &BTreeMap<ModelId, Vec<ModelId>>) -> Option<Vec<ModelId>> {
    let mut from = BTreeMap::new();
    let mut open = vec![start];
    while let Some(at) = open.pop() {
        for next in chains.get(&at).into_iter().flatten() {
            if *next == start {
                let mut way = vec![start];
                let mut before = Some(at);
                while let Some(place) = before.filter(|place| *place != start) {
                    way.push(place);
                    before = from.get(&place).copied();
                }
                way.push(start);
                way.reverse();
                return Some(way);
            }
            if from.insert(*next, at).is_none() {
                open.push(*next);
            }
        }
    }
    None
}

/// A chain, then the chains of those in it, none twice.
fn flattened(
    own: Option<ModelId>,
    chain: &[ModelId],
    chains: &BTreeMap<ModelId, Vec<ModelId>>,
) -> Vec<ModelId> {
    let mut flat = Vec::<ModelId>::new();
    let mut round = chain.to_vec();
    while !round.is_empty() {
        round.retain(|model| Some(*model) != own && !flat.contains(model));
        let mut next = Vec::new();
        for model in round {
            if !flat.contains(&model) {
                flat.push(model);
                next.extend(chains.get(&model).into_iter().flatten().copied());
            }
        }
        round = next;
    }
    flat
}

/// What isn't compiled into anything: complexity, limits, budgets.
pub(super) fn check_rest(policies: &Policies, faults: &mut Faults) {
    let rules = &policies.complexity;
    if rules.standard_from_tokens > rules.complex_from_tokens {
        let message = format!(
            "is {}, which is more than complex_from_tokens, {}: use at most that",
            rules.standard_from_tokens, rules.complex_from_tokens
        );
        faults.add("complexity.standard_from_tokens", message);
    }
    for (place, limit) in policies.rate_limits.iter().enumerate() {
        let path = format!("rate_limits[{place}]");
        if limit.requests.is_none() && limit.tokens.is_none() {
            faults.add(&path, "limits nothing: name `requests`, `tokens`, or both");
        }
        for (field, most) in [("requests", limit.requests), ("tokens", limit.tokens)] {
            if most.is_some_and(|most| !(1..=LIMIT).contains(&most)) {
                faults.add(
                    format!("{path}.{field}"),
                    format!("is out of range: use a number from 1 to {LIMIT}"),
                );
            }
        }
        if limit.per == LimitedBy::Global && limit.name.is_some() {
            faults
                .add(format!("{path}.name"), "names one of all together: leave it out, or use another `per`");
        }
    }
    if let Some(budgets) = &policies.budgets {
        refuse_budgets(budgets, faults);
    }
}

/// What is declared and not kept would be worse than nothing.
fn refuse_budgets(budgets: &serde_json::Value, faults: &mut Faults) {
    let message = "the token governor does not exist yet: nobody would keep it; take it out";
    match budgets {
        serde_json::Value::Object(map) => {
            map.keys().for_each(|name| faults.add(format!("budgets.{name}"), message));
        }
        serde_json::Value::Array(list) => {
            (0..list.len()).for_each(|place| faults.add(format!("budgets[{place}]"), message));
        }
        serde_json::Value::Null => {}
        _ => faults.add("budgets", message),
    }
}
