//! One call, from when it is decoded to when it is answered: admit → plan → attempt (1..n) → settle. The same for every
//! route. Nothing here waits for another process but the one that is asked.

mod attempt;
mod flow;
mod passing;
mod request;
mod whole;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use pas_dialects::error::Meaning;
use pas_routing::{Ask, Choice, Held as Withheld, Needs, Plan, Rules, Speaks, explain, plan, resolve};
use pas_service::clock;
use pas_types::event::CallStatus;
use pas_types::invoke::{Delivery, TargetType};
use pas_types::receipt::{Dialects, RoutingReceipt, TargetRequest};
use pas_types::routing::{Dialect, Exclusion};
use pas_types::{Error, ErrorCode};
use tokio::time::Instant;

use crate::app::App;
use crate::call::{Call, Form, Handed, Operation};
use crate::core::breaker::Held;
use crate::core::fault::{Fault, Next};
use crate::inflight::Flight;
use crate::lane::Lane;
use crate::ledger::Ledger;
use crate::receipts::Unavailable;
use crate::snapshot::Snapshot;

pub use passing::Passing;
pub use request::text_of;

/// Candidates up to which every plan is explained: the reasons cost little then.
const EXPLAINED: usize = 64;
/// The longest pause before an attempt is repeated, doubling from one to the next.
const BACK_OFF: Duration = Duration::from_millis(100);

/// What a call came to.
#[derive(Debug)]
pub enum Reply {
    /// An answer that is whole, and whose receipt is written.
    Whole(Box<Answered>),
    /// An answer that is passed on as it comes.
    Passing(Box<Streaming>),
    /// None.
    Refused(Box<Refused>),
}

/// A whole answer.
#[derive(Debug)]
pub struct Answered {
    /// Its status.
    pub status: StatusCode,
    /// The headers that go back.
    pub headers: HeaderMap,
    /// Its body, byte for byte.
    pub body: Bytes,
    /// Its text, where it was to be read off.
    pub text: Option<String>,
    /// Whether it is an answer, and not a provider's own refusal.
    pub is_answer: bool,
    /// The dialect of whoever answered.
    pub dialect: Dialect,
    /// What the receipt says.
    pub receipt: Box<RoutingReceipt>,
}

/// An answer that is passed on as it comes.
#[derive(Debug)]
pub struct Streaming {
    /// The headers that go back.
    pub headers: HeaderMap,
    /// Who answers, and with which model.
    pub served_by: (Arc<str>, Arc<str>),
    /// What comes.
    pub body: Passing,
}

/// A call without an answer.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub error: Error,
    /// What the receipt says.
    pub receipt: Option<Box<RoutingReceipt>>,
}

/// A call on its way: what all of its attempts share.
pub(crate) struct Way<'a> {
    pub(crate) app: &'a App,
    pub(crate) call: &'a Call,
    pub(crate) snapshot: &'a Arc<Snapshot>,
    pub(crate) rules: &'a Rules,
    /// The end of the whole call.
    pub(crate) deadline: Instant,
    /// Whether its caller set that.
    pub(crate) by_caller: bool,
    /// Whether it may be sent again after it may have been begun on.
    pub(crate) repeatable: bool,
}

/// Carries a call out.
pub async fn run(app: &App, call: &Call) -> Reply {
    let snapshot = app.snapshots().take();
    let receipt = first_receipt(call, &snapshot);
    let came = call.came.monotonic;
    let flight =
        Flight::new(call.run_id.clone(), call.came.wall.into(), came, call.route, call.wishes.agent.clone());
    let Some(flight) = app.in_flight().list(flight) else {
        let most = app.in_flight().most();
        let error =
            Error::unavailable(format!("{most} calls are under way, which is the most: try again soon"));
        return app.refuse_unlisted(receipt, error.with_retry_after(1)).await;
    };
    let mut ledger = Ledger::new(app.clone(), Arc::clone(&snapshot), receipt, came, flight);
    match carry_out(app, call, &snapshot, &mut ledger).await {
        Ok(Outcome::Whole(answered)) => settle_whole(*answered, ledger).await,
        Ok(Outcome::Stream(stream)) => {
            let served_by = (Arc::clone(&stream.lane.name), Arc::clone(&stream.lane.model));
            let headers = stream.headers.clone();
            Reply::Passing(Box::new(Streaming {
                headers,
                served_by,
                body: Passing::new(call, *stream, ledger),
            }))
        }
        Err((status, error)) => refuse(status, error, ledger).await,
    }
}

