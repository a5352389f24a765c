//! In which order those are asked who will do.

use pas_types::invoke::Complexity;

use super::*;

/// The models that are chosen, with the scores that they have by the policy.
fn order(policy: &str, model: &str, change: impl FnOnce(&mut Ask<'_>)) -> Vec<String> {
    let fleet = fleet(adapters());
    let mut ask = plain(&fleet, model);
    change(&mut ask);
    chosen(&fleet, &explained(&fleet, &ask, policy))
}

#[test]
fn local_comes_first_when_it_is_there_and_the_rest_when_not() {
    assert_eq!(order("local", "cap:chat", |_| {})[0], "llama:latest");
    let fleet = fleet(adapters());
    let ask = plain(&fleet, "cap:plan");
    let held = |_: u32, candidate: &Candidate| {
        (&*candidate.model_id == "llama").then_some(Held { code: Exclusion::Breaker, until: None })
    };
    let plan = explain(&fleet, &ask, &rules(&fleet, &ask, "local"), &held, &mut Scratch::default());
    assert_eq!(plan.usable, 3);
    assert_eq!(plan.excluded[0].reason, "breaker: open after failures");
}

#[test]
fn the_cheapest_goes_by_the_price_of_this_call_and_what_nobody_knows_comes_last() {
    let short = order("cheapest", "cap:chat", |ask| ask.input_tokens = 1_000);
    assert_eq!(short, ["llama:latest", "own", "haiku", "gpt", "sonnet", "mystery"]);
    // Its answers are dear, and what it reads is cheap.
    let read = order("cheapest", "cap:plan,tools", |ask| {
        ask.input_tokens = 100_000;
        ask.output_tokens = Some(1);
    });
    assert_eq!(read, ["haiku", "gpt", "sonnet"]);
}

#[test]
fn the_best_is_the_best_tier_whatever_it_costs() {
    assert_eq!(order("best", "cap:chat", |_| {})[0], "sonnet");
}

#[test]
fn the_fastest_goes_by_what_was_measured() {
    let mut services = adapters();
    services[1].p95_ms = Some(50.0);
    services[2].p95_ms = None;
    let fleet = fleet(services);
    let order = chosen(&fleet, &explained(&fleet, &plain(&fleet, "cap:plan"), "fastest"));
    assert_eq!(order[0], "gpt");
    assert_eq!(order[3], "llama:latest");
}

#[test]
fn how_hard_the_task_is_says_how_good_a_model_is_wanted() {
    let fleet = fleet(adapters());
    let ask = plain(&fleet, "cap:plan");
    let first = |complexity| {
        let rules = Rules { complexity, ..rules(&fleet, &ask, "balanced") };
        chosen(&fleet, &plan(&fleet, &ask, &rules, &(), &mut Scratch::default()))[0].clone()
    };
    assert_eq!(first(Some(Complexity::Simple)), "llama:latest");
    assert_eq!(first(None), "llama:latest");
    // Nobody says so, and the request is long.
    let long = Ask { input_tokens: 20_000, ..ask };
    let rules = rules(&fleet, &long, "best");
    assert_eq!(fleet.table().wanted_tier(&rules, long.input_tokens), pas_types::routing::Tier::Strong);
}

#[test]
fn a_policy_that_names_providers_asks_each_before_the_next() {
    assert_eq!(order("resilient", "cap:plan", |_| {}), ["sonnet", "haiku", "llama:latest"]);
}

#[test]
fn what_stands_in_comes_behind_whatever_its_score() {
    let fleet = fleet(adapters());
    let ask = plain(&fleet, "sonnet");
    let found = explained(&fleet, &ask, "cheapest");
    assert_eq!(chosen(&fleet, &found), ["sonnet", "haiku", "gpt"]);
    assert_eq!(found.choices.iter().map(|choice| choice.rank).collect::<Vec<_>>(), [0, 1, 2]);
    let pair = explained(&fleet, &plain(&fleet, "pair"), "cheapest");
    assert_eq!(chosen(&fleet, &pair), ["gpt", "sonnet", "llama:latest"]);
    // And not at all, where the caller wants no other.
    let rules = Rules { fallback: false, ..rules(&fleet, &ask, "cheapest") };
    let alone = plan(&fleet, &ask, &rules, &(), &mut Scratch::default());
    assert_eq!(chosen(&fleet, &alone), ["sonnet"]);
}

#[test]
fn who_is_degraded_or_not_seen_yet_comes_behind_its_equals_and_is_still_there() {
    let named =
        |name: &str| Service { name: name.to_owned(), ..service(name, &[("dialects", "openai.chat")]) };
    let fleet = fleet(vec![
        Service { status: Status::Degraded, ..named("ill") },
        Service { verified: false, ..named("unseen") },
        named("well"),
    ]);
    let ask = Ask { speaks: Speaks::Plain, ..Ask::default() };
    assert_eq!(chosen(&fleet, &explained(&fleet, &ask, "balanced")), ["well", "unseen", "ill"]);
}

#[test]
fn a_caller_is_answered_in_its_own_dialect_and_a_plain_text_in_the_first_of_the_service() {
    let fleet = fleet(adapters());
    let dialects = |ask: &Ask<'_>| {
        explained(&fleet, ask, "best").choices.iter().map(|choice| choice.dialect).collect::<Vec<_>>()
    };
    let ask = plain(&fleet, "gpt");
    assert_eq!(dialects(&ask), [Dialect::OpenaiChat]);
    let responses = Ask { speaks: Speaks::Dialect(Dialect::OpenaiResponses), ..ask };
    assert_eq!(dialects(&responses), [Dialect::OpenaiResponses]);
}

