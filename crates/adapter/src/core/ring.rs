//! Several credentials in turn, and which of them may be used now.
//!
//! One that is refused, or has nothing left to spend, is out for all models; one that a model is closed to, or that is limited
//! there, for that model alone, since most providers limit by the model. Nobody waits while another would do.

use std::collections::BTreeMap;
use std::time::Duration;

/// A credential that was refused is tried again after so long: what was wrong may be mended at the provider's.
const REFUSED: Duration = Duration::from_secs(60);
/// A limit whose end nobody told.
const UNTOLD: Duration = Duration::from_secs(5);
/// No limit keeps a credential for longer than this without it being tried.
const LONGEST: Duration = Duration::from_secs(3600);
/// Models of which a credential remembers something; who comes later takes the place of what ends first.
const MODELS: usize = 1_000;

/// Why a credential may not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// The provider answered with this status.
    Refused(u16),
    /// It may come again later.
    Limited,
    /// The last answer left nothing of a limit. It may be used, if there is no other.
    UsedUp,
}

/// A rest: why, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rest {
    /// Why.
    pub(crate) why: Why,
    /// When that was found out; both on the monotonic clock.
    pub(crate) since: Duration,
    /// Until when.
    pub(crate) until: Duration,
}

/// How it is with a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held<K> {
    /// Which one.
    pub(crate) key: K,
    /// What keeps it from calls: of all models (none), or of one.
    pub(crate) rests: Vec<(Option<String>, Rest)>,
}

/// What a call gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Chosen<K> {
    /// This credential.
    Use(K),
    /// None now: all are limited, and the first is free again after so long.
    Limited(Duration),
    /// None: all are refused; with the status of one of them.
    Refused(u16),
    /// There is none at all.
    Unset,
}

/// The credentials.
#[derive(Debug)]
pub(crate) struct Ring<K> {
    slots: Vec<Slot<K>>,
    next: usize,
}

#[derive(Debug)]
struct Slot<K> {
    key: K,
    /// A call has been answered with it.
    is_proven: bool,
    /// For all models.
    out: Option<Rest>,
    /// For these.
    models: BTreeMap<String, Rest>,
}

impl<K: Clone + PartialEq> Ring<K> {
    /// These credentials, of which nothing is known.
    pub(crate) fn new(keys: Vec<K>) -> Self {
        let mut ring = Self { slots: Vec::new(), next: 0 };
        ring.replace(keys);
        ring
    }

    /// Other credentials from now on; of those that stay, what is known stays too.
    pub(crate) fn replace(&mut self, keys: Vec<K>) {
        let mut before = std::mem::take(&mut self.slots);
        let slot = |key: K| match before.iter().position(|slot| slot.key == key) {
            // Also under another name.
            Some(place) => Slot { key, ..before.swap_remove(place) },
            None => Slot { key, is_proven: false, out: None, models: BTreeMap::new() },
        };
        self.slots = keys.into_iter().map(slot).collect();
    }