/// What would be done, and nothing of it.
pub fn dry_run(app: &App, call: &Call) -> Result<Box<RoutingReceipt>, Error> {
    let snapshot = app.snapshots().take();
    let receipt = first_receipt(call, &snapshot);
    let came = call.came.monotonic;
    let flight =
        Flight::new(call.run_id.clone(), call.came.wall.into(), came, call.route, call.wishes.agent.clone());
    let flight =
        app.in_flight().list(flight).ok_or_else(|| Error::unavailable("too many calls are under way"))?;
    let mut ledger = Ledger::new(app.clone(), Arc::clone(&snapshot), receipt, came, flight);
    ledger.note("dry run: nothing was sent, and no receipt is kept");
    let planned = admit(app, call, &snapshot, &mut ledger)
        .and_then(|()| planned(app, call, &snapshot, &mut ledger, true).map(|(_, plan)| plan));
    let (status, error) = match &planned {
        Ok(plan) => {
            let first = plan.choices.first().and_then(|choice| Some((choice, snapshot.lane(choice.index)?)));
            if let Some((choice, lane)) = first {
                ledger.resolved(choice, lane, None);
            }
            (CallStatus::Ok, None)
        }
        Err(error) => (CallStatus::Refused, Some(error)),
    };
    ledger.would_be(status, error).ok_or_else(|| Error::new(ErrorCode::Internal, "the receipt is missing"))
}

/// What an attempt brought that needs no other.
enum Outcome {
    Whole(Box<whole::Whole>),
    Stream(Box<attempt::Begun>),
}

type Ending = (CallStatus, Error);

async fn carry_out(
    app: &App,
    call: &Call,
    snapshot: &Arc<Snapshot>,
    ledger: &mut Ledger,
) -> Result<Outcome, Ending> {
    let refused = |error: Error| (CallStatus::Refused, error);
    admit(app, call, snapshot, ledger).map_err(refused)?;
    let (rules, plan) = planned(app, call, snapshot, ledger, false).map_err(refused)?;
    ledger.content = app.content(rules.privacy, call);
    let left = rules.call.saturating_sub(clock::now().monotonic.saturating_sub(call.came.monotonic));
    let way = Way {
        app,
        call,
        snapshot,
        rules: &rules,
        deadline: Instant::now() + left,
        by_caller: call.wishes.policy.timeout_s.is_some(),
        repeatable: call.target.target_type == TargetType::Model,
    };
    ledger.open().map_err(|unavailable| refused(unavailable.into()))?;
    let cancelled = ledger.flight.cancel.clone();
    let ended = tokio::select! {
        biased;
        ended = attempts(&way, &plan, ledger) => ended,
        () = cancelled.cancelled() => {
            let error = Error::conflict("run_id", "the call was cancelled by an operator: it is not tried again");
            return Err((CallStatus::Cancelled, error));
        }
    };
    ended.map_err(|error| (CallStatus::Error, error))
}

/// Whether the call may go on at all.
fn admit(app: &App, call: &Call, snapshot: &Snapshot, ledger: &mut Ledger) -> Result<(), Error> {
    if !app.receipts().is_writable() {
        return Err(Unavailable::Disk.into());
    }
    if let Some(agent) = call.wishes.agent.as_deref()
        && snapshot.is_paused(agent)
    {
        let message = format!("the agent {agent} is paused: an operator resumes it");
        return Err(Error::new(ErrorCode::Paused, message).with_field("agent").with_retry_after(5));
    }
    if let Some(grant) =
        app.take_limit(call.wishes.agent.as_deref(), None, None, call.asked.input_estimate)?
    {
        ledger.took_of_caller(call.wishes.agent.as_deref(), grant);
    }
    Ok(())
}

