//! Matrix and policies, judged as a whole and made ready to choose by. Immutable: a change is another table.

mod check;
mod models;
mod policies;
mod rules;

use std::collections::HashMap;

use pas_types::routing::{DataPolicy, Locality, Tier, Versions};
use serde::Serialize;

use crate::fault::{Fault, Faults};
use crate::matrix::{Matrix, TimeLimits};
use crate::policies::{ComplexityRules, Policies, RateLimit};
use crate::price::Listed;
pub(crate) use policies::CompiledPolicy;
pub use rules::{Rules, Timeouts};

/// Characters of a version.
const VERSION_CHARS: usize = 16;

/// The compiled form of matrix and policies.
#[derive(Debug)]
pub struct Table {
    versions: Versions,
    pub(crate) providers: Vec<Offerer>,
    pub(crate) models: Vec<Facts>,
    /// Model by id or alias.
    words: HashMap<Box<str>, ModelId>,
    pub(crate) routes: Vec<Way>,
    route_names: HashMap<Box<str>, RouteId>,
    pub(crate) policies: Vec<CompiledPolicy>,
    policy_names: HashMap<Box<str>, PolicyId>,
    default_policy: PolicyId,
    pub(crate) complexity: ComplexityRules,
    pub(crate) default_timeouts: TimeLimits,
    limits: Vec<RateLimit>,
}

macro_rules! place {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(pub(crate) u16);

            impl $name {
                pub(crate) fn index(self) -> usize {
                    usize::from(self.0)
                }
            }
        )+
    };
}

place! {
    /// A model of a table.
    ModelId,
    /// A named route of a table.
    RouteId,
    /// A policy of a table.
    PolicyId,
    /// A provider of a table.
    ProviderId,
}

/// A provider.
#[derive(Debug)]
pub(crate) struct Offerer {
    pub(crate) name: Box<str>,
    pub(crate) locality: Locality,
    pub(crate) timeouts: TimeLimits,
}

/// What is known of a model.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) id: Box<str>,
    pub(crate) aliases: Vec<Box<str>>,
    pub(crate) provider: ProviderId,
    pub(crate) caps: Vec<Box<str>>,
    pub(crate) ctx_limit: Option<u64>,
    pub(crate) max_output: Option<u64>,
    pub(crate) tier: Tier,
    pub(crate) price: Option<Listed>,
    pub(crate) data: DataPolicy,
    pub(crate) timeouts: TimeLimits,
    /// Those that stand in for it, in this order.
    pub(crate) fallbacks: Vec<ModelId>,
}

/// A named route.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) name: Box<str>,
    pub(crate) policy: Option<PolicyId>,
    pub(crate) require_caps: Vec<String>,
    pub(crate) models: Vec<ModelId>,
    pub(crate) timeouts: TimeLimits,
    /// Those that stand in for its models.
    pub(crate) fallbacks: Vec<ModelId>,
}

impl Table {
    /// Judges both documents whole. Every fault is named with its path; those of the policies begin with their own names.
    pub fn compile(matrix: &Matrix, policies: &Policies) -> Result<Self, Vec<Fault>> {
        let mut faults = Faults::default();
        let (providers, mut models, words) = models::compile(matrix, &mut faults);
        let (compiled, policy_names) = policies::compile(policies, &providers, &mut faults);
        let known = models::Known { models: &models, words: &words };
        let (mut routes, route_names) = models::routes(matrix, &known, &policy_names, &mut faults);
        let chains = policies::fallbacks(policies, &words, &route_names, &mut faults);
        for (model, chain) in chains.models {
            models[model.index()].fallbacks = chain;
        }
        for (route, chain) in chains.routes {
            routes[route.index()].fallbacks = chain;
        }
        let default_policy = policies::default(policies, &policy_names, &mut faults);
        policies::check_rest(policies, &mut faults);
        let prices: Vec<_> = matrix
            .providers
            .iter()
            .flat_map(|provider| {
                provider.models.iter().map(|model| (&provider.name, &model.id, &model.prices))
            })
            .collect();
        let versions =
            Versions { matrix: version(matrix), policies: version(policies), prices: version(&prices) };
        faults.or(Self {
            versions,
            providers,
            models,
            words,
            routes,
            route_names,
            policies: compiled,
            policy_names,
            default_policy,
            complexity: policies.complexity,
            default_timeouts: policies.defaults.timeouts,
            limits: policies.rate_limits.clone(),
        })
    }

    /// What is in it, as short words: equal words, equal content.
    pub fn versions(&self) -> &Versions {
        &self.versions
    }

    /// How many calls, and tokens, may pass; for a [`crate::Limiter`].
    pub fn limits(&self) -> &[RateLimit] {
        &self.limits
    }

    /// The model of this id or alias.
    pub fn model(&self, word: &str) -> Option<ModelId> {
        self.words.get(word).copied()
    }

    /// The id of a model.
    pub fn model_name(&self, model: ModelId) -> &str {
        &self.models[model.index()].id
    }

    /// Other names of a model.
    pub fn aliases(&self, model: ModelId) -> impl Iterator<Item = &str> {
        self.models[model.index()].aliases.iter().map(|alias| &**alias)
    }

    /// The named route.
    pub fn route(&self, name: &str) -> Option<RouteId> {
        self.route_names.get(name).copied()
    }

    /// The name of a route.
    pub fn route_name(&self, route: RouteId) -> &str {
        &self.routes[route.index()].name
    }

    /// The names of all routes.
    pub fn route_names(&self) -> impl Iterator<Item = &str> {
        self.routes.iter().map(|route| &*route.name)
    }

    /// The name of a policy.
    pub fn policy_name(&self, policy: PolicyId) -> &str {
        &self.policies[policy.index()].name
    }

    pub(crate) fn provider(&self, name: &str) -> Option<ProviderId> {
        let place = self.providers.iter().position(|provider| &*provider.name == name)?;
        u16::try_from(place).ok().map(ProviderId)
    }
}

/// A short word for the content of `document`.
fn version<T: Serialize + ?Sized>(document: &T) -> String {
    // Maps are sorted, and what is written is what was read: the text is the same for the same content.
    let text = serde_json::to_vec(document).unwrap_or_default();
    blake3::hash(&text).to_hex()[..VERSION_CHARS].to_owned()
}

#[cfg(test)]
mod tests;
