//! Goes over whoever is meant, and keeps the best, and the nearest misses.

use std::time::Duration;

use pas_types::registry::Role;
use pas_types::routing::{Dialect, Exclusion};

use super::query::Query;
use super::turns::Turns;
use super::{Choice, Exclude, Excluded, Held, LISTED, Plan, refusal, words};
use crate::ask::Wanted;
use crate::fleet::{flag, role_bit};
use crate::table::ModelId;

/// A score is at most 1: so much farther down is whoever comes later whatever the score.
const STEP: f32 = 2.0;
/// The key of canaries' turns beside those whom they stand with.
const CANARIES: u64 = 0x6361_6e61_7279_0000;
/// Turns of canaries are counted in such parts of all.
const SHARES: f64 = 10_000.0;

/// One pass. `LIST`: those who won't do are listed.
pub(super) struct Scan<'a, E, const LIST: bool> {
    query: &'a Query<'a>,
    exclude: &'a E,
    plan: Plan,
    misses: Vec<(u32, Held)>,
    soonest: Option<Duration>,
}

/// Somebody who would do.
#[derive(Debug, Clone, Copy)]
struct Fit {
    order: f32,
    score: f32,
    index: u32,
    dialect: Dialect,
}

/// The best few, in order.
#[derive(Debug)]
struct Best {
    fits: [Fit; LISTED],
    len: usize,
}

impl Best {
    fn new() -> Self {
        Self { fits: [Fit { order: 0.0, score: 0.0, index: 0, dialect: Dialect::Pas }; LISTED], len: 0 }
    }

    #[inline]
    fn add(&mut self, fit: Fit) {
        if self.len == LISTED {
            if fit.order <= self.fits[LISTED - 1].order {
                return;
            }
            self.len -= 1;
        }
        let behind = self.fits[..self.len].iter().rposition(|other| other.order >= fit.order);
        let place = behind.map_or(0, |place| place + 1);
        self.fits.copy_within(place..self.len, place + 1);
        self.fits[place] = fit;
        self.len += 1;
    }

    fn as_slice(&self) -> &[Fit] {
        &self.fits[..self.len]
    }
}

impl<'a, E: Exclude, const LIST: bool> Scan<'a, E, LIST> {
    pub(super) fn new(query: &'a Query<'a>, exclude: &'a E) -> Self {
        Self { query, exclude, plan: Plan::default(), misses: Vec::new(), soonest: None }
    }

    pub(super) fn run(mut self, turns: &mut Turns) -> Plan {
        let (fleet, ask) = (self.query.fleet, &self.query.ask);
        let table = fleet.table();
        let everybody = fleet.of_type(ask.target_type);
        match (ask.name, ask.wanted) {
            (Some(name), _) => self.named(name, turns),
            (None, Wanted::Any | Wanted::Caps(_)) => self.everybody(everybody, turns),
            // No tool and no agent serves a model.
            (None, Wanted::Model(_)) if !self.query.wants_model() => {}
            (None, Wanted::Model(model)) => {
                self.models(&[model], &table.models[model.index()].fallbacks, turns);
            }
            (None, Wanted::Route(route)) => {
                let route = &table.routes[route.index()];
                if route.models.is_empty() || !self.query.wants_model() {
                    self.everybody(everybody, turns);
                } else {
                    self.models(&route.models, &route.fallbacks, turns);
                }
            }
            (None, Wanted::Other(word)) => {
                let serving = fleet.serving_other(word);
                if serving.is_empty() || !self.query.wants_model() {
                    self.named(word, turns);
                } else {
                    self.rank(0, serving.iter().copied(), serving.len(), turns);
                }
            }
        }
        self.finish()
    }

    /// All of a type. Where nobody is listed, only those who have the rarest of the wanted capabilities are looked at.
    fn everybody(&mut self, places: std::ops::Range<u32>, turns: &mut Turns) {
        let all = places.len();
        let rarest = if LIST { None } else { self.query.rarest() };
        match rarest {
            Some(having) => {
                let begin = having.partition_point(|place| *place < places.start);
                let end = having.partition_point(|place| *place < places.end);
                let having = &having[begin..end];
                self.plan.counts.add(Exclusion::Caps, (all - having.len()) as u32);
                self.rank(0, having.iter().copied(), having.len(), turns);
            }
            None => self.rank(0, places, all, turns),
        }
    }

