//! A question, prepared once, and asked of each candidate.

use pas_types::invoke::TargetType;
use pas_types::money::NanoUsd;
use pas_types::registry::Role;
use pas_types::routing::{DataPolicy, Dialect, Exclusion, Locality, Tier};

use super::{Held, Parts};
use crate::ask::{Ask, Wanted};
use crate::caps::{BITS, Caps};
use crate::dialect::Speaks;
use crate::fleet::{Fleet, Hot, flag, role_bit};
use crate::table::{CompiledPolicy, Rules, Table};

/// Tokens of an answer, where the request doesn't say how many it may have.
const ASSUMED_OUTPUT: u64 = 512;
/// What a call costs whose price is worth half, in dollars.
const HALF_PRICE: f64 = 0.01;

/// A question, prepared.
#[derive(Debug)]
pub(super) struct Query<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) ask: Ask<'a>,
    pub(super) policy: &'a CompiledPolicy,
    /// Capabilities that have a bit.
    pub(super) required: Caps,
    /// The numbers of those that have none.
    pub(super) required_more: Vec<u32>,
    /// There is one that nobody has.
    pub(super) impossible: bool,
    /// The roles that will do, as bits.
    pub(super) roles: u8,
    pub(super) context: u64,
    pub(super) max_cost: Option<NanoUsd>,
    pub(super) fallback: bool,
    deadline_ms: f32,
    speaks: Speaks,
    least_careful: DataPolicy,
    long: bool,
    weights: Parts,
    quality: [f32; Tier::ALL.len() + 1],
}

impl<'a> Query<'a> {
    pub(super) fn new(fleet: &'a Fleet, ask: &Ask<'a>, rules: &Rules) -> Self {
        let table: &'a Table = fleet.table();
        let policy = &table.policies[rules.policy.index()];
        let mut query = Self {
            fleet,
            ask: *ask,
            policy,
            required: implied(fleet, ask),
            required_more: Vec::new(),
            impossible: false,
            roles: roles(fleet, ask),
            context: ask.input_tokens.saturating_add(ask.output_tokens.unwrap_or_default()),
            max_cost: rules.max_cost,
            fallback: rules.fallback,
            deadline_ms: ask.deadline.map_or(f32::INFINITY, |left| left.as_secs_f32() * 1e3),
            speaks: ask.speaks,
            least_careful: policy.data.unwrap_or(DataPolicy::Unknown),
            long: ask.input_tokens > fleet.long_from,
            weights: normalised(rules),
            quality: quality(table.wanted_tier(rules, ask.input_tokens)),
        };
        named_caps(table, ask).for_each(|cap| query.require(cap));
        query
    }

    /// The capabilities that are asked for by name, by the caller or the route.
    pub(super) fn named_caps(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        named_caps(self.fleet.table(), &self.ask)
    }

    fn require(&mut self, cap: &str) {
        match self.fleet.dictionary.number(cap) {
            Some(number) if number < BITS => self.required.0 |= 1 << number,
            Some(number) => self.required_more.push(number),
            None => self.impossible = true,
        }
    }

