//! How many calls, and tokens, may pass.
//!
//! What always holds: in no stretch of time as long as a limit's window does more pass than the limit says, but for tokens
//! that a call turned out to take beyond what was taken for it. What is given back is as if it had never been taken.
//! Windows are bounded in number: who comes when there are too many shares one with others who did.

mod window;

use std::collections::HashMap;
use std::time::Duration;

use pas_types::routing::LimitedBy;

use crate::policies::RateLimit;
use window::Slots;

/// Windows that are kept.
const WINDOWS: usize = 10_000;

/// Limits, and how much of each is taken.
#[derive(Debug, Clone, Default)]
pub struct Limiter {
    limits: Vec<Limit>,
    windows: usize,
    most: usize,
    swept: Duration,
}

/// One measure of one rule.
#[derive(Debug, Clone)]
struct Limit {
    per: LimitedBy,
    name: Option<Box<str>>,
    measure: Measure,
    most: u64,
    window: Duration,
    taken: HashMap<Box<str>, Slots>,
    /// Of those who found no window of their own.
    others: Slots,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Requests,
    Tokens,
}

/// Whose call it is, as far as that is known. What is left out is not limited here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keys<'a> {
    /// Who calls.
    pub caller: Option<&'a str>,
    /// Which service is called.
    pub service: Option<&'a str>,
    /// Which model, by the matrix's name for it.
    pub model: Option<&'a str>,
    /// Whether what holds for all calls together is meant too.
    pub global: bool,
}

/// So much is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// Calls.
    pub requests: u64,
    /// Tokens.
    pub tokens: u64,
}

/// What was taken, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    at: Duration,
    amount: Amount,
    /// Some of it from a window that others share; whose part is whose, nobody knows any more.
    shared: bool,
}

/// Nothing was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// When as much would pass, if nothing else does before; none if it never would.
    pub retry_after: Option<Duration>,
    /// The limit, in words.
    pub limit: String,
}

impl Amount {
    /// A call of so many tokens.
    pub fn call(tokens: u64) -> Self {
        Self { requests: 1, tokens }
    }

    fn of(self, measure: Measure) -> u64 {
        match measure {
            Measure::Requests => self.requests,
            Measure::Tokens => self.tokens,
        }
    }
}

impl Limit {
    /// The key under which this call counts, if it does.
    fn key<'a>(&self, keys: &Keys<'a>) -> Option<&'a str> {
        let key = match self.per {
            LimitedBy::Caller => keys.caller,
            LimitedBy::Service => keys.service,
            LimitedBy::Model => keys.model,
            LimitedBy::Global => keys.global.then_some(""),
        };
        key.filter(|key| self.name.as_deref().is_none_or(|name| name == *key))
    }

    /// What was taken under this key. Who has no window yet gets one while there is room.
    fn slots(&self, key: &str, room: bool) -> &Slots {
        let without = if room { &Slots::EMPTY } else { &self.others };
        self.taken.get(key).unwrap_or(without)
    }

    /// Where it is taken, and whether that is nobody else's.
    fn slots_mut(&mut self, key: &str, room: bool) -> (&mut Slots, bool) {
        if room && !self.taken.contains_key(key) {
            self.taken.insert(key.into(), Slots::EMPTY);
        }
        match self.taken.get_mut(key) {
            Some(slots) => (slots, true),
            None => (&mut self.others, false),
        }
    }

    fn check(&self, now: Duration, key: &str, amount: Amount, room: bool) -> Result<(), Denied> {
        let wanted = amount.of(self.measure);
        match self.slots(key, room).wait(now, self.window, self.most, wanted) {
            Some(Duration::ZERO) => Ok(()),
            retry_after => Err(Denied { retry_after, limit: self.in_words() }),
        }
    }

    fn in_words(&self) -> String {
        let whom = match (self.per, &self.name) {
            (LimitedBy::Global, _) => "all together".to_owned(),
            (per, Some(name)) => format!("the {per} {name}"),
            (per, None) => format!("each {per}"),
        };
        let what = match self.measure {
            Measure::Requests => "calls",
            Measure::Tokens => "tokens",
        };
        let window = match self.window.as_secs() {
            1 => "a second".to_owned(),
            seconds => format!("{seconds} s"),
        };
        format!("{} {what} in {window} for {whom}", self.most)
    }
}

impl Limiter {
    /// Nothing is taken yet.
    pub fn new(rules: &[RateLimit]) -> Self {
        Self::with_windows(rules, WINDOWS)
    }