fn first_receipt(call: &Call, snapshot: &Snapshot) -> RoutingReceipt {
    let new =
        RoutingReceipt::new(call.run_id.clone(), call.came.wall.into(), call.route, CallStatus::Cancelled);
    let target = &call.target;
    let named = |name: &Option<String>| name.as_deref().map(Arc::from);
    let dialects = Dialects { incoming: Some(call.dialect.as_str().into()), outgoing: None };
    RoutingReceipt {
        agent: call.wishes.agent.as_deref().map(Arc::from),
        agent_run_id: call.wishes.agent_run_id.clone(),
        budget: call.wishes.policy.budget.as_deref().map(Arc::from),
        dialect: dialects,
        target_request: Some(Arc::new(TargetRequest {
            target_type: Some(target.target_type.as_str().into()),
            role: target.role.map(|role| role.as_str().into()),
            require_caps: target.require_caps.iter().map(|cap| cap.as_str().into()).collect(),
            name: named(&target.name),
            model: named(&target.model),
            labels: target
                .labels
                .iter()
                .map(|(key, value)| (key.as_str().into(), value.as_str().into()))
                .collect(),
        })),
        snapshot: Some(snapshot.used()),
        ..new
    }
}

/// Who is to be asked.
fn planned(
    app: &App,
    call: &Call,
    snapshot: &Arc<Snapshot>,
    ledger: &mut Ledger,
    in_full: bool,
) -> Result<(Rules, Plan), Error> {
    let table = snapshot.table();
    let base = match call.route {
        "/invoke" => Ask::of_target(table, &call.target)?,
        _ => Ask::of(
            call.target.model.as_deref().map_or(Ok(Default::default()), |model| resolve(table, model))?,
        ),
    };
    let ask = Ask {
        speaks: match &call.body {
            Handed::Text { .. } => Speaks::Plain,
            Handed::Bytes(_) => Speaks::Dialect(call.operation.dialect()),
        },
        needs: needs(call),
        input_tokens: call.asked.input_estimate,
        output_tokens: call.asked.max_output,
        agent: call.wishes.agent.as_deref(),
        ..base
    };
    let rules = table.rules(Some(&call.wishes.policy), &ask)?;
    let ask = Ask { deadline: Some(rules.call), ..ask };
    ledger.policy(table.policy_name(rules.policy));
    let begun = clock::now().monotonic;
    let in_full = in_full || snapshot.fleet.candidates().len() <= EXPLAINED;
    let choose = |ignore_breakers: bool| {
        let exclude = |index: u32, candidate: &pas_routing::Candidate| {
            app.withheld(snapshot, index, candidate, call, ignore_breakers)
        };
        let mut scratch = app.scratch();
        match in_full {
            true => explain(&snapshot.fleet, &ask, &rules, &exclude, &mut scratch),
            false => plan(&snapshot.fleet, &ask, &rules, &exclude, &mut scratch),
        }
    };
    let mut plan = choose(false);
    if plan.choices.is_empty() && plan.counts.iter().any(|(code, _)| code == Exclusion::Breaker) {
        // Rather than refuse all, the one whose breaker may try soonest is tried.
        let mut anyway = choose(true);
        if let Some(soonest) = soonest(snapshot, &anyway) {
            anyway.choices = vec![soonest];
            ledger.note("every breaker is open: the soonest is tried");
            plan = anyway;
        }
    }
    ledger.plan(&plan, clock::now().monotonic.saturating_sub(begun));
    match plan.refusal {
        Some(refusal) if plan.choices.is_empty() => Err(refusal),
        _ => Ok((rules, plan)),
    }
}

/// The choice whose breaker is open for the shortest time, and nobody tries yet.
fn soonest(snapshot: &Snapshot, plan: &Plan) -> Option<Choice> {
    let open = plan.choices.iter().filter_map(|choice| match snapshot.lane(choice.index)?.held() {
        Some(Held::Open(until)) => Some((until, *choice)),
        _ => None,
    });
    open.min_by_key(|(until, _)| *until).map(|(_, choice)| choice)
}

fn needs(call: &Call) -> Needs {
    let found = call.asked.needs;
    let mut needs = Needs::NONE;
    for (is_found, need) in [
        (found.tools, Needs::TOOLS),
        (found.vision, Needs::VISION),
        (found.json_schema, Needs::JSON_SCHEMA),
        (found.thinking, Needs::THINKING),
        (found.prefill, Needs::PREFILL),
        (call.operation == Operation::Embeddings, Needs::EMBED),
    ] {
        if is_found {
            needs |= need;
        }
    }
    needs
}

