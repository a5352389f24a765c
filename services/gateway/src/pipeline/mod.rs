//! One call, from when it is decoded to when it is answered: admit → plan → attempt (1..n) → settle. The same for every
//! route. Nothing here waits for another process but the one that is asked.

mod alarm;
mod attempt;
mod attempts;
mod exchange;
mod flow;
mod passing;
mod plan;
mod request;
mod whole;

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use pas_routing::Rules;
use pas_service::clock;
use pas_types::event::CallStatus;
use pas_types::invoke::TargetType;
use pas_types::receipt::{Dialects, RoutingReceipt, TargetRequest};
use pas_types::{Error, ErrorCode};
use tokio::time::{Instant, sleep_until};

use crate::app::App;
use crate::call::Call;
use crate::inflight::Flight;
use crate::lane::Lane;
use crate::ledger::Ledger;
use crate::receipts::{Opened, Unavailable};
use crate::snapshot::Snapshot;

use alarm::Alarm;
use attempts::attempts;
use plan::planned;

pub use passing::Passing;
pub use plan::delivery;
pub(crate) use plan::withheld;
pub use request::text_of;

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
    /// Who answered.
    pub lane: Option<Arc<Lane>>,
    /// What the receipt says, where the route shows it.
    pub receipt: Option<Arc<RoutingReceipt>>,
}

/// An answer that is passed on as it comes.
#[derive(Debug)]
pub struct Streaming {
    /// The headers that go back.
    pub headers: HeaderMap,
    /// Who answers.
    pub lane: Arc<Lane>,
    /// What comes.
    pub body: Passing,
}

/// A call without an answer.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub error: Error,
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
    /// Whether a breaker that is open is no reason not to try.
    pub(crate) anyway: bool,
    /// Whether it may be sent again after it may have been begun on.
    pub(crate) repeatable: bool,
    /// Ends what takes too long, and has the journal told of a call that is long: whatever an attempt waits for, it waits for by
    /// this.
    alarm: Alarm<'a>,
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
        Ok(Outcome::Whole(answered)) => settle_whole(call, *answered, ledger).await,
        Ok(Outcome::Stream(stream)) => {
            let lane = Arc::clone(&stream.lane);
            let headers = stream.headers.clone();
            Reply::Passing(Box::new(Streaming { headers, lane, body: Passing::new(call, *stream, ledger) }))
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
        .and_then(|()| planned(app, call, &snapshot, &mut ledger, true).map(|(_, plan, _)| plan));
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
    let (rules, plan, anyway) = planned(app, call, snapshot, ledger, false).map_err(refused)?;
    ledger.content = Some(app.content(rules.privacy, call));
    let opened = ledger.open().map_err(|unavailable| refused(unavailable.into()))?;
    let (now, so_far) = (Instant::now(), clock::monotonic().saturating_sub(call.came.monotonic));
    let deadline = now + rules.call.saturating_sub(so_far);
    // What is over in a moment needs no record that it had begun.
    let due = now + app.receipts().open_after();
    let timer = pin!(sleep_until(due));
    let flight = ledger.flight.shared();
    // By now somebody is asked.
    let tell = |opened: Opened| app.receipts().tell_of(Opened { asked: flight.asked(), ..opened });
    let way = Way {
        app,
        call,
        snapshot,
        rules: &rules,
        deadline,
        by_caller: call.wishes.policy.timeout_s.is_some(),
        anyway,
        repeatable: call.target.target_type == TargetType::Model,
        alarm: Alarm::new(&tell, timer, opened.map(|opened| (due, opened))),
    };
    let cancelled = ledger.flight.cancel.clone();
    let ended = tokio::select! {
        biased;
        ended = attempts(&way, &plan, ledger) => ended,
        () = cancelled.cancelled() => return Err(ledger.flight.ended(false)),
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

fn first_receipt(call: &Call, snapshot: &Snapshot) -> Box<RoutingReceipt> {
    let new =
        RoutingReceipt::new(call.run_id.clone(), call.came.wall.into(), call.route, CallStatus::Cancelled);
    let target = &call.target;
    let named = |name: &Option<String>| name.as_deref().map(Arc::from);
    let dialects = Dialects { incoming: Some(call.dialect.as_str().into()), outgoing: None };
    Box::new(RoutingReceipt {
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
    })
}

async fn settle_whole(call: &Call, whole: whole::Whole, mut ledger: Ledger) -> Reply {
    let status = if whole.is_answer { CallStatus::Ok } else { CallStatus::Error };
    let error = (!whole.is_answer).then(|| whole.refusal_error());
    let lane = ledger.answers();
    let settled = match call.shows_receipt() {
        true => ledger.settle_and_show(status, error.as_ref()).map(|(settled, shown)| (settled, Some(shown))),
        false => ledger.settle(status, error.as_ref()).map(|settled| (settled, None)),
    };
    let Some((settled, receipt)) = settled else {
        return refused(Error::new(ErrorCode::Internal, "the call was settled before it was answered"));
    };
    match settled.await {
        Ok(_) => Reply::Whole(Box::new(Answered {
            status: whole.status,
            headers: whole.headers,
            body: whole.body,
            text: whole.text,
            is_answer: whole.is_answer,
            lane,
            receipt,
        })),
        // Without its receipt no answer goes out.
        Err(unavailable) => refused(unavailable.into()),
    }
}

async fn refuse(status: CallStatus, error: Error, mut ledger: Ledger) -> Reply {
    if let Some(settled) = ledger.settle(status, Some(&error)) {
        // It is told all the same: it has cost nothing that would be lost, or its receipt waits to be written.
        let _ = settled.await;
    }
    refused(error)
}

fn refused(error: Error) -> Reply {
    Reply::Refused(Box::new(Refused { error }))
}