    /// The places of those who have the rarest of the required capabilities, if any is required.
    pub(super) fn rarest(&self) -> Option<&'a [u32]> {
        if self.impossible {
            return Some(&[]);
        }
        let bits = self.required.0;
        let with_bit = (0..BITS).filter(move |number| bits >> number & 1 == 1);
        let numbers = with_bit.chain(self.required_more.iter().copied());
        numbers.map(|number| self.fleet.having(number)).min_by_key(|having| having.len())
    }

    /// Whether a model is asked for.
    pub(super) fn wants_model(&self) -> bool {
        self.ask.target_type == TargetType::Model
    }

    /// Whether canaries get no more than their share: when nobody asks for them.
    pub(super) fn splits_canaries(&self) -> bool {
        self.ask.role.is_none() && self.wants_model() && self.roles != u8::MAX
    }

    /// Why this one won't do, from what everybody can know; none if it will, and the dialect in which then.
    #[inline]
    pub(super) fn exclude(&self, index: u32, hot: &Hot) -> Result<(Dialect, bool), Held> {
        let no = |code| Err(Held { code, until: None });
        if self.lacks_caps(index, hot) {
            return no(Exclusion::Caps);
        }
        if let Some(agent) = self.ask.agent
            && self.ask.target_type == TargetType::Agent
            && self.fleet.candidates()[index as usize].service.name == agent
        {
            return no(Exclusion::Caller);
        }
        if hot.role & self.roles == 0 {
            return no(Exclusion::Role);
        }
        if self.ask.labels.is_some() && self.other_label(index).is_some() {
            return no(Exclusion::Labels);
        }
        if !hot.is(flag::URL) {
            return no(Exclusion::Url);
        }
        if !self.policy_admits(hot) {
            return no(Exclusion::Policy);
        }
        if hot.data > self.least_careful {
            return no(Exclusion::Data);
        }
        let Some(served) = hot.dialects.and_then(|dialects| dialects.serve(self.speaks)) else {
            return no(Exclusion::Dialect);
        };
        if self.context > hot.ctx_limit {
            return no(Exclusion::Context);
        }
        if self.ask.output_tokens.is_some_and(|output| output > hot.max_output) {
            return no(Exclusion::Output);
        }
        if self.max_cost.is_some_and(|max| self.cost(index).usd.is_none_or(|usd| usd > max)) {
            return no(Exclusion::Price);
        }
        if self.ask.tried.contains(&index) {
            return no(Exclusion::Tried);
        }
        if hot.is(flag::PAUSED) {
            return no(Exclusion::Paused);
        }
        if hot.is(flag::DOWN) {
            return no(Exclusion::Status);
        }
        if hot.p95_ms > self.deadline_ms {
            return no(Exclusion::Latency);
        }
        Ok(served)
    }

    fn lacks_caps(&self, index: u32, hot: &Hot) -> bool {
        self.impossible
            || !hot.caps.has(self.required)
            || (!self.required_more.is_empty() && self.lacks_more(index, hot))
    }

    fn lacks_more(&self, index: u32, hot: &Hot) -> bool {
        let has = |number: &u32| self.fleet.having(*number).binary_search(&index).is_ok();
        !hot.is(flag::MORE_CAPS) || !self.required_more.iter().all(has)
    }

    /// A label that is another than the one that is wanted.
    pub(super) fn other_label(&self, index: u32) -> Option<(&'a str, &'a str)> {
        let labels = &self.fleet.candidates()[index as usize].service.labels;
        let is_other = |key: &str, value: &str| labels.get(key).and_then(Option::as_deref) != Some(value);
        let mut wanted = self.ask.labels.into_iter().flatten();
        wanted.find(|(key, value)| is_other(key, value)).map(|(key, value)| (key.as_str(), value.as_str()))
    }

    fn policy_admits(&self, hot: &Hot) -> bool {
        let at_home = match self.policy.locality {
            None => true,
            Some(Locality::Local) => hot.is(flag::LOCAL),
            Some(Locality::External) => !hot.is(flag::LOCAL),
        };
        at_home && (self.policy.ranks.is_empty() || self.provider_rank(hot).is_some())
    }

    fn provider_rank(&self, hot: &Hot) -> Option<u8> {
        self.policy.ranks.get(hot.provider?.index()).copied().flatten()
    }

    /// What puts some before others whatever their scores: from 0 on, the less the sooner.
    #[inline]
    pub(super) fn precedence(&self, hot: &Hot) -> u8 {
        if self.policy.ranks.is_empty() { 0 } else { self.provider_rank(hot).unwrap_or(u8::MAX) }
    }

    /// How well it fits, from 0 to 1.
    #[inline]
    pub(super) fn score(&self, index: u32, hot: &Hot, own_dialect: bool) -> f32 {
        let parts = self.parts_of(index, hot, own_dialect);
        let weights = &self.weights;
        let sum = parts.latency * weights.latency
            + parts.price * weights.price
            + parts.locality * weights.locality
            + parts.load * weights.load
            + parts.quality * weights.quality
            + parts.dialect * weights.dialect;
        sum * hot.health
    }

    #[inline]
    fn parts_of(&self, index: u32, hot: &Hot, own_dialect: bool) -> Parts {
        let (usd_in, usd_out) = if self.long { self.long_price(index) } else { (hot.usd_in, hot.usd_out) };
        let output = self.ask.output_tokens.unwrap_or(ASSUMED_OUTPUT);
        // What is not known is infinite, and worth nothing; none of it would yet be no number at all.
        let usd = usd_in * self.ask.input_tokens.max(1) as f64 + usd_out * output.max(1) as f64;
        Parts {
            latency: hot.latency,
            price: (HALF_PRICE / (HALF_PRICE + usd)) as f32,
            locality: if hot.is(flag::LOCAL) { 1.0 } else { 0.0 },
            load: hot.load,
            quality: self.quality[usize::from(hot.tier)],
            dialect: if own_dialect { 1.0 } else { 0.0 },
        }
    }

    /// How well one that will do fits by each preference.
    pub(super) fn parts(&self, index: u32) -> Parts {
        let hot = &self.fleet.hot[index as usize];
        let own = hot.dialects.and_then(|dialects| dialects.serve(self.speaks)).is_some_and(|(_, own)| own);
        self.parts_of(index, hot, own)
    }

    #[cold]
    fn long_price(&self, index: u32) -> (f64, f64) {
        let price = &self.fleet.candidates()[index as usize].price;
        price.per_token(self.ask.input_tokens).unwrap_or((f64::INFINITY, f64::INFINITY))
    }

    /// What the call would cost.
    pub(super) fn cost(&self, index: u32) -> pas_types::event::CallCost {
        let output = self.ask.output_tokens.unwrap_or(ASSUMED_OUTPUT);
        self.fleet.candidates()[index as usize].price.estimate(self.ask.input_tokens, output)
    }
}

