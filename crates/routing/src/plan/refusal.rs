//! What a caller is told for whom there is nobody.

use std::time::Duration;

use pas_types::invoke::TargetType;
use pas_types::routing::Exclusion;
use pas_types::{Error, ErrorCode};

use super::Plan;
use super::query::Query;
use crate::ask::Wanted;

/// Seconds after which a paused service may be asked for again.
const PAUSED_S: u64 = 5;
/// Bytes of a reason in the message; the receipt has all of it.
const REASON_BYTES: usize = 200;

/// The error: who won't do, and why; and whether somebody could come back.
pub(super) fn of(query: &Query<'_>, plan: &Plan, soonest: Option<Duration>) -> Error {
    let message = message(query, plan);
    // Whoever shortens it helps himself: all else about the nearest misses is as it should be.
    if plan.counts.iter().map(|(code, _)| code).max() == Some(Exclusion::Context) {
        let answer = query.ask.output_tokens.map_or_else(String::new, |tokens| {
            format!(", with the {tokens} tokens of an answer that are asked for")
        });
        return Error::too_long(format!("the prompt is too long{answer}: {message}"));
    }
    let mut passing = plan.counts.iter().filter(|(code, _)| code.passes()).map(|(code, _)| code).peekable();
    if passing.peek().is_none() {
        return Error::new(ErrorCode::NoCandidate, message);
    }
    let passing: Vec<Exclusion> = passing.collect();
    let soonest = soonest.map(|soonest| soonest.as_secs_f64().ceil().max(1.0) as u64);
    if passing == [Exclusion::Paused] {
        return Error::new(ErrorCode::Paused, message).with_retry_after(PAUSED_S);
    }
    // Nobody is helped by asking again soon.
    if passing == [Exclusion::Credential] {
        return Error::new(ErrorCode::Unauthenticated, message);
    }
    if passing.iter().all(|code| matches!(code, Exclusion::Credential | Exclusion::Spent)) {
        return Error::new(ErrorCode::BudgetExhausted, message);
    }
    let is_limit = |code: &Exclusion| matches!(code, Exclusion::RateLimit | Exclusion::CoolDown);
    let error = if passing.iter().all(is_limit) {
        Error::new(ErrorCode::RateLimited, message)
    } else {
        Error::new(ErrorCode::NoCandidate, message).with_status(503)
    };
    match soonest {
        Some(seconds) => error.with_retry_after(seconds),
        None => error,
    }
}

fn message(query: &Query<'_>, plan: &Plan) -> String {
    let wanted = wanted(query);
    let total = plan.counts.total();
    if total == 0 {
        return nobody(query, &wanted);
    }
    let listed = plan.excluded.iter().filter_map(|excluded| {
        let candidate = query.fleet.candidate(excluded.index)?;
        let shown = &excluded.reason[..excluded.reason.floor_char_boundary(REASON_BYTES)];
        let more = if shown.len() < excluded.reason.len() { "…" } else { "" };
        let name = &candidate.service.name;
        Some(if **name == *candidate.model {
            format!("{name} ({shown}{more})")
        } else {
            format!("{name} with {} ({shown}{more})", candidate.model)
        })
    });
    let mut listed: Vec<String> = listed.collect();
    let rest = total.saturating_sub(listed.len() as u32);
    if rest > 0 {
        let counts = plan.counts.iter().map(|(code, count)| format!("{code} {count}"));
        listed.push(format!("{rest} more; in all: {}", counts.collect::<Vec<_>>().join(", ")));
    }
    format!("nobody can answer a call for {wanted}: {}", listed.join(", "))
}

/// Nobody of those who are registered is meant at all.
fn nobody(query: &Query<'_>, wanted: &str) -> String {
    let ask = &query.ask;
    match (ask.name, ask.wanted) {
        (Some(_), _) => format!(
            "there is no {}: GET /discover of the registry lists what there is",
            wanted.trim_start_matches("an ").trim_start_matches("a ")
        ),
        (None, Wanted::Other(word)) => format!(
            "nobody knows `{word}`: it is no route, no model, no alias, and no service that is registered; \
             GET /v1/models lists what can be asked for"
        ),
        (None, Wanted::Model(_) | Wanted::Route(_)) => {
            format!("nobody who is registered serves {wanted}: start what does, or ask for another model")
        }
        (None, Wanted::Any | Wanted::Caps(_)) => {
            format!("nobody can answer a call for {wanted}: no {} is registered", ask.target_type)
        }
    }
}

/// What is wanted, in words.
fn wanted(query: &Query<'_>) -> String {
    let (ask, table) = (&query.ask, query.fleet.table());
    let article = if ask.target_type == TargetType::Agent { "an" } else { "a" };
    let mut words = format!("{article} {}", ask.target_type);
    match ask.wanted {
        Wanted::Any | Wanted::Caps(_) => {}
        Wanted::Route(route) => words.push_str(&format!(" by the route {}", table.route_name(route))),
        Wanted::Model(model) => words = format!("the model {}", table.model_name(model)),
        Wanted::Other(word) => words = format!("the model {word}"),
    }
    if let Some(name) = ask.name {
        words.push_str(&format!(" named {name}"));
    }
    let caps: Vec<&str> = query.named_caps().collect();
    if !caps.is_empty() {
        words.push_str(&format!(" with {}", caps.join(", ")));
    }
    words
}