    fn with_windows(rules: &[RateLimit], most: usize) -> Self {
        let measures = |rule: &RateLimit| {
            [(Measure::Requests, rule.requests), (Measure::Tokens, rule.tokens)]
                .into_iter()
                .filter_map(|(measure, most)| Some((measure, most?)))
        };
        let limit = |rule: &RateLimit, (measure, most)| Limit {
            per: rule.per,
            name: rule.name.as_deref().map(Box::from),
            measure,
            most,
            window: Duration::from_secs(rule.window.seconds()),
            taken: HashMap::new(),
            others: Slots::EMPTY,
        };
        let limits = rules.iter().flat_map(|rule| measures(rule).map(move |measure| limit(rule, measure)));
        Self { limits: limits.collect(), windows: 0, most, swept: Duration::ZERO }
    }

    /// Whether there is nothing to keep to.
    pub fn is_empty(&self) -> bool {
        self.limits.is_empty()
    }

    /// Whether so much would pass; nothing is taken.
    pub fn check(&self, now: Duration, keys: &Keys<'_>, amount: Amount) -> Result<(), Denied> {
        let room = self.windows < self.most;
        let mut denied: Option<Denied> = None;
        for limit in &self.limits {
            let Some(key) = limit.key(keys) else { continue };
            let Err(later) = limit.check(now, key, amount, room) else { continue };
            // Of several limits that stand in the way, the one that does so longest says when.
            let longer = |denied: &Denied| match (later.retry_after, denied.retry_after) {
                (None, Some(_)) => true,
                (Some(later), Some(known)) => later > known,
                (_, None) => false,
            };
            if denied.as_ref().is_none_or(longer) {
                denied = Some(later);
            }
        }
        denied.map_or(Ok(()), Err)
    }

    /// Takes so much of every limit that the call is under, or nothing of any.
    pub fn take(&mut self, now: Duration, keys: &Keys<'_>, amount: Amount) -> Result<Grant, Denied> {
        self.check(now, keys, amount)?;
        let shared = self.add(now, keys, amount);
        Ok(Grant { at: now, amount, shared })
    }

    /// Gives back what was taken and not used.
    pub fn refund(&mut self, now: Duration, keys: &Keys<'_>, grant: Grant) {
        self.give_back(now, keys, grant, grant.amount);
    }

    /// Says what a call took in the end, which may be less than was taken, or more.
    pub fn settle(&mut self, now: Duration, keys: &Keys<'_>, grant: Grant, actual: Amount) {
        let rest = |taken: u64, used: u64| taken.saturating_sub(used);
        let amount = grant.amount;
        let unused = Amount {
            requests: rest(amount.requests, actual.requests),
            tokens: rest(amount.tokens, actual.tokens),
        };
        let beyond = Amount {
            requests: rest(actual.requests, amount.requests),
            tokens: rest(actual.tokens, amount.tokens),
        };
        self.give_back(now, keys, grant, unused);
        self.add(now, keys, beyond);
    }

    /// Answers whether a shared window was needed.
    fn add(&mut self, now: Duration, keys: &Keys<'_>, amount: Amount) -> bool {
        let mut shared = false;
        if self.windows >= self.most {
            self.sweep(now);
        }
        for limit in &mut self.limits {
            let (Some(key), wanted) = (limit.key(keys), amount.of(limit.measure)) else { continue };
            if wanted == 0 {
                continue;
            }
            let window = limit.window;
            let room = self.windows < self.most;
            self.windows += usize::from(room && !limit.taken.contains_key(key));
            let (slots, own) = limit.slots_mut(key, room);
            slots.add(now, window, wanted);
            shared |= !own;
        }
        shared
    }

    fn give_back(&mut self, now: Duration, keys: &Keys<'_>, grant: Grant, amount: Amount) {
        if grant.shared {
            return;
        }
        for limit in &mut self.limits {
            let Some(key) = limit.key(keys) else { continue };
            let (window, unused) = (limit.window, amount.of(limit.measure));
            if let Some(slots) = limit.taken.get_mut(key) {
                slots.give_back(now, window, grant.at, unused);
            }
        }
    }

    /// Lets go of windows in which nothing is taken any more; not more often than once a second, since it looks at all.
    fn sweep(&mut self, now: Duration) {
        if now < self.swept + Duration::from_secs(1) {
            return;
        }
        self.swept = now;
        for limit in &mut self.limits {
            limit.taken.retain(|_, slots| slots.taken(now, limit.window) > 0);
        }
        self.windows = self.limits.iter().map(|limit| limit.taken.len()).sum();
    }
}

#[cfg(test)]
mod tests;