/// What is known of the failures of a call.
#[derive(Default)]
struct Failures {
    attempts: u32,
    last: Option<Box<attempt::Failed>>,
    last_name: String,
    /// All of them were refused for having had too much.
    only_busy: bool,
}

async fn attempts(way: &Way<'_>, plan: &Plan, ledger: &mut Ledger) -> Result<Outcome, Error> {
    let mut failures = Failures { only_busy: true, ..Failures::default() };
    let mut larger_than = 0;
    for choice in &plan.choices {
        let Some(lane) = way.snapshot.lane(choice.index) else { continue };
        let room = way.snapshot.fleet.candidate(choice.index).and_then(|candidate| candidate.ctx_limit);
        if failures.attempts > 0 && (lane.held().is_some() || room.is_some_and(|room| room <= larger_than)) {
            continue;
        }
        // Once, and where that helps once more.
        for turn in 0..2 {
            if failures.attempts >= way.rules.max_attempts {
                return Err(exhausted(way, &failures));
            }
            failures.attempts += 1;
            let failed = match attempt::attempt(way, choice, lane, ledger).await {
                Ok(outcome) => return Ok(outcome),
                Err(failed) => failed,
            };
            let verdict = failed.fault.verdict();
            failures.only_busy &= matches!(failed.fault, Fault::Status { meaning: Meaning::RateLimited, .. });
            failures.last_name = lane.name.to_string();
            let may_repeat = way.repeatable || verdict.unsent;
            let next = verdict.next;
            let as_is = failed.as_is.is_some();
            failures.last = Some(failed);
            match next {
                Next::Return if as_is => return returned(way, choice, lane, ledger, &mut failures),
                Next::Stop => return Err(exhausted(way, &failures)),
                _ if !may_repeat => return Err(exhausted(way, &failures)),
                Next::Again if turn == 0 && failures.attempts < way.rules.max_attempts => {
                    pause(way, failures.attempts).await;
                    if lane.held().is_some() {
                        break;
                    }
                }
                Next::Larger => {
                    larger_than = room.unwrap_or(u64::MAX);
                    break;
                }
                Next::Return | Next::Again | Next::Elsewhere => break,
            }
        }
        if !way.rules.fallback {
            break;
        }
    }
    let was_too_long =
        matches!(failures.last.as_ref().map(|failed| failed.fault.verdict().next), Some(Next::Larger));
    if was_too_long && let Some((choice, lane)) = last_tried(way, plan, &failures) {
        return returned(way, &choice, &lane, ledger, &mut failures);
    }
    Err(exhausted(way, &failures))
}

fn last_tried(way: &Way<'_>, plan: &Plan, failures: &Failures) -> Option<(Choice, Arc<Lane>)> {
    failures.last.as_ref()?.as_is.as_ref()?;
    plan.choices.iter().find_map(|choice| {
        let lane = way.snapshot.lane(choice.index)?;
        (*lane.name == *failures.last_name).then(|| (*choice, Arc::clone(lane)))
    })
}

/// The provider's own answer, where it is the caller's business.
fn returned(
    way: &Way<'_>,
    choice: &Choice,
    lane: &Arc<Lane>,
    ledger: &mut Ledger,
    failures: &mut Failures,
) -> Result<Outcome, Error> {
    let as_is = failures.last.as_mut().and_then(|failed| failed.as_is.take());
    let Some(as_is) = as_is else { return Err(exhausted(way, failures)) };
    ledger.resolved(choice, lane, None);
    Ok(Outcome::Whole(Box::new(whole::Whole::refusal(as_is, choice.dialect))))
}

async fn pause(way: &Way<'_>, attempt: u32) {
    let longest = BACK_OFF * 2_u32.saturating_pow(attempt.saturating_sub(1).min(4));
    let until = Instant::now() + clock::jittered(longest, 1.0);
    tokio::time::sleep_until(until.min(way.deadline)).await;
}