    /// These models, and then each that stands in for them.
    fn models(&mut self, models: &[ModelId], fallbacks: &[ModelId], turns: &mut Turns) {
        let fleet = self.query.fleet;
        let places = models.iter().flat_map(|model| fleet.serving(*model)).copied();
        let count = models.iter().map(|model| fleet.serving(*model).len()).sum();
        self.rank(0, places, count, turns);
        if !self.query.fallback {
            return;
        }
        let others = fallbacks.iter().filter(|model| !models.contains(model));
        for (rank, model) in (1..).zip(others) {
            let places = fleet.serving(*model);
            self.rank(rank, places.iter().copied(), places.len(), turns);
        }
    }

    /// The services of a name: the model that is wanted of them, or their first.
    fn named(&mut self, name: &str, turns: &mut Turns) {
        let query = self.query;
        let everybody = query.fleet.of_type(query.ask.target_type);
        let places = query.fleet.named(name).iter().copied().filter(move |place| everybody.contains(place));
        let route = match query.ask.wanted {
            Wanted::Route(route) => Some(&query.fleet.table().routes[route.index()]),
            _ => None,
        };
        let is_meant = move |place: &u32| {
            let candidate = &query.fleet.candidates()[*place as usize];
            match query.ask.wanted {
                Wanted::Model(model) => *candidate.model_id == *query.fleet.table().model_name(model),
                Wanted::Other(word) if query.ask.name.is_some() => *candidate.model == *word,
                Wanted::Route(_) if route.is_some_and(|route| !route.models.is_empty()) => {
                    let models = route.into_iter().flat_map(|route| &route.models);
                    models
                        .into_iter()
                        .any(|model| *candidate.model_id == *query.fleet.table().model_name(*model))
                }
                _ => query.fleet.hot[*place as usize].is(flag::FIRST),
            }
        };
        let by_model = !matches!(query.ask.wanted, Wanted::Any | Wanted::Caps(_));
        if by_model && query.ask.name.is_some() {
            for place in places.clone().filter(|place| !is_meant(place)) {
                self.miss(place, Held { code: Exclusion::Model, until: None });
            }
        }
        let count = query.fleet.named(name).len();
        self.rank(0, places.filter(is_meant), count, turns);
    }

    /// Goes over those of one rank, and adds the best of them behind those of the ranks before.
    fn rank(
        &mut self,
        rank: u16,
        places: impl Iterator<Item = u32> + Clone,
        count: usize,
        turns: &mut Turns,
    ) {
        let (mut best, mut canaries) = (Best::new(), Best::new());
        let splits = self.query.splits_canaries();
        let begin = if count > LISTED { turns.next_beginning(count) } else { 0 };
        for place in places.clone().skip(begin).chain(places.take(begin)) {
            self.look(place, splits, &mut best, &mut canaries);
        }
        let room = LISTED - self.plan.choices.len();
        let (first, second) = self.whose_turn(&best, &canaries, turns);
        for fit in self.tied_first(first, turns).chain(self.tied_first(second, turns)).take(room) {
            let cost = self.query.cost(fit.index);
            let Fit { index, score, dialect, .. } = fit;
            self.plan.choices.push(Choice { index, score, rank, dialect, cost });
        }
    }

    #[inline]
    fn look(&mut self, place: u32, splits: bool, best: &mut Best, canaries: &mut Best) {
        let query = self.query;
        let hot = &query.fleet.hot[place as usize];
        let (dialect, own) = match query.exclude(place, hot) {
            Ok(served) => served,
            Err(held) => return self.miss(place, held),
        };
        if let Some(held) = self.exclude.held(place, &query.fleet.candidates()[place as usize]) {
            return self.miss(place, held);
        }
        self.plan.usable += 1;
        let score = query.score(place, hot, own);
        let order = score - STEP * f32::from(query.precedence(hot));
        let among = if splits && hot.role == role_bit(Role::Canary) { canaries } else { best };
        among.add(Fit { order, score, index: place, dialect });
    }