/// What the request itself needs. Of a model that the matrix doesn't know, and that is asked for by its name, only its server knows
/// whether it has that: what a service says of all of its models is no reason to refuse.
fn implied(fleet: &Fleet, ask: &Ask<'_>) -> Caps {
    match ask.wanted {
        Wanted::Other(word)
            if ask.target_type == TargetType::Model && !fleet.serving_other(word).is_empty() =>
        {
            Caps::default()
        }
        _ => ask.needs.caps(),
    }
}

fn named_caps<'a>(table: &'a Table, ask: &Ask<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    let (listed, of_route) = match ask.wanted {
        Wanted::Caps(caps) => (Some(caps), &[][..]),
        Wanted::Route(route) => (None, table.routes[route.index()].require_caps.as_slice()),
        _ => (None, &[][..]),
    };
    let listed = listed.into_iter().flat_map(|caps| caps.split(','));
    ask.caps.iter().chain(of_route).map(String::as_str).chain(listed)
}

/// The roles that will do, as bits. Models in production and canaries are what is offered to those who name none.
fn roles(fleet: &Fleet, ask: &Ask<'_>) -> u8 {
    let names_service = match ask.wanted {
        Wanted::Other(word) => fleet.serving_other(word).is_empty(),
        _ => false,
    };
    match (ask.role, ask.target_type) {
        (Some(role), _) => role_bit(role),
        (None, TargetType::Model) if ask.name.is_none() && !names_service => {
            role_bit(Role::Production) | role_bit(Role::Canary)
        }
        (None, _) => u8::MAX,
    }
}

/// The weights, so that their sum is 1.
fn normalised(rules: &Rules) -> Parts {
    let weights = &rules.weights;
    let sum =
        weights.latency + weights.price + weights.locality + weights.load + weights.quality + weights.dialect;
    let share = |weight: f64| if sum > 0.0 { (weight / sum) as f32 } else { 0.0 };
    Parts {
        latency: share(weights.latency),
        price: share(weights.price),
        locality: share(weights.locality),
        load: share(weights.load),
        quality: share(weights.quality),
        dialect: share(weights.dialect),
    }
}

/// What each tier is worth when `wanted` is: better is worth a little more, and worse a lot less. The last is of those of
/// whom nobody has said how good they are.
fn quality(wanted: Tier) -> [f32; Tier::ALL.len() + 1] {
    let mut worth = [0.5; Tier::ALL.len() + 1];
    for tier in Tier::ALL {
        let above = tier as i32 - wanted as i32;
        worth[tier as usize] = if above >= 0 { 0.8 + 0.1 * above as f32 } else { 0.75 + 0.25 * above as f32 };
    }
    worth
}
