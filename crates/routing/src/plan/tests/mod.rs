use std::time::Duration;

use pas_types::invoke::{PolicyWish, TargetType};
use pas_types::registry::{Role, ServiceType, Status};
use pas_types::routing::{Dialect, Exclusion};

use super::*;
use crate::ask::resolve;
use crate::caps::Needs;
use crate::dialect::Speaks;
use crate::fleet::Service;
use crate::sample::{adapters, fleet, service};

mod order;
mod random;
mod refusal;

/// A call in plain text for what `model` says.
fn plain<'a>(fleet: &Fleet, model: &'a str) -> Ask<'a> {
    Ask { speaks: Speaks::Plain, ..Ask::of(resolve(fleet.table(), model).unwrap()) }
}

fn rules(fleet: &Fleet, ask: &Ask<'_>, policy: &str) -> Rules {
    let wish = PolicyWish { name: Some(policy.to_owned()), ..PolicyWish::default() };
    fleet.table().rules(Some(&wish), ask).unwrap()
}

fn explained(fleet: &Fleet, ask: &Ask<'_>, policy: &str) -> Plan {
    explain(fleet, ask, &rules(fleet, ask, policy), &(), &mut Scratch::default())
}

/// The models that are chosen, in order.
fn chosen(fleet: &Fleet, plan: &Plan) -> Vec<String> {
    plan.choices.iter().map(|choice| fleet.candidates()[choice.index as usize].model.to_string()).collect()
}

/// Who is not, and why.
fn reasons(fleet: &Fleet, plan: &Plan) -> Vec<String> {
    let mut reasons: Vec<String> = plan
        .excluded
        .iter()
        .map(|it| format!("{} {}", fleet.candidates()[it.index as usize].model, it.reason))
        .collect();
    reasons.sort();
    reasons
}