    /// All of them.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.slots.iter().map(|slot| &slot.key)
    }

    /// A credential for a call of this model: in turn, among those that may be used and `but` for these.
    pub(crate) fn choose(&mut self, model: &str, but: &[K], now: Duration) -> Chosen<K> {
        if self.slots.is_empty() {
            return Chosen::Unset;
        }
        let count = self.slots.len();
        let (mut spare, mut soonest, mut status) = (None, None::<Duration>, None);
        for place in (0..count).map(|step| (self.next + step) % count) {
            let slot = &self.slots[place];
            let rest = slot.rest(model, now);
            match rest.map(|rest| rest.why) {
                Some(Why::Limited) => {
                    soonest = least(soonest, rest.map(|rest| rest.until.saturating_sub(now)))
                }
                Some(Why::Refused(with)) => status = Some(with),
                _ if but.contains(&slot.key) => {}
                Some(Why::UsedUp) => spare = spare.or(Some(place)),
                None => return self.take(place, model, now),
            }
        }
        match (spare, soonest, status) {
            (Some(place), ..) => self.take(place, model, now),
            (None, Some(wait), _) => Chosen::Limited(wait),
            (None, None, Some(status)) => Chosen::Refused(status),
            // Tried, and nothing was held against any of them.
            (None, None, None) => Chosen::Limited(Duration::ZERO),
        }
    }

    /// One call tries what was refused; others wait for what comes of it.
    fn take(&mut self, place: usize, model: &str, now: Duration) -> Chosen<K> {
        let slot = &mut self.slots[place];
        for rest in [slot.out.as_mut(), slot.models.get_mut(model)].into_iter().flatten() {
            if matches!(rest.why, Why::Refused(_)) && rest.until <= now {
                rest.until = now + REFUSED;
            }
        }
        self.next = (place + 1) % self.slots.len();
        Chosen::Use(self.slots[place].key.clone())
    }

    /// It is refused: for this model, or for all.
    pub(crate) fn refused(&mut self, key: &K, model: Option<&str>, status: u16, now: Duration) {
        self.rest(key, model, Rest { why: Why::Refused(status), since: now, until: now + REFUSED });
    }

    /// The provider doesn't list its models for it. One that has been answered with may merely not do that; of one that is
    /// refused already nothing new is known, and a call shall try it when its time has come.
    pub(crate) fn unlisted(&mut self, key: &K, status: u16, now: Duration) {
        let Some(slot) = self.slot(key).filter(|slot| !slot.is_proven && slot.out.is_none()) else { return };
        slot.out = Some(Rest { why: Why::Refused(status), since: now, until: now + REFUSED });
    }

    /// It is limited with this model, for so long if that was told.
    pub(crate) fn limited(&mut self, key: &K, model: &str, wait: Option<Duration>, now: Duration) {
        let until = now + wait.unwrap_or(UNTOLD).min(LONGEST);
        self.rest(key, Some(model), Rest { why: Why::Limited, since: now, until });
    }

    /// It was answered, and nothing is left of a limit for so long.
    pub(crate) fn used_up(&mut self, key: &K, model: &str, wait: Duration, now: Duration) {
        let until = now + wait.min(LONGEST);
        self.rest(key, Some(model), Rest { why: Why::UsedUp, since: now, until });
    }

    /// A call of this model was answered with it, which was sent then: what was found out since holds. Answers whether anything
    /// has changed by that.
    pub(crate) fn accepted(&mut self, key: &K, model: &str, sent: Duration) -> bool {
        let Some(slot) = self.slot(key) else { return false };
        slot.is_proven = true;
        let was_out = slot.out.take_if(|rest| rest.since <= sent).is_some();
        let was_held = slot.models.get(model).is_some_and(|rest| rest.since <= sent);
        if was_held {
            slot.models.remove(model);
        }
        was_out || was_held
    }

    /// It is known to the provider, which says nothing of what is left to spend: a refusal of the credential itself is over.
    pub(crate) fn recognised(&mut self, key: &K) {
        if let Some(slot) = self.slot(key)
            && slot.out.is_some_and(|rest| !matches!(rest.why, Why::Refused(402 | 429)))
        {
            slot.out = None;
        }
    }

    /// How it is with each credential.
    pub(crate) fn held(&self, now: Duration) -> Vec<Held<K>> {
        let of = |slot: &Slot<K>| {
            let single = slot.models.iter().map(|(model, rest)| (Some(model.clone()), *rest));
            let all = slot.out.map(|rest| (None, rest)).into_iter().chain(single);
            // What was refused is, until it has been taken.
            let is_so = |rest: &Rest| rest.holds(now) || matches!(rest.why, Why::Refused(_));
            Held { key: slot.key.clone(), rests: all.filter(|(_, rest)| is_so(rest)).collect() }
        };
        self.slots.iter().map(of).collect()
    }

    /// When something ends of what holds now.
    pub(crate) fn next_change(&self, now: Duration) -> Option<Duration> {
        let rests = self.slots.iter().flat_map(|slot| slot.out.iter().chain(slot.models.values()));
        rests.map(|rest| rest.until).filter(|until| *until > now).min()
    }

    fn rest(&mut self, key: &K, model: Option<&str>, rest: Rest) {
        let Some(slot) = self.slot(key) else { return };
        let Some(model) = model else {
            slot.out = Some(rest);
            return;
        };
        if slot.models.len() >= MODELS && !slot.models.contains_key(model) {
            let first = slot.models.iter().min_by_key(|(_, rest)| rest.until).map(|(model, _)| model.clone());
            first.and_then(|first| slot.models.remove(&first));
        }
        let longer = slot.models.get(model).filter(|known| known.why == rest.why && known.until > rest.until);
        if longer.is_none() {
            slot.models.insert(model.to_owned(), rest);
        }
    }

    fn slot(&mut self, key: &K) -> Option<&mut Slot<K>> {
        self.slots.iter_mut().find(|slot| slot.key == *key)
    }
}

impl<K> Slot<K> {
    /// What keeps it from a call of this model: what lasts longest.
    fn rest(&self, model: &str, now: Duration) -> Option<Rest> {
        let both = [self.out, self.models.get(model).copied()];
        let held = both.into_iter().flatten().filter(|rest| rest.holds(now));
        held.max_by_key(|rest| (rest.why != Why::UsedUp, rest.until))
    }
}

impl Rest {
    fn holds(&self, now: Duration) -> bool {
        self.until > now
    }
}

fn least(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    [one, other].into_iter().flatten().min()
}

#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;
