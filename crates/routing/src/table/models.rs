//! The matrix: providers, models, routes.

use std::collections::{BTreeSet, HashMap};

use pas_types::routing::{DataPolicy, Locality};

use super::{Facts, ModelId, Offerer, PolicyId, ProviderId, RouteId, Way, check};
use crate::caps::KNOWN;
use crate::fault::Faults;
use crate::matrix::{DataClaim, Matrix, Model, Provider, Rates, Route};
use crate::price::Listed;

/// Providers, models and routes, each, at the most.
const MOST: usize = 10_000;

pub(super) type Words = HashMap<Box<str>, ModelId>;

/// The models and what they are called.
pub(super) struct Known<'a> {
    pub(super) models: &'a [Facts],
    pub(super) words: &'a Words,
}

pub(super) fn compile(matrix: &Matrix, faults: &mut Faults) -> (Vec<Offerer>, Vec<Facts>, Words) {
    let caps: BTreeSet<&str> =
        KNOWN.into_iter().chain(matrix.capabilities.iter().map(String::as_str)).collect();
    for (place, cap) in matrix.capabilities.iter().enumerate() {
        check::name(faults, &format!("capabilities[{place}]"), cap);
    }
    let count = matrix.providers.iter().map(|provider| provider.models.len().max(1)).sum::<usize>();
    if count > MOST || matrix.routes.len() > MOST {
        faults.add("providers", format!("has more than {MOST} models, or routes: use fewer"));
        return (Vec::new(), Vec::new(), HashMap::new());
    }
    let (mut providers, mut models) = (Vec::<Offerer>::new(), Vec::new());
    let mut words = Names::default();
    // Ids first: an alias that is somebody's id is the alias's fault, wherever it stands.
    for (path, model) in all_models(matrix) {
        words.claim(faults, format!("{path}.id"), &model.id, ModelId(words.ids));
        words.ids += 1;
    }
    for (place, provider) in matrix.providers.iter().enumerate() {
        let path = format!("providers[{place}]");
        check_provider(faults, &path, provider);
        if providers.iter().any(|known| *known.name == *provider.name) {
            faults.add(
                format!("{path}.name"),
                format!("there is another provider `{}`: name it once", provider.name),
            );
        }
        let id = ProviderId(place as u16);
        providers.push(Offerer {
            name: provider.name.as_str().into(),
            locality: provider.locality,
            timeouts: provider.timeouts,
        });
        for (place, model) in provider.models.iter().enumerate() {
            let path = format!("{path}.models[{place}]");
            check_model(faults, &path, model, &caps);
            let own = ModelId(models.len() as u16);
            for (place, alias) in model.aliases.iter().enumerate() {
                words.claim(faults, format!("{path}.aliases[{place}]"), alias, own);
            }
            models.push(facts(provider, id, model));
        }
    }
    (providers, models, words.words)
}

fn all_models(matrix: &Matrix) -> impl Iterator<Item = (String, &Model)> {
    matrix.providers.iter().enumerate().flat_map(|(place, provider)| {
        let path = move |model: usize| format!("providers[{place}].models[{model}]");
        provider.models.iter().enumerate().map(move |(model, it)| (path(model), it))
    })
}

/// Who has which name.
#[derive(Default)]
struct Names {
    ids: u16,
    words: Words,
    places: HashMap<Box<str>, String>,
}

impl Names {
    fn claim(&mut self, faults: &mut Faults, path: String, name: &str, model: ModelId) {
        check::name(faults, &path, name);
        if let Some(other) = self.places.get(name) {
            faults.add(path, format!("`{name}` is named already by {other}: a name leads to one model"));
            return;
        }
        self.places.insert(name.into(), path);
        self.words.insert(name.into(), model);
    }
}

fn check_provider(faults: &mut Faults, path: &str, provider: &Provider) {
    check::name(faults, &format!("{path}.name"), &provider.name);
    check_claim(faults, path, provider.data.as_ref());
    check::timeouts(faults, &format!("{path}.timeouts"), &provider.timeouts);
}

fn check_claim(faults: &mut Faults, path: &str, claim: Option<&DataClaim>) {
    if let Some(claim) = claim {
        check::origin(faults, &format!("{path}.data"), &claim.source, &claim.date);
    }
}

fn check_model(faults: &mut Faults, path: &str, model: &Model, caps: &BTreeSet<&str>) {
    if model.caps.is_empty() {
        faults.add(format!("{path}.caps"), "is empty: name what the model can do, as `infer`");
    }
    let mut seen = BTreeSet::new();
    for (place, cap) in model.caps.iter().enumerate() {
        let path = format!("{path}.caps[{place}]");
        if !caps.contains(cap.as_str()) {
            let known = caps.iter().copied().collect::<Vec<_>>().join(", ");
            faults.add(
                path,
                format!("`{cap}` is no known capability: use one of {known}, or add it to `capabilities`"),
            );
        } else if !seen.insert(cap) {
            faults.add(path, format!("`{cap}` is named twice: name it once"));
        }
    }
    check::positive(faults, &format!("{path}.ctx_limit"), model.ctx_limit);
    check::positive(faults, &format!("{path}.max_output"), model.max_output);
    check::address(faults, path, &model.source);
    check_claim(faults, path, model.data.as_ref());
    check::timeouts(faults, &format!("{path}.timeouts"), &model.timeouts);
    let Some(prices) = &model.prices else { return };
    let path = format!("{path}.prices");
    check::origin(faults, &path, &prices.source, &prices.date);
    if prices.usd_per_million == Rates::default() {
        faults.add(
            format!("{path}.usd_per_million"),
            "has no price at all: use null for `prices` when none is known",
        );
    }
    if let Some(above) = &prices.above {
        check::positive(faults, &format!("{path}.above.input_tokens"), Some(above.input_tokens));
        if above.usd_per_million == Rates::default() {
            faults.add(format!("{path}.above.usd_per_million"), "has no price at all: leave `above` out");
        }
    }
}

