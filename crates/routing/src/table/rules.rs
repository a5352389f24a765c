//! The rules of one call: what its caller wishes, what the policy says, what holds anyway; in this order.

use std::time::Duration;

use pas_types::Error;
use pas_types::invoke::{Complexity, Delivery, PolicyWish};
use pas_types::money::NanoUsd;
use pas_types::routing::{ContentFilter, PolicyView, Privacy, Tier, Translate, Weights};

use super::{PolicyId, Table, TimeLimits};
use crate::ask::{Ask, Wanted};
use crate::fleet::Candidate;

/// Attempts where nobody says.
const ATTEMPTS: u32 = 3;

/// The rules of one call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// The policy; [`Table::policy_name`] has its name for the receipt.
    pub policy: PolicyId,
    /// How much each preference counts.
    pub weights: Weights,
    /// How hard the task is, if the caller says.
    pub complexity: Option<Complexity>,
    /// What the call may cost.
    pub max_cost: Option<NanoUsd>,
    /// How long all of it may take.
    pub call: Duration,
    /// How often it may be tried.
    pub max_attempts: u32,
    /// Whether another candidate may answer when the first one fails.
    pub fallback: bool,
    /// How a stream is passed on.
    pub delivery: Delivery,
    /// What may be done to a request whose target speaks another dialect.
    pub translate: Translate,
    /// What is kept of the call's content.
    pub privacy: Privacy,
    /// What is done with an answer that a content filter refused.
    pub content_filter: ContentFilter,
    /// Whether an answer is read to its end when the client has gone.
    pub drain: bool,
    /// Limits of time that the policy or the route sets.
    pub(crate) timeouts: TimeLimits,
    /// Whether the caller, the policy or the route says how long the call may take.
    pub(crate) call_said: bool,
}

/// How long each part of a call may take with one candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until a stream brings its first token.
    pub first_token: Duration,
    /// Between two tokens of a stream.
    pub between_tokens: Duration,
    /// All of it.
    pub call: Duration,
}

/// What holds where nobody says otherwise.
const TIMEOUTS: TimeLimits = TimeLimits {
    connect_s: Some(2.0),
    first_token_s: Some(120.0),
    between_tokens_s: Some(60.0),
    call_s: Some(590.0),
};

impl Table {
    /// The rules of a call. Refuses a policy that there isn't.
    pub fn rules(&self, wish: Option<&PolicyWish>, ask: &Ask<'_>) -> Result<Rules, Error> {
        let route = match ask.wanted {
            Wanted::Route(route) => self.routes.get(route.index()),
            _ => None,
        };
        let preferred = wish.and_then(|wish| wish.prefer).map(|prefer| self.named(prefer.as_str()));
        let preferred = preferred.transpose()?;
        let id = match wish.and_then(|wish| wish.name.as_deref()) {
            Some(name) => self.named(name)?,
            None => preferred.or_else(|| route.and_then(|route| route.policy)).unwrap_or(self.default_policy),
        };
        let policy = &self.policies[id.index()];
        let weights = preferred.map_or(policy.weights, |preferred| self.policies[preferred.index()].weights);
        let timeouts = policy.timeouts.or(route.map(|route| route.timeouts).unwrap_or_default());
        let said = wish.and_then(|wish| wish.timeout_s).or(timeouts.call_s);
        let base = self.default_timeouts.or(TIMEOUTS);
        let handling = &policy.handling;
        Ok(Rules {
            policy: id,
            weights,
            complexity: wish.and_then(|wish| wish.complexity),
            max_cost: least(wish.and_then(|wish| wish.max_cost_usd), policy.max_cost),
            call: seconds(said.or(base.call_s)),
            max_attempts: wish
                .and_then(|wish| wish.max_attempts)
                .or(handling.max_attempts)
                .unwrap_or(ATTEMPTS),
            fallback: wish.and_then(|wish| wish.fallback).or(handling.fallback).unwrap_or(true),
            delivery: wish.and_then(|wish| wish.delivery).or(handling.delivery).unwrap_or_default(),
            translate: handling.translate.unwrap_or_default(),
            privacy: handling.privacy.unwrap_or_default(),
            content_filter: handling.content_filter.unwrap_or_default(),
            drain: handling.drain.unwrap_or_default(),
            timeouts,
            call_said: said.is_some(),
        })
    }

    fn named(&self, name: &str) -> Result<PolicyId, Error> {
        self.policy_names.get(name).copied().ok_or_else(|| {
            let mut known: Vec<&str> = self.policies.iter().map(|policy| &*policy.name).collect();
            known.sort_unstable();
            let message = format!("there is no policy `{name}`: use one of {}", known.join(", "));
            Error::invalid("policy.name", message)
        })
    }

    /// How good a model is wanted for this call.
    pub(crate) fn wanted_tier(&self, rules: &Rules, input_tokens: u64) -> Tier {
        let by = &self.complexity;
        match rules.complexity {
            Some(Complexity::Simple) => by.simple,
            Some(Complexity::Standard) => by.standard,
            Some(Complexity::Complex) => by.complex,
            None if input_tokens >= by.complex_from_tokens => by.complex,
            None if input_tokens >= by.standard_from_tokens => by.standard,
            None => by.simple,
        }
    }
}

impl Rules {
    /// How long each part of the call may take with this candidate: as the policy or the route says, else as the matrix
    /// says of the model, else as everywhere. The whole call never gets more than [`Rules::call`].
    pub fn timeouts(&self, table: &Table, candidate: &Candidate) -> Timeouts {
        let of_provider = candidate.provider().map(|provider| table.providers[provider.index()].timeouts);
        let of_model = candidate.facts().map(|model| table.models[model.index()].timeouts);
        let known = of_model.or(of_provider).unwrap_or_default();
        let limits = self.timeouts.or(known).or(table.default_timeouts).or(TIMEOUTS);
        let call = known.call_s.filter(|_| !self.call_said);
        let call = call.map_or(self.call, |limit| seconds(Some(limit)).min(self.call));
        Timeouts {
            connect: seconds(limits.connect_s),
            first_token: seconds(limits.first_token_s),
            between_tokens: seconds(limits.between_tokens_s),
            call,
        }
    }

    /// The rules as people see them.
    pub fn view(&self, table: &Table) -> PolicyView {
        PolicyView {
            name: table.policy_name(self.policy).to_owned(),
            weights: self.weights,
            timeout_s: self.call.as_secs_f64(),
            max_attempts: self.max_attempts,
            fallback: self.fallback,
        }
    }
}

/// The lower of two limits, where there are two.
fn least(one: Option<NanoUsd>, other: Option<NanoUsd>) -> Option<NanoUsd> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn seconds(seconds: Option<f64>) -> Duration {
    seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or_default()
}
