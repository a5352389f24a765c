//! The attempts of a call, one after the other, until one brings an answer or nobody is left to be asked.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use pas_dialects::said::Meaning;
use pas_routing::{Choice, Plan};
use pas_service::clock;
use pas_types::id::ServiceId;
use pas_types::{Error, ErrorCode};
use tokio::time::Instant;

use super::attempt::{Failed, attempt};
use super::whole::{AsIs, Whole};
use super::{Outcome, Way};
use crate::core::breaker::{Held, Out};
use crate::core::fault::{Fault, Next};
use crate::lane::Lane;
use crate::ledger::Ledger;

/// The longest pause before an attempt is repeated, doubling from one to the next.
const BACK_OFF: Duration = Duration::from_millis(100);

/// What is known of the failures of a call.
struct Failures {
    attempts: u32,
    /// Those that found only that a provider doesn't have the model, which says nothing where another failed.
    missing: u32,
    /// The last of the others; where there is none, the last of these.
    last: Option<Box<Failed>>,
    last_asked: Option<(Choice, Arc<Lane>)>,
    /// All of them were refused for having had too much.
    only_busy: bool,
    /// All of them were refused with their credentials.
    only_credentials: bool,
    /// With one of these nothing is left to spend.
    any_spent: bool,
}

impl Failures {
    fn new() -> Self {
        Self {
            attempts: 0,
            missing: 0,
            last: None,
            last_asked: None,
            only_busy: true,
            only_credentials: true,
            any_spent: false,
        }
    }

    fn add(&mut self, failed: Box<Failed>, choice: &Choice, lane: &Arc<Lane>) {
        let fault = failed.fault;
        if fault.verdict().next == Next::Another {
            self.missing += 1;
            if self.attempts > self.missing {
                return;
            }
        } else {
            self.only_busy &=
                matches!(fault, Fault::Limited | Fault::Status { meaning: Meaning::RateLimited, .. });
            self.only_credentials &= fault.credential_out().is_some();
            self.any_spent |= fault.credential_out() == Some(Out::Spent);
        }
        self.last_asked = Some((*choice, Arc::clone(lane)));
        self.last = Some(failed);
    }
}

/// Tries, as the plan says.
pub(super) async fn attempts(way: &Way<'_>, plan: &Plan, ledger: &mut Ledger) -> Result<Outcome, Error> {
    let mut failures = Failures::new();
    let mut larger_than = 0;
    // What only one provider has, another can't go on from.
    let bound_to = match way.call.asked.needs.bound && way.rules.fallback && plan.choices.len() > 1 {
        true => plan.choices.first().map(|first| provider(way, first)),
        false => None,
    };
    if let Some(provider) = bound_to {
        let who = provider.map_or("nobody else is asked".to_owned(), |name| format!("only {name} is asked"));
        ledger.note(format!("bound to what one provider has: {who}"));
    }
    let mut left: Vec<&Choice> = plan.choices.iter().collect();
    let mut tried: Vec<ServiceId> = Vec::new();
    'choices: while !left.is_empty() {
        let choice = left.remove(next(way, &left, &tried));
        let Some(lane) = way.snapshot.lane(choice.index) else { continue };
        let is_others = |one: Option<&str>| one.is_none() || provider(way, choice) != one;
        if failures.attempts > 0 && bound_to.is_some_and(is_others) {
            continue;
        }
        let room = way.snapshot.fleet.candidate(choice.index).and_then(|candidate| candidate.ctx_limit);
        if failures.attempts > 0
            && (lane.held(clock::monotonic()).is_some() || room.is_some_and(|room| room <= larger_than))
        {
            continue;
        }
        // Once, and where that helps once more.
        for turn in 0..2 {
            if failures.attempts >= way.rules.max_attempts {
                break 'choices;
            }
            failures.attempts += 1;
            let mut failed = match attempt(way, choice, lane, ledger).await {
                Ok(outcome) => return Ok(outcome),
                Err(failed) => failed,
            };
            let verdict = failed.fault.verdict();
            // Who merely has too little room for it, or not that model, may have another that will do.
            if !matches!(verdict.next, Next::Larger | Next::Another) && !tried.contains(&lane.service_id) {
                tried.push(lane.service_id);
            }
            let may_repeat = way.repeatable || verdict.unsent;
            let next = verdict.next;
            if (next == Next::Return || (next == Next::Another && !may_repeat))
                && let Some(as_is) = failed.as_is.take()
            {
                return Ok(returned(choice, lane, ledger, as_is));
            }
            failures.add(failed, choice, lane);
            match next {
                Next::Stop => return Err(exhausted(way, &failures)),
                _ if !may_repeat => return Err(exhausted(way, &failures)),
                Next::Again if turn == 0 && failures.attempts < way.rules.max_attempts => {
                    pause(way, failures.attempts).await;
                    if lane.held(clock::monotonic()).is_some() {
                        break;
                    }
                }
                Next::Larger => {
                    larger_than = room.unwrap_or(u64::MAX);
                    break;
                }
                Next::Return | Next::Again | Next::Another | Next::Elsewhere => break,
            }
        }
        if !way.rules.fallback {
            break;
        }
    }
    let is_callers =
        |failed: &&mut Box<Failed>| matches!(failed.fault.verdict().next, Next::Larger | Next::Another);
    if let Some(as_is) = failures.last.as_mut().filter(is_callers).and_then(|failed| failed.as_is.take())
        && let Some((choice, lane)) = &failures.last_asked
    {
        return Ok(returned(choice, lane, ledger, as_is));
    }
    Err(exhausted(way, &failures))
}

