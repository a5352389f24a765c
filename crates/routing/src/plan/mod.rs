//! The choice: who is asked, in which order, and who is not, and why.

mod query;
mod refusal;
mod scan;
mod turns;
mod words;

use std::time::Duration;

use pas_types::Error;
use pas_types::event::CallCost;
use pas_types::routing::{CandidateView, Dialect, ExcludedView, Exclusion, Weights};

use crate::ask::Ask;
use crate::fleet::{Candidate, Fleet};
use crate::table::Rules;
use query::Query;
use scan::Scan;
pub(crate) use turns::Turns;

/// Candidates that are chosen, and listed, at the most.
pub const LISTED: usize = 16;

/// Whom to ask.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// In this order; at most 16.
    pub choices: Vec<Choice>,
    /// How many would do, the chosen ones among them.
    pub usable: u32,
    /// All that won't do, counted by reason.
    pub counts: Counts,
    /// Of an explained plan: those that won't do and come nearest, until 16 are listed with the chosen ones.
    pub excluded: Vec<Excluded>,
    /// What the caller is told, exactly when nobody is chosen.
    pub refusal: Option<Error>,
}

/// Somebody to ask.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// The place in the fleet.
    pub index: u32,
    /// How well it fits, from 0 to 1.
    pub score: f32,
    /// 0 for what was asked for; 1 and more for what stands in for it.
    pub rank: u16,
    /// The dialect in which it is spoken to.
    pub dialect: Dialect,
    /// What the call will cost, by the tokens that are expected.
    pub cost: CallCost,
}

/// Somebody who won't do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// The place in the fleet.
    pub index: u32,
    /// Why.
    pub code: Exclusion,
    /// Why, in words that begin with the code.
    pub reason: String,
}

/// Why something won't do at the moment, as only its caller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The reason.
    pub code: Exclusion,
    /// In how long it may be over, if that is known.
    pub until: Option<Duration>,
}

/// What else keeps a candidate from being one: breakers, cool-downs, credentials, limits. Asked last, only of those for
/// whom nothing else stands in the way.
pub trait Exclude {
    /// Why this candidate, at this place of the fleet, won't do at the moment.
    fn held(&self, index: u32, candidate: &Candidate) -> Option<Held>;
}

/// Nothing else.
impl Exclude for () {
    fn held(&self, _: u32, _: &Candidate) -> Option<Held> {
        None
    }
}

impl<F: Fn(u32, &Candidate) -> Option<Held>> Exclude for F {
    fn held(&self, index: u32, candidate: &Candidate) -> Option<Held> {
        self(index, candidate)
    }
}

/// How many won't do, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([u32; Exclusion::ALL.len()]);

impl Counts {
    /// Each reason that somebody has.
    pub fn iter(&self) -> impl Iterator<Item = (Exclusion, u32)> {
        Exclusion::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }

    /// All together.
    pub fn total(&self) -> u32 {
        self.0.iter().sum()
    }

    fn add(&mut self, code: Exclusion, count: u32) {
        self.0[code as usize] += count;
    }
}

/// What one who chooses keeps between two choices: whose turn it is.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    turns: Turns,
}

/// Chooses. Deterministic: the same question to the same fleet with the same turns has the same answer.
pub fn plan<E: Exclude>(
    fleet: &Fleet,
    ask: &Ask<'_>,
    rules: &Rules,
    exclude: &E,
    scratch: &mut Scratch,
) -> Plan {
    let query = Query::new(fleet, ask, rules);
    let plan = Scan::<E, false>::new(&query, exclude).run(&mut scratch.turns);
    if plan.choices.is_empty() {
        // Whoever is refused is told why.
        return Scan::<E, true>::new(&query, exclude).run(&mut scratch.turns);
    }
    plan
}

/// Chooses the same, and lists who won't do.
pub fn explain<E: Exclude>(
    fleet: &Fleet,
    ask: &Ask<'_>,
    rules: &Rules,
    exclude: &E,
    scratch: &mut Scratch,
) -> Plan {
    let query = Query::new(fleet, ask, rules);
    Scan::<E, true>::new(&query, exclude).run(&mut scratch.turns)
}

impl Plan {
    /// The chosen ones as people see them. `ask` and `rules` are those of the plan.
    pub fn candidate_views<'a>(
        &'a self,
        fleet: &'a Fleet,
        ask: &Ask<'a>,
        rules: &Rules,
    ) -> impl Iterator<Item = CandidateView> + use<'a> {
        let query = Query::new(fleet, ask, rules);
        self.choices.iter().filter_map(move |choice| {
            let candidate = fleet.candidate(choice.index)?;
            Some(CandidateView {
                service_id: candidate.service.service_id,
                name: candidate.service.name.clone(),
                model: candidate.model.to_string(),
                score: shown(choice.score),
                parts: query.parts(choice.index).shown(),
                rank: choice.rank.into(),
                dialect: choice.dialect,
                cost_estimate: choice.cost,
            })
        })
    }

    /// The others that are listed, as people see them.
    pub fn excluded_views<'a>(&'a self, fleet: &'a Fleet) -> impl Iterator<Item = ExcludedView> + use<'a> {
        self.excluded.iter().filter_map(|excluded| {
            let candidate = fleet.candidate(excluded.index)?;
            Some(ExcludedView {
                service_id: candidate.service.service_id,
                name: candidate.service.name.clone(),
                model: candidate.model.to_string(),
                excluded: excluded.reason.clone(),
            })
        })
    }
}

/// A score in as many digits as mean something.
pub(crate) fn shown(score: f32) -> f64 {
    (f64::from(score) * 10_000.0).round() / 10_000.0
}

/// How well somebody fits by each preference, from 0 to 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    latency: f32,
    price: f32,
    locality: f32,
    load: f32,
    quality: f32,
    dialect: f32,
}

impl Parts {
    fn shown(self) -> Weights {
        Weights {
            latency: shown(self.latency),
            price: shown(self.price),
            locality: shown(self.locality),
            load: shown(self.load),
            quality: shown(self.quality),
            dialect: shown(self.dialect),
        }
    }
}

#[cfg(test)]
mod tests;
