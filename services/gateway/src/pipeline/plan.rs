//! Who is asked: planned on one snapshot, with what only this gateway knows of each candidate.

use std::sync::Arc;
use std::time::Duration;

use pas_routing::{Ask, Choice, Held as Withheld, Needs, Plan, Rules, Speaks, explain, plan, resolve};
use pas_service::clock;
use pas_types::Error;
use pas_types::invoke::Delivery;
use pas_types::routing::Exclusion;

use crate::app::App;
use crate::call::{Call, Form, Handed, Operation};
use crate::core::breaker::{Held, Out};
use crate::ledger::Ledger;
use crate::snapshot::Snapshot;

/// Candidates up to which every plan is explained: the reasons cost little then.
const EXPLAINED: usize = 64;

/// Who is to be asked, by which rules, and whether in spite of an open breaker.
pub(super) fn planned(
    app: &App,
    call: &Call,
    snapshot: &Arc<Snapshot>,
    ledger: &mut Ledger,
    in_full: bool,
) -> Result<(Rules, Plan, bool), Error> {
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
    let rules = table.rules(Some(&call.wishes.policy), &ask).map_err(|error| as_said(call, error))?;
    let ask = Ask { deadline: Some(rules.call), ..ask };
    ledger.policy(table.policy_name(rules.policy));
    let begun = clock::monotonic();
    let in_full = in_full || snapshot.fleet.candidates().len() <= EXPLAINED;
    let choose = |ignore_breakers: bool| {
        let exclude = |index: u32, candidate: &pas_routing::Candidate| {
            app.withheld(snapshot, index, candidate, call, ignore_breakers, begun)
        };
        let mut scratch = app.scratch();
        match in_full {
            true => explain(&snapshot.fleet, &ask, &rules, &exclude, &mut scratch),
            false => plan(&snapshot.fleet, &ask, &rules, &exclude, &mut scratch),
        }
    };
    let (mut plan, mut tries_anyway) = (choose(false), false);
    if plan.choices.is_empty() && plan.counts.iter().any(|(code, _)| code == Exclusion::Breaker) {
        // Rather than refuse all, the one whose breaker may try soonest is tried.
        let mut anyway = choose(true);
        if let Some(soonest) = soonest(snapshot, &anyway, begun) {
            anyway.choices = vec![soonest];
            ledger.note("every breaker is open: the soonest is tried");
            (plan, tries_anyway) = (anyway, true);
        }
    }
    ledger.plan(&plan, clock::monotonic().saturating_sub(begun));
    match plan.refusal {
        Some(refusal) if plan.choices.is_empty() => Err(refusal),
        _ => Ok((rules, plan, tries_anyway)),
    }
}

/// The error, with its field by the name under which the caller said it.
fn as_said(call: &Call, error: Error) -> Error {
    match error.field.as_deref() {
        Some("policy.name") if call.route != "/invoke" => error.with_field("x-pas-policy"),
        _ => error,
    }
}

/// The choice whose breaker is open for the shortest time, and nobody tries yet.
fn soonest(snapshot: &Snapshot, plan: &Plan, now: Duration) -> Option<Choice> {
    let open = plan.choices.iter().filter_map(|choice| match snapshot.lane(choice.index)?.held(now) {
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

/// Why a candidate rests, as the choice wants to know it.
pub(crate) fn withheld(held: Held, now: Duration) -> Withheld {
    let (code, until) = match held {
        Held::Open(until) => (Exclusion::Breaker, Some(until)),
        Held::Probing => (Exclusion::Breaker, Some(now + Duration::from_secs(1))),
        Held::CoolDown(until) => (Exclusion::CoolDown, Some(until)),
        Held::Credential(Out::Refused, until) => (Exclusion::Credential, Some(until)),
        Held::Credential(Out::Spent, until) => (Exclusion::Spent, Some(until)),
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