/// The place of the one to be asked next: in the order of the plan, but a service that has failed comes after those that have not,
/// since what keeps it from answering with one model mostly does with another as well.
fn next(way: &Way<'_>, left: &[&Choice], tried: &[ServiceId]) -> usize {
    let is_fresh = |choice: &&Choice| {
        way.snapshot.lane(choice.index).is_some_and(|lane| !tried.contains(&lane.service_id))
    };
    left.iter().position(is_fresh).unwrap_or_default()
}

/// Whose service it is, by its own word.
fn provider<'a>(way: &'a Way<'_>, choice: &Choice) -> Option<&'a str> {
    way.snapshot.fleet.candidate(choice.index)?.service.label("provider")
}

/// The provider's own answer, where it is the caller's business.
fn returned(choice: &Choice, lane: &Arc<Lane>, ledger: &mut Ledger, as_is: AsIs) -> Outcome {
    ledger.resolved(choice, lane, None);
    Outcome::Whole(Box::new(Whole::refusal(as_is)))
}

async fn pause(way: &Way<'_>, attempt: u32) {
    let longest = BACK_OFF * 2_u32.saturating_pow(attempt.saturating_sub(1).min(4));
    let until = Instant::now() + clock::jittered(longest, 1.0);
    way.alarm.before(until.min(way.deadline), pin!(pending::<()>())).await;
}

/// What the caller is told when nobody is left to be asked.
fn exhausted(way: &Way<'_>, failures: &Failures) -> Error {
    let Some(failed) = &failures.last else {
        return Error::unavailable("nobody could be asked: those who fit have no address");
    };
    let name = failures.last_asked.as_ref().map_or("whoever was asked", |(_, lane)| &*lane.name);
    let tried = match failures.attempts.saturating_sub(failures.missing) {
        0 | 1 => "the attempt failed".to_owned(),
        several => format!("{several} attempts failed; the last"),
    };
    let said = failed.in_words();
    if failures.only_busy {
        let wait = soonest_cool_down(way).unwrap_or(Duration::from_secs(1));
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let message = format!("{tried}: {name} {said}; nobody else can be asked before {seconds} s");
        return Error::new(ErrorCode::RateLimited, message).with_retry_after(seconds.max(1));
    }
    // Nobody is helped by asking again, which is what clients do after a 5xx.
    if failures.only_credentials {
        let message = format!("{tried}: {name} {said}");
        return match failed.fault {
            Fault::Status { status: 429, .. } => {
                Error::new(ErrorCode::BudgetExhausted, message).with_status(429)
            }
            _ if failures.any_spent => Error::new(ErrorCode::BudgetExhausted, message),
            Fault::Status { status: 403, .. } => Error::new(ErrorCode::PermissionDenied, message),
            _ => Error::new(ErrorCode::Unauthenticated, message),
        };
    }
    match failed.fault {
        Fault::Deadline { .. } => {
            let seconds = way.rules.call.as_secs_f64();
            let message = format!("the call's {seconds} s are over: {tried}: {name} {said}");
            Error::new(ErrorCode::UpstreamTimeout, message)
        }
        Fault::Held => Error::unavailable(format!("{tried}: {name} {said}")).with_retry_after(1),
        Fault::FirstToken | Fault::Stalled | Fault::ConnectTimeout => {
            Error::new(ErrorCode::UpstreamTimeout, format!("{tried}: {name} {said}"))
        }
        // What asks for patience is passed on as it was said: clients know what to do then.
        Fault::Status { status: status @ (503 | 504 | 529), .. } => {
            Error::new(ErrorCode::UpstreamError, format!("{tried}: {name} {said}")).with_status(status)
        }
        _ => Error::new(ErrorCode::UpstreamError, format!("{tried}: {name} {said}")),
    }
}

/// How long until one of those who rest may be asked again.
fn soonest_cool_down(way: &Way<'_>) -> Option<Duration> {
    let now = clock::monotonic();
    let lanes = (0..).map_while(|index| {
        (index < way.snapshot.fleet.candidates().len() as u32).then(|| way.snapshot.lane(index))
    });
    let waits = lanes.flatten().filter_map(|lane| match lane.held(now) {
        Some(Held::CoolDown(until)) => Some(until.saturating_sub(now)),
        _ => None,
    });
    waits.min()
}