/// The reason for which the only service there is won't do.
fn reason(service: Service, ask: impl FnOnce(&mut Ask<'_>), policy: &str) -> String {
    let fleet = fleet(vec![service]);
    let mut question = plain(&fleet, "cap:chat");
    ask(&mut question);
    let plan = explained(&fleet, &question, policy);
    assert!(plan.choices.is_empty(), "{plan:?}");
    plan.excluded[0].reason.clone()
}

fn chatty() -> Service {
    Service {
        caps: vec!["chat".to_owned()],
        ctx_limit: Some(32_768),
        ..service("a", &[("dialects", "openai.chat")])
    }
}

#[test]
fn each_reason_is_said_in_words() {
    let nothing = |_: &mut Ask<'_>| {};
    let sing = Service { caps: vec!["sing".to_owned()], ..chatty() };
    assert_eq!(
        reason(sing, |ask| ask.needs = Needs::TOOLS | Needs::VISION, "balanced"),
        "caps: lacks vision, tools, chat"
    );
    let experimental = Service { role: Role::Experimental, ..chatty() };
    assert_eq!(
        reason(experimental, nothing, "balanced"),
        "role: is experimental, wanted is canary or production"
    );
    assert_eq!(
        reason(chatty(), |ask| ask.role = Some(Role::Staging), "balanced"),
        "role: is production, wanted is staging"
    );
    assert_eq!(reason(Service { url: None, ..chatty() }, nothing, "balanced"), "url: has no address");
    let external = || {
        let mut service = chatty();
        service.labels.insert("locality".to_owned(), Some("external".to_owned()));
        service
    };
    assert_eq!(reason(external(), nothing, "private"), "policy: private keeps to this machine");
    assert_eq!(reason(chatty(), nothing, "resilient"), "policy: resilient keeps to anthropic, ollama");
    assert_eq!(reason(external(), nothing, "careful"), "data: unknown, wanted is no_training");
    let anthropic = |ask: &mut Ask<'_>| ask.speaks = Speaks::Dialect(Dialect::AnthropicMessages);
    assert_eq!(
        reason(chatty(), anthropic, "balanced"),
        "dialect: translation anthropic.messages -> openai.chat does not exist yet"
    );
    assert_eq!(reason(chatty(), |ask| ask.input_tokens = 40_100, "balanced"), "context: needs 41k, has 32k");
    assert_eq!(reason(chatty(), |ask| ask.tried = &[0], "balanced"), "tried: failed already");
    assert_eq!(
        reason(Service { paused: true, ..chatty() }, nothing, "balanced"),
        "paused: taken out of service"
    );
    let down =
        Service { status: Status::Down, status_reasons: vec!["beats: 2 missed".to_owned()], ..chatty() };
    assert_eq!(reason(down, nothing, "balanced"), "status: down (beats: 2 missed)");
    let slow = Service { p95_ms: Some(4_200.0), ..chatty() };
    let soon = |ask: &mut Ask<'_>| ask.deadline = Some(Duration::from_secs(2));
    assert_eq!(reason(slow, soon, "balanced"), "latency: p95 is 4.2 s, there is 2.0 s");
}

#[test]
fn a_label_that_differs_is_named() {
    let labels = [("tier".to_owned(), "strong".to_owned())].into();
    let fleet = fleet(vec![chatty()]);
    let ask = Ask { labels: Some(&labels), ..plain(&fleet, "cap:chat") };
    assert_eq!(
        reasons(&fleet, &explained(&fleet, &ask, "balanced")),
        ["a labels: has no tier, wanted is strong"]
    );
}

#[test]
fn what_costs_too_much_is_no_candidate_and_neither_is_what_nobody_knows_the_price_of() {
    let fleet = fleet(adapters());
    let mut ask = plain(&fleet, "cap:chat");
    ask.input_tokens = 1_000;
    let with_limit = |nanos: u64| {
        let rules = Rules {
            max_cost: pas_types::money::NanoUsd::from_nanos(nanos),
            ..rules(&fleet, &ask, "cheapest")
        };
        explain(&fleet, &ask, &rules, &(), &mut Scratch::default())
    };
    let free = with_limit(0);
    assert_eq!(chosen(&fleet, &free), ["llama:latest"]);
    assert_eq!(
        reasons(&fleet, &free),
        [
            "gpt price: about $0.006096, only what is free is allowed",
            "haiku price: about $0.00356, only what is free is allowed",
            "mystery price: unknown, only what is free is allowed",
            "own price: about $0.003024, only what is free is allowed",
            "sonnet price: about $0.01068, only what is free is allowed",
        ]
    );
    assert_eq!(chosen(&fleet, &with_limit(4_000_000)), ["llama:latest", "own", "haiku"]);
    let counts: Vec<_> = free.counts.iter().collect();
    assert_eq!(counts, [(Exclusion::Price, 5)]);
}

#[test]
fn who_is_asked_for_by_name_may_have_any_role_and_answers_with_its_first_model() {
    let mut services = adapters();
    services[0].role = Role::Experimental;
    let fleet = fleet(services);
    let by_model = explained(&fleet, &plain(&fleet, "anthropic"), "balanced");
    assert_eq!(chosen(&fleet, &by_model), ["sonnet"]);
    let named = Ask { name: Some("anthropic"), ..plain(&fleet, "haiku") };
    let plan = explained(&fleet, &named, "balanced");
    assert_eq!(chosen(&fleet, &plan), ["haiku"]);
    assert_eq!(reasons(&fleet, &plan), ["sonnet model: serves sonnet"]);
    let by_id = explained(&fleet, &plain(&fleet, "sonnet"), "balanced");
    assert_eq!(reasons(&fleet, &by_id)[1], "sonnet role: is experimental, wanted is canary or production");
    let staging = Ask { role: Some(Role::Staging), ..named };
    assert!(explained(&fleet, &staging, "balanced").choices.is_empty());
}

#[test]
fn tools_and_agents_may_have_any_role_and_an_agent_is_not_its_own_target() {
    let agent = |name: &str| Service {
        service_type: ServiceType::Agent,
        role: Role::Execution,
        caps: vec!["code".to_owned()],
        ..service(name, &[])
    };
    let fleet = fleet(vec![agent("coder"), agent("other")]);
    let caps = ["code".to_owned()];
    let ask = Ask { target_type: TargetType::Agent, caps: &caps, agent: Some("coder"), ..Ask::default() };
    let plan = explained(&fleet, &ask, "balanced");
    assert_eq!(chosen(&fleet, &plan), ["other"]);
    assert_eq!(reasons(&fleet, &plan), ["coder caller: is who calls"]);
}

#[test]
fn only_those_who_pass_all_else_are_asked_about() {
    let fleet = fleet(adapters());
    let ask = plain(&fleet, "cap:chat,tools");
    let asked = std::cell::RefCell::new(Vec::new());
    let held = |_: u32, candidate: &Candidate| {
        asked.borrow_mut().push(candidate.model.to_string());
        (&*candidate.model == "gpt")
            .then_some(Held { code: Exclusion::Breaker, until: Some(Duration::from_millis(1_500)) })
    };
    let plan = explain(&fleet, &ask, &rules(&fleet, &ask, "best"), &held, &mut Scratch::default());
    asked.borrow_mut().sort();
    assert_eq!(*asked.borrow(), ["gpt", "haiku", "sonnet"]);
    assert_eq!(chosen(&fleet, &plan), ["sonnet", "haiku"]);
    assert_eq!(reasons(&fleet, &plan)[0], "gpt breaker: open after failures, for 1.5 s");
}

#[test]
fn what_a_service_says_of_all_its_models_is_no_reason_to_refuse_one_that_is_asked_for_by_name() {
    let fleet = fleet(vec![Service { labels: labels(&[("models", "new-1")]), ..chatty() }]);
    let needing = |model: &'static str| {
        let ask = Ask { needs: Needs::TOOLS, ..plain(&fleet, model) };
        chosen(&fleet, &explained(&fleet, &ask, "balanced"))
    };
    assert_eq!(needing("new-1"), ["new-1"]);
    // By a capability nobody means it.
    assert!(needing("cap:chat").is_empty());
}

fn labels(pairs: &[(&str, &str)]) -> pas_types::registry::Labels {
    let pairs = pairs.iter().chain(&[("dialects", "openai.chat")]);
    pairs.map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned()))).collect()
}