fn facts(provider: &Provider, id: ProviderId, model: &Model) -> Facts {
    let claim = model.data.as_ref().or(provider.data.as_ref());
    let data = match provider.locality {
        Locality::Local => DataPolicy::Stays,
        Locality::External => claim.map_or(DataPolicy::Unknown, |claim| claim.policy),
    };
    Facts {
        id: model.id.as_str().into(),
        aliases: model.aliases.iter().map(|alias| alias.as_str().into()).collect(),
        provider: id,
        caps: model.caps.iter().map(|cap| cap.as_str().into()).collect(),
        ctx_limit: model.ctx_limit,
        max_output: model.max_output,
        tier: model.tier,
        price: model.prices.as_ref().map(Listed::of),
        data,
        timeouts: model.timeouts.or(provider.timeouts),
        fallbacks: Vec::new(),
    }
}

pub(super) fn routes(
    matrix: &Matrix,
    known: &Known<'_>,
    policies: &HashMap<Box<str>, PolicyId>,
    faults: &mut Faults,
) -> (Vec<Way>, HashMap<Box<str>, RouteId>) {
    let (mut ways, mut names) = (Vec::new(), HashMap::new());
    for (place, route) in matrix.routes.iter().take(MOST).enumerate() {
        let path = format!("routes[{place}]");
        check::name(faults, &format!("{path}.name"), &route.name);
        if names.insert(route.name.as_str().into(), RouteId(place as u16)).is_some() {
            faults.add(
                format!("{path}.name"),
                format!("there is another route `{}`: name it once", route.name),
            );
        }
        if known.words.contains_key(route.name.as_str()) {
            let message =
                format!("`{}` is a model too, which nobody could ask for then: use another name", route.name);
            faults.add(format!("{path}.name"), message);
        }
        let policy = route.policy.as_deref().and_then(|name| {
            let policy = policies.get(name).copied();
            if policy.is_none() {
                faults.add(format!("{path}.policy"), unknown_policy(name, policies));
            }
            policy
        });
        let models = named_models(faults, &path, route, known);
        check_caps(faults, &path, route, known, &models);
        check::timeouts(faults, &format!("{path}.timeouts"), &route.timeouts);
        ways.push(Way {
            name: route.name.as_str().into(),
            policy,
            require_caps: route.require_caps.clone(),
            models,
            timeouts: route.timeouts,
            fallbacks: Vec::new(),
        });
    }
    (ways, names)
}

fn named_models(faults: &mut Faults, path: &str, route: &Route, known: &Known<'_>) -> Vec<ModelId> {
    let mut models = Vec::new();
    for (place, word) in route.models.iter().enumerate() {
        let path = format!("{path}.models[{place}]");
        match known.words.get(word.as_str()) {
            None => faults.add(path, unknown_model(word)),
            Some(model) if models.contains(model) => {
                faults.add(path, format!("`{word}` is a model that is named already: name it once"));
            }
            Some(model) => models.push(*model),
        }
    }
    models
}

/// A route that no model can go is a mistake: of those that it names, or of all, one must be able to do what it needs.
fn check_caps(faults: &mut Faults, path: &str, route: &Route, known: &Known<'_>, models: &[ModelId]) {
    let among: Vec<&Facts> = if route.models.is_empty() {
        known.models.iter().collect()
    } else {
        models.iter().map(|model| &known.models[model.index()]).collect()
    };
    let has = |model: &Facts, cap: &String| model.caps.iter().any(|have| **have == **cap);
    let mut lacking = false;
    for (place, cap) in route.require_caps.iter().enumerate() {
        if !among.iter().any(|model| has(model, cap)) {
            lacking = true;
            let message =
                format!("none of the route's models has `{cap}`: take it out, or name a model that has it");
            faults.add(format!("{path}.require_caps[{place}]"), message);
        }
    }
    if !lacking && !among.iter().any(|model| route.require_caps.iter().all(|cap| has(model, cap))) {
        let message =
            "none of the route's models has all of them: take some out, or name a model that has them";
        faults.add(format!("{path}.require_caps"), message);
    }
}

pub(super) fn unknown_policy(name: &str, policies: &HashMap<Box<str>, PolicyId>) -> String {
    let mut known: Vec<&str> = policies.keys().map(|name| &**name).collect();
    known.sort_unstable();
    format!("there is no policy `{name}`: use one of {}", known.join(", "))
}

pub(super) fn unknown_model(word: &str) -> String {
    format!("there is no model `{word}`: use the id of one, or an alias")
}
