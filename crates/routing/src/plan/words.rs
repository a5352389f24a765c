//! Why somebody won't do, in words.

use std::time::Duration;

use pas_types::registry::Role;
use pas_types::routing::{Dialect, Exclusion, Locality};

use super::Held;
use super::query::Query;
use crate::caps::Caps;
use crate::dialect::Speaks;
use crate::fleet::role_bit;

/// Why the candidate at this place won't do: the code, and what it means here.
pub(super) fn reason(query: &Query<'_>, index: u32, held: Held) -> String {
    let why = why(query, index, held);
    if why.is_empty() { held.code.to_string() } else { format!("{}: {why}", held.code) }
}

fn why(query: &Query<'_>, index: u32, held: Held) -> String {
    let Some(candidate) = query.fleet.candidate(index) else { return String::new() };
    let ask = &query.ask;
    match held.code {
        Exclusion::Model => format!("serves {}", candidate.model),
        Exclusion::Caps => format!("lacks {}", lacking(query, index)),
        Exclusion::Caller => "is who calls".to_owned(),
        Exclusion::Role => format!("is {}, wanted is {}", candidate.service.role, roles(query.roles)),
        Exclusion::Labels => match query.other_label(index) {
            Some((key, wanted)) => match candidate.service.label(key) {
                Some(value) => format!("{key} is {value}, wanted is {wanted}"),
                None => format!("has no {key}, wanted is {wanted}"),
            },
            None => String::new(),
        },
        Exclusion::Url => "has no address".to_owned(),
        Exclusion::Policy => policy(query),
        Exclusion::Data => {
            let wanted = query.policy.data.map_or("unknown", |data| data.as_str());
            format!("{}, wanted is {wanted}", candidate.data)
        }
        Exclusion::Dialect => dialect(query, index),
        Exclusion::Context => {
            format!("needs {}, has {}", up(query.context), down(candidate.ctx_limit.unwrap_or(u64::MAX)))
        }
        Exclusion::Output => {
            let wanted = up(ask.output_tokens.unwrap_or_default());
            format!("needs {wanted}, has {}", down(candidate.max_output.unwrap_or(u64::MAX)))
        }
        Exclusion::Price => price(query, index),
        Exclusion::Tried => "failed already".to_owned(),
        Exclusion::Paused => "taken out of service".to_owned(),
        Exclusion::Status => match candidate.service.status_reasons.first() {
            Some(reason) => format!("{} ({reason})", candidate.service.status),
            None => candidate.service.status.to_string(),
        },
        Exclusion::Latency => {
            let p95 = candidate.service.p95_ms.unwrap_or_default();
            let left = ask.deadline.unwrap_or_default();
            format!("p95 is {}, there is {}", time(p95 / 1e3), time(left.as_secs_f64()))
        }
        Exclusion::Credential => until("refused by its provider", held.until),
        Exclusion::Spent => until("nothing is left to spend there", held.until),
        Exclusion::Breaker => until("open after failures", held.until),
        Exclusion::CoolDown => until("asked for a pause", held.until),
        Exclusion::RateLimit => until("a limit is reached", held.until),
        Exclusion::InUse => until("takes no more calls at once", held.until),
    }
}

fn until(what: &str, until: Option<Duration>) -> String {
    match until {
        Some(until) => format!("{what}, for {}", time(until.as_secs_f64())),
        None => what.to_owned(),
    }
}

/// The wanted capabilities that the candidate lacks.
fn lacking(query: &Query<'_>, index: u32) -> String {
    let dictionary = &query.fleet.dictionary;
    let caps = query.fleet.hot[index as usize].caps;
    let of_request = Caps(query.ask.needs.caps().0 & !caps.0);
    let mut lacking: Vec<&str> = dictionary.words(of_request).collect();
    let has = |word: &str| {
        dictionary.number(word).is_some_and(|number| query.fleet.having(number).binary_search(&index).is_ok())
    };
    for word in query.named_caps() {
        if !has(word) && !lacking.contains(&word) {
            lacking.push(word);
        }
    }
    lacking.join(", ")
}

fn roles(bits: u8) -> String {
    let words: Vec<&str> =
        Role::ALL.into_iter().filter(|role| bits & role_bit(*role) != 0).map(Role::as_str).collect();
    words.join(" or ")
}

fn policy(query: &Query<'_>) -> String {
    let policy = query.policy;
    let mut keeps = Vec::new();
    match policy.locality {
        Some(Locality::Local) => keeps.push("this machine".to_owned()),
        Some(Locality::External) => keeps.push("providers elsewhere".to_owned()),
        None => {}
    }
    if !policy.ranks.is_empty() {
        let providers = policy.ranks.iter().zip(&query.fleet.table().providers);
        let mut ranked: Vec<_> = providers.filter_map(|(rank, it)| Some(((*rank)?, &*it.name))).collect();
        ranked.sort_unstable();
        keeps.push(ranked.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(", "));
    }
    format!("{} keeps to {}", policy.name, keeps.join(" and "))
}

fn dialect(query: &Query<'_>, index: u32) -> String {
    let candidate = &query.fleet.candidates()[index as usize];
    let own = match query.ask.speaks {
        Speaks::Dialect(own) => own,
        Speaks::Plain => Dialect::Pas,
    };
    match candidate.dialects {
        Some(dialects) => {
            format!("translation {own} -> {} does not exist yet", dialects.first())
        }
        None => {
            let known = Dialect::ALL.map(Dialect::as_str).join(", ");
            let label = candidate.service.label("dialects").unwrap_or_default();
            format!("speaks {label}, known are {known}")
        }
    }
}

fn price(query: &Query<'_>, index: u32) -> String {
    let max = query.max_cost.unwrap_or_default();
    let allowed = match max.as_nanos() {
        0 => "only what is free is allowed".to_owned(),
        _ => format!("at most ${max} is allowed"),
    };
    match query.cost(index).usd {
        Some(usd) => format!("about ${usd}, {allowed}"),
        None => format!("unknown, {allowed}"),
    }
}

/// Tokens that are needed, as people say it: rounded up.
fn up(tokens: u64) -> String {
    if tokens < 1_000 { tokens.to_string() } else { format!("{}k", tokens.div_ceil(1_000)) }
}

/// Tokens that there are: rounded down.
fn down(tokens: u64) -> String {
    if tokens < 1_000 { tokens.to_string() } else { format!("{}k", tokens / 1_000) }
}

fn time(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{:.0} ms", seconds * 1e3)
    } else if seconds < 10.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{seconds:.0} s")
    }
}