    #[inline]
    fn miss(&mut self, place: u32, held: Held) {
        self.plan.counts.add(held.code, 1);
        if let Some(until) = held.until.filter(|_| held.code.passes()) {
            self.soonest = Some(self.soonest.map_or(until, |soonest| soonest.min(until)));
        }
        if LIST {
            self.list(place, held);
        }
    }

    /// Keeps the nearest misses: those for whom the fewest things stand in the way.
    fn list(&mut self, place: u32, held: Held) {
        // What keeps a service from answering keeps all of its models: it is told of one, and leaves room for others.
        let service = |place: u32| self.query.fleet.candidates()[place as usize].service.service_id;
        let is_told =
            |(other, told): &(u32, Held)| told.code == held.code && service(*other) == service(place);
        if is_of_service(held.code) && self.misses.iter().any(is_told) {
            return;
        }
        if self.misses.len() == LISTED {
            if self.misses.last().is_some_and(|(_, farthest)| farthest.code >= held.code) {
                return;
            }
            self.misses.pop();
        }
        let at = self.misses.partition_point(|(_, other)| other.code >= held.code);
        self.misses.insert(at, (place, held));
    }

    /// Who comes first: mostly the others, and the canaries as often as their share says.
    fn whose_turn<'b>(
        &self,
        best: &'b Best,
        canaries: &'b Best,
        turns: &mut Turns,
    ) -> (&'b [Fit], &'b [Fit]) {
        let (best, canaries) = (best.as_slice(), canaries.as_slice());
        let Some(fit) = best.first().filter(|_| !canaries.is_empty()) else { return (best, canaries) };
        let share = (self.query.policy.canary_share * SHARES) as u32;
        let beside = self.query.fleet.candidates()[fit.index as usize].model_id.as_bytes();
        let beside = beside.iter().fold(CANARIES, |key, byte| key.rotate_left(5) ^ u64::from(*byte));
        let group = [(beside, SHARES as u32 - share), (beside ^ 1, share)];
        if turns.take(group.into_iter()) == 1 { (canaries, best) } else { (best, canaries) }
    }

    /// Of those who tie at the head, whose turn it is comes first.
    fn tied_first<'b>(
        &self,
        fits: &'b [Fit],
        turns: &mut Turns,
    ) -> impl Iterator<Item = Fit> + use<'b, E, LIST> {
        let head = fits.first().map_or(0.0, |fit| fit.order);
        let tied = fits.iter().take_while(|fit| head - fit.order <= self.query.policy.tie).count();
        let candidates = self.query.fleet.candidates();
        let group = fits[..tied].iter().map(|fit| {
            let candidate = &candidates[fit.index as usize];
            (candidate.key, candidate.weight)
        });
        let turn = if tied > 1 { turns.take(group) } else { 0 };
        let before = fits.iter().take(turn);
        fits.get(turn).into_iter().chain(before).chain(fits.iter().skip(turn + 1)).copied()
    }

    fn finish(mut self) -> Plan {
        if !self.query.fallback {
            self.plan.choices.truncate(1);
        }
        let room = LISTED - self.plan.choices.len();
        let listed = self.misses.iter().take(room);
        self.plan.excluded = listed
            .map(|(index, held)| Excluded {
                index: *index,
                code: held.code,
                reason: words::reason(self.query, *index, *held),
            })
            .collect();
        if LIST && self.plan.choices.is_empty() {
            self.plan.refusal = Some(refusal::of(self.query, &self.plan, self.soonest));
        }
        self.plan
    }
}

/// Whether it is a service that won't do, whatever its model.
fn is_of_service(code: Exclusion) -> bool {
    matches!(code, Exclusion::Paused | Exclusion::Status)
}