#[test]
fn those_who_tie_take_turns_by_their_weights() {
    let of = |name: &str, weight: &str| service(name, &[("dialects", "openai.chat"), ("weight", weight)]);
    let fleet = fleet(vec![of("a", "3"), of("b", "1")]);
    let ask = Ask { speaks: Speaks::Plain, ..Ask::default() };
    let (rules, mut scratch) = (rules(&fleet, &ask, "balanced"), Scratch::default());
    let firsts: String =
        (0..8).map(|_| chosen(&fleet, &plan(&fleet, &ask, &rules, &(), &mut scratch))[0].clone()).collect();
    assert_eq!(firsts.matches('a').count(), 6, "{firsts}");
    assert_eq!(firsts.matches('b').count(), 2, "{firsts}");
    // Each is asked in the end.
    assert_eq!(plan(&fleet, &ask, &rules, &(), &mut scratch).choices.len(), 2);
}

#[test]
fn of_very_many_equals_each_has_its_turn() {
    let services = (0..100).map(|number| service(&format!("s{number}"), &[("dialects", "openai.chat")]));
    let fleet = fleet(services.collect());
    let ask = Ask { speaks: Speaks::Plain, ..Ask::default() };
    let (rules, mut scratch) = (rules(&fleet, &ask, "balanced"), Scratch::default());
    let mut firsts = vec![0; 100];
    for _ in 0..10_000 {
        let plan = plan(&fleet, &ask, &rules, &(), &mut scratch);
        assert_eq!((plan.choices.len(), plan.usable), (LISTED, 100));
        firsts[plan.choices[0].index as usize] += 1;
    }
    assert!(firsts.iter().all(|turns| (50..200).contains(turns)), "{firsts:?}");
}

#[test]
fn canaries_get_their_share_and_stand_behind_the_others_otherwise() {
    let of = |name: &str, role| Service { role, ..service(name, &[("dialects", "openai.chat")]) };
    // The canary is much faster, and gets no more for it.
    let fleet = fleet(vec![
        of("old", Role::Production),
        of("older", Role::Production),
        Service { p95_ms: Some(1.0), ..of("new", Role::Canary) },
    ]);
    let ask = Ask { speaks: Speaks::Plain, ..Ask::default() };
    let (rules, mut scratch) = (rules(&fleet, &ask, "fastest"), Scratch::default());
    let mut first = 0;
    for _ in 0..1_000 {
        let order = chosen(&fleet, &plan(&fleet, &ask, &rules, &(), &mut scratch));
        first += usize::from(order[0] == "new");
        assert!(order[0] == "new" || order[2] == "new", "{order:?}");
    }
    assert_eq!(first, 100, "of 1,000 calls, a tenth");
    // Who asks for a canary gets one.
    let canary = Ask { role: Some(Role::Canary), ..ask };
    assert_eq!(chosen(&fleet, &plan(&fleet, &canary, &rules, &(), &mut scratch)), ["new"]);
}

#[test]
fn a_plan_says_what_it_will_cost_and_people_see_why_it_is_so() {
    let fleet = fleet(adapters());
    let ask = Ask { input_tokens: 1_000, output_tokens: Some(100), ..plain(&fleet, "sonnet") };
    let rules = rules(&fleet, &ask, "best");
    let plan = explain(&fleet, &ask, &rules, &(), &mut Scratch::default());
    let view = plan.candidate_views(&fleet, &ask, &rules).next().unwrap();
    let shown = serde_json::to_value(&view).unwrap();
    assert_eq!(shown["cost_estimate"], serde_json::json!({"usd": 0.0045, "state": "estimated"}));
    assert_eq!(shown["parts"]["quality"], 0.9);
    assert_eq!(shown["name"], "anthropic");
    assert!(view.score > 0.0 && view.score <= 1.0);
}