/// What the caller is told when nobody is left to be asked.
fn exhausted(way: &Way<'_>, failures: &Failures) -> Error {
    let Some(failed) = &failures.last else {
        return Error::unavailable("nobody could be asked: those who fit have no address");
    };
    let name = &failures.last_name;
    let tried = match failures.attempts {
        1 => "the attempt failed".to_owned(),
        several => format!("{several} attempts failed; the last"),
    };
    let said = failed.in_words();
    if failures.only_busy {
        let wait = soonest_cool_down(way).unwrap_or(Duration::from_secs(1));
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let message = format!("{tried}: {name} {said}; nobody else can be asked before {seconds} s");
        return Error::new(ErrorCode::RateLimited, message).with_retry_after(seconds.max(1));
    }
    match failed.fault {
        Fault::Deadline { .. } => {
            let seconds = way.rules.call.as_secs_f64();
            let message = format!("the call's {seconds} s are over: {tried}: {name} {said}");
            Error::new(ErrorCode::UpstreamTimeout, message)
        }
        Fault::FirstToken | Fault::Stalled | Fault::ConnectTimeout => {
            Error::new(ErrorCode::UpstreamTimeout, format!("{tried}: {name} {said}"))
        }
        _ => Error::new(ErrorCode::UpstreamError, format!("{tried}: {name} {said}")),
    }
}

/// How long until one of those who rest may be asked again.
fn soonest_cool_down(way: &Way<'_>) -> Option<Duration> {
    let now = clock::now().monotonic;
    let lanes = (0..).map_while(|index| {
        (index < way.snapshot.fleet.candidates().len() as u32).then(|| way.snapshot.lane(index))
    });
    let waits = lanes.flatten().filter_map(|lane| match lane.held() {
        Some(Held::CoolDown(until)) => Some(until.saturating_sub(now)),
        _ => None,
    });
    waits.min()
}

async fn settle_whole(whole: whole::Whole, mut ledger: Ledger) -> Reply {
    let status = if whole.is_answer { CallStatus::Ok } else { CallStatus::Error };
    let error = (!whole.is_answer).then(|| whole.refusal_error());
    let Some((receipt, settled)) = ledger.finish(status, error.as_ref()) else {
        return Reply::Refused(Box::new(Refused {
            error: Error::unavailable("the call has no receipt"),
            receipt: None,
        }));
    };
    match settled.await {
        Ok(_) => Reply::Whole(Box::new(Answered {
            status: whole.status,
            headers: whole.headers,
            body: whole.body,
            text: whole.text,
            is_answer: whole.is_answer,
            dialect: whole.dialect,
            receipt,
        })),
        // Without its receipt no answer goes out.
        Err(unavailable) => {
            Reply::Refused(Box::new(Refused { error: unavailable.into(), receipt: Some(receipt) }))
        }
    }
}

async fn refuse(status: CallStatus, error: Error, mut ledger: Ledger) -> Reply {
    let Some((receipt, settled)) = ledger.finish(status, Some(&error)) else {
        return Reply::Refused(Box::new(Refused { error, receipt: None }));
    };
    // It is told all the same: it has cost nothing that would be lost, or its receipt waits to be written.
    let _ = settled.await;
    Reply::Refused(Box::new(Refused { error, receipt: Some(receipt) }))
}

/// Why a candidate rests, as the choice wants to know it.
pub(crate) fn withheld(held: Held, now: Duration) -> Withheld {
    let (code, until) = match held {
        Held::Open(until) => (Exclusion::Breaker, Some(until)),
        Held::Probing => (Exclusion::Breaker, Some(now + Duration::from_secs(1))),
        Held::CoolDown(until) => (Exclusion::CoolDown, Some(until)),
        Held::Credential(until) => (Exclusion::Credential, Some(until)),
    };
    Withheld { code, until: until.map(|until| until.saturating_sub(now)) }
}

/// How a call's stream is to be passed on, by its caller's wish or the policy.
pub fn delivery(app: &App, call: &Call) -> Delivery {
    let snapshot = app.snapshots().take();
    let table = snapshot.table();
    let wanted = call.target.model.as_deref().map_or(Ok(Default::default()), |model| resolve(table, model));
    // What is wrong is found out when it is planned.
    let rules = wanted.and_then(|wanted| table.rules(Some(&call.wishes.policy), &Ask::of(wanted)));
    rules.map_or(Delivery::Live, |rules| rules.delivery)
}

/// Whether a stream is held until it is whole.
pub(crate) fn is_atomic(call: &Call, rules: &Rules) -> bool {
    call.form != Form::Whole && rules.delivery == Delivery::Atomic
}
