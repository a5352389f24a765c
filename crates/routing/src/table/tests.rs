use pas_types::invoke::{Delivery, PolicyWish, Prefer};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::ask::{Ask, Wanted, resolve};
use crate::sample::{compile, fleet, matrix, policies, service, table};

/// The faults of the samples when the value at `place` of one of them is another.
fn faults_with(which: &str, place: &str, value: Value) -> Vec<String> {
    let (mut matrix, mut policies) = (matrix(), policies());
    let document = if which == "matrix" { &mut matrix } else { &mut policies };
    let (parent, key) = place.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Object(map) => drop(map.insert(key.to_owned(), value)),
        Value::Array(list) => match key.parse::<usize>() {
            Ok(place) if place < list.len() => list[place] = value,
            _ => list.push(value),
        },
        _ => unreachable!("{place}"),
    }
    let faults = compile(&matrix, &policies).err().unwrap_or_default();
    faults.iter().map(ToString::to_string).collect()
}

fn fault_with(which: &str, place: &str, value: Value) -> String {
    let faults = faults_with(which, place, value);
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.into_iter().next().unwrap()
}

#[test]
fn the_samples_have_no_fault_and_all_that_is_in_them_can_be_found() {
    let table = table();
    let sonnet = table.model("claude").unwrap();
    assert_eq!(table.model_name(sonnet), "sonnet");
    assert_eq!(table.aliases(sonnet).collect::<Vec<_>>(), ["claude"]);
    assert_eq!(table.route_names().collect::<Vec<_>>(), ["auto", "cheap", "pair"]);
    let names =
        |models: &[ModelId]| models.iter().map(|it| table.model_name(*it)).collect::<Vec<_>>().join(" ");
    assert_eq!(names(&table.models[sonnet.index()].fallbacks), "haiku gpt");
    assert_eq!(names(&table.routes[2].models), "sonnet gpt");
    assert_eq!(names(&table.routes[2].fallbacks), "llama");
}

#[test]
fn a_fault_of_the_matrix_is_named_by_its_path() {
    let cases = [
        (
            "/providers/0/models/0/caps/1",
            json!("fly"),
            "providers[0].models[0].caps[1]: `fly` is no known capability",
        ),
        (
            "/providers/0/models/0/caps/1",
            json!("chat"),
            "providers[0].models[0].caps[1]: `chat` is named twice",
        ),
        ("/providers/0/models/0/caps", json!([]), "providers[0].models[0].caps: is empty"),
        (
            "/providers/0/models/1/aliases",
            json!(["claude"]),
            "providers[0].models[1].aliases[0]: `claude` is named already by providers[0].models[0].aliases[0]",
        ),
        (
            "/providers/0/models/0/aliases/0",
            json!("llama"),
            "providers[0].models[0].aliases[0]: `llama` is named already by providers[2].models[0].id",
        ),
        (
            "/providers/0/models/0/aliases/0",
            json!("cap:x"),
            "providers[0].models[0].aliases[0]: `cap:x` would be read as capabilities",
        ),
        ("/providers/1/name", json!("ollama"), "providers[2].name: there is another provider `ollama`"),
        (
            "/providers/0/models/0/prices/date",
            json!("yesterday"),
            "providers[0].models[0].prices.date: `yesterday` is no date",
        ),
        (
            "/providers/0/models/0/prices/date",
            json!("2026-02-30"),
            "providers[0].models[0].prices.date: `2026-02-30` is no date",
        ),
        (
            "/providers/0/models/0/prices/source",
            json!("hearsay"),
            "providers[0].models[0].prices.source: `hearsay` is no public address",
        ),
        (
            "/providers/0/models/0/prices/usd_per_million/input",
            json!(-1),
            "providers[0].models[0].prices.usd_per_million.input: -1 is no amount in USD",
        ),
        (
            "/providers/0/models/0/prices/usd_per_million",
            json!({}),
            "providers[0].models[0].prices.usd_per_million: has no price at all",
        ),
        ("/providers/0/models/0/ctx_limit", json!(-5), "providers[0].models[0].ctx_limit: invalid value"),
        ("/providers/0/models/0/ctx_limit", json!(0), "providers[0].models[0].ctx_limit: is 0"),
        ("/providers/0/models/1/timeouts/call_s", json!(0), "providers[0].models[1].timeouts.call_s: is 0"),
        ("/providers/0/data/date", json!(""), "providers[0].data.date: `` is no date"),
        ("/providers/0/models/0/tier", json!("supreme"), "providers[0].models[0].tier: unknown variant"),
        ("/providers/0/models/0/colour", json!(1), "providers[0].models[0].colour: unknown field"),
        ("/routes/2/models/1", json!("nobody"), "routes[2].models[1]: there is no model `nobody`"),
        (
            "/routes/2/models/1",
            json!("claude"),
            "routes[2].models[1]: `claude` is a model that is named already",
        ),
        (
            "/routes/2/require_caps",
            json!(["embed"]),
            "routes[2].require_caps[0]: none of the route's models has `embed`",
        ),
        ("/routes/0/policy", json!("wild"), "routes[0].policy: there is no policy `wild`"),
        ("/routes/0/name", json!("claude"), "routes[0].name: `claude` is a model too"),
        ("/routes/0/name", json!("cheap"), "routes[1].name: there is another route `cheap`"),
    ];
    for (place, value, wanted) in cases {
        let found = fault_with("matrix", place, value);
        assert!(found.starts_with(wanted), "{place}: {found}");
    }
}

#[test]
fn a_route_is_refused_whose_needs_are_met_by_several_models_but_by_none_alone() {
    let mut matrix = matrix();
    matrix["providers"][1]["models"][0]["caps"] = json!(["embed"]);
    matrix["routes"][2]["require_caps"] = json!(["embed", "vision"]);
    let faults = compile(&matrix, &policies()).unwrap_err();
    assert!(
        faults[0]
            .to_string()
            .starts_with("routes[2].require_caps: none of the route's models has all of them")
    );
}

#[test]
fn a_price_may_be_null_but_not_left_out() {
    let mut matrix = matrix();
    matrix["providers"][1]["models"][1].as_object_mut().unwrap().remove("prices");
    let faults = compile(&matrix, &policies()).unwrap_err();
    assert_eq!(faults[0].to_string(), "providers[1].models[1].prices: missing field `prices`");
    let mut matrix = self::matrix();
    matrix["providers"][0]["models"][0]["prices"].as_object_mut().unwrap().remove("source");
    let faults = compile(&matrix, &policies()).unwrap_err();
    assert_eq!(faults[0].to_string(), "providers[0].models[0].prices.source: missing field `source`");
}

#[test]
fn a_fault_of_the_policies_is_named_by_its_path() {
    let cases = [
        ("/default", json!("wild"), "default: there is no policy `wild`: use one of balanced, best"),
        ("/policies/best/weights/price", json!(-1), "policies.best.weights.price: is -1"),
        ("/policies/best/weights", json!({}), "policies.best.weights: weighs nothing"),
        ("/policies/best/tie", json!(2), "policies.best.tie: is 2"),
        (
            "/policies/resilient/providers/0",
            json!("acme"),
            "policies.resilient.providers[0]: the matrix has no provider `acme`",
        ),
        (
            "/policies/resilient/providers/0",
            json!("ollama"),
            "policies.resilient.providers[1]: `ollama` is named twice",
        ),
        (
            "/policies/resilient/handling/max_attempts",
            json!(0),
            "policies.resilient.handling.max_attempts: is 0",
        ),
        ("/defaults/handling/canary_share", json!(1.5), "defaults.handling.canary_share: is 1.5"),
        ("/defaults/timeouts", json!({"connect_s": -2}), "defaults.timeouts.connect_s: is -2"),
        ("/fallbacks/sonnet/0", json!("nobody"), "fallbacks.sonnet[0]: there is no model `nobody`"),
        ("/fallbacks/nobody", json!(["gpt"]), "fallbacks.nobody: there is no route and no model `nobody`"),
        ("/fallbacks/claude", json!(["gpt"]), "fallbacks.sonnet: the same model has another chain"),
        (
            "/fallbacks/llama",
            json!(["llama:latest"]),
            "fallbacks.llama: comes back to itself: llama -> llama",
        ),
        (
            "/complexity",
            json!({"standard_from_tokens": 10, "complex_from_tokens": 5}),
            "complexity.standard_from_tokens: is 10",
        ),
        ("/rate_limits", json!([{"per": "caller", "window": "minute"}]), "rate_limits[0]: limits nothing"),
        (
            "/rate_limits",
            json!([{"per": "caller", "window": "minute", "requests": 0}]),
            "rate_limits[0].requests: is out of range",
        ),
        (
            "/rate_limits",
            json!([{"per": "global", "name": "x", "window": "day", "tokens": 1}]),
            "rate_limits[0].name: names one of all",
        ),
        ("/budgets", json!({"global": {"usd": 5}}), "budgets.global: the token governor does not exist yet"),
        ("/colour", json!(1), "colour: unknown field"),
    ];
    for (place, value, wanted) in cases {
        let found = fault_with("policies", place, value);
        assert!(found.starts_with(wanted), "{place}: {found}");
    }
}

#[test]
fn a_policy_that_a_caller_can_prefer_must_be_there() {
    let mut policies = policies();
    policies["policies"].as_object_mut().unwrap().remove("fastest");
    let faults = compile(&matrix(), &policies).unwrap_err();
    assert_eq!(faults[0].to_string(), "policies.fastest: is missing: a caller can prefer it");
}

#[test]
fn a_cycle_of_fallbacks_is_named_by_each_that_is_in_it() {
    let faults = faults_with("policies", "/fallbacks/gpt", json!(["sonnet"]));
    assert_eq!(
        faults,
        [
            "fallbacks.sonnet: comes back to itself: sonnet -> haiku -> gpt -> sonnet; leave out one of these",
            "fallbacks.haiku: comes back to itself: haiku -> gpt -> sonnet -> haiku; leave out one of these",
            "fallbacks.gpt: comes back to itself: gpt -> sonnet -> haiku -> gpt; leave out one of these",
        ]
    );
}

#[test]
fn all_faults_are_found_at_once() {
    let (mut matrix, mut policies) = (matrix(), policies());
    matrix["providers"][0]["models"][0]["caps"][0] = json!("fly");
    matrix["providers"][2]["models"][0]["source"] = json!("x");
    policies["default"] = json!("wild");
    policies["budgets"] = json!([1]);
    let faults = compile(&matrix, &policies).unwrap_err();
    let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
    let wanted = ["providers[0].models[0].caps[0]", "providers[2].models[0].source", "default", "budgets[0]"];
    assert_eq!(paths, wanted);
}

#[test]
fn a_version_changes_with_what_it_is_of_and_with_nothing_else() {
    let before = table().versions().clone();
    let mut matrix = matrix();
    matrix["providers"][0]["models"][0]["ctx_limit"] = json!(100);
    let other = compile(&matrix, &policies()).unwrap().versions().clone();
    assert_ne!(other.matrix, before.matrix);
    assert_eq!((&other.policies, &other.prices), (&before.policies, &before.prices));
    matrix["providers"][0]["models"][0]["prices"]["usd_per_million"]["input"] = json!(4);
    assert_ne!(compile(&matrix, &policies()).unwrap().versions().prices, before.prices);
    assert_eq!(before.matrix.len(), 16);
}

#[test]
fn a_model_is_resolved_as_capabilities_route_id_alias_or_whatever_else() {
    let table = table();
    assert_eq!(resolve(&table, "cap:plan,tools"), Ok(Wanted::Caps("plan,tools")));
    assert_eq!(resolve(&table, "auto"), Ok(Wanted::Route(table.route("auto").unwrap())));
    assert_eq!(resolve(&table, "sonnet"), Ok(Wanted::Model(table.model("sonnet").unwrap())));
    assert_eq!(resolve(&table, "claude"), Ok(Wanted::Model(table.model("sonnet").unwrap())));
    assert_eq!(resolve(&table, "own"), Ok(Wanted::Other("own")));
    for model in ["cap:", "cap:plan,", "cap:plan tools"] {
        assert_eq!(resolve(&table, model).unwrap_err().field.as_deref(), Some("model"), "{model}");
    }
}

#[test]
fn the_wishes_of_a_caller_come_before_the_policy_and_the_policy_before_the_defaults() {
    let table = table();
    let rules =
        |wish: &PolicyWish, model: &str| table.rules(Some(wish), &Ask::of(resolve(&table, model).unwrap()));
    let none = PolicyWish::default();
    let plain = rules(&none, "auto").unwrap();
    assert_eq!((table.policy_name(plain.policy), plain.max_attempts, plain.fallback), ("balanced", 3, true));
    assert_eq!((plain.call.as_secs(), plain.delivery), (590, Delivery::Live));
    // The route's own policy, and its limit of time.
    assert_eq!(table.policy_name(rules(&none, "cheap").unwrap().policy), "cheapest");
    assert_eq!(rules(&none, "pair").unwrap().call.as_secs(), 50);
    // What is preferred weighs, by whatever policy.
    let wish = PolicyWish {
        name: Some("resilient".to_owned()),
        prefer: Some(Prefer::Cheapest),
        timeout_s: Some(2.5),
        fallback: Some(false),
        ..PolicyWish::default()
    };
    let wished = rules(&wish, "pair").unwrap();
    assert_eq!(table.policy_name(wished.policy), "resilient");
    assert_eq!((wished.weights.price, wished.weights.latency), (1.0, 0.0));
    assert_eq!((wished.call.as_millis(), wished.fallback, wished.delivery), (2_500, false, Delivery::Atomic));
    let preferred = PolicyWish { prefer: Some(Prefer::Local), ..PolicyWish::default() };
    assert_eq!(table.policy_name(rules(&preferred, "cheap").unwrap().policy), "local");
    let unknown = PolicyWish { name: Some("wild".to_owned()), ..PolicyWish::default() };
    assert_eq!(rules(&unknown, "auto").unwrap_err().field.as_deref(), Some("policy.name"));
}

#[test]
fn the_lower_of_two_limits_of_cost_holds() {
    let table = table();
    let careful = |usd: Option<f64>| {
        let max_cost_usd = usd.map(|usd| serde_json::from_value(json!(usd)).unwrap());
        let wish = PolicyWish { name: Some("careful".to_owned()), max_cost_usd, ..PolicyWish::default() };
        table.rules(Some(&wish), &Ask::default()).unwrap().max_cost.map(|usd| usd.to_string())
    };
    assert_eq!(careful(None).as_deref(), Some("0.01"));
    assert_eq!(careful(Some(1.0)).as_deref(), Some("0.01"));
    assert_eq!(careful(Some(0.001)).as_deref(), Some("0.001"));
}

#[test]
fn a_model_has_its_own_limits_of_time_unless_the_call_is_given_others() {
    let fleet = fleet(vec![service("a", &[("provider", "anthropic"), ("models", "haiku,sonnet")])]);
    let table = fleet.table();
    let seconds = |wish: Option<&PolicyWish>, place: u32| {
        let rules = table.rules(wish, &Ask::default()).unwrap();
        let limits = rules.timeouts(table, fleet.candidate(place).unwrap());
        [limits.connect, limits.first_token, limits.between_tokens, limits.call].map(|it| it.as_secs())
    };
    assert_eq!(seconds(None, 0), [2, 20, 60, 100]);
    assert_eq!(seconds(None, 1), [2, 120, 60, 590]);
    let wish = PolicyWish { timeout_s: Some(200.0), ..PolicyWish::default() };
    assert_eq!(seconds(Some(&wish), 0), [2, 20, 60, 200]);
}

proptest! {
    #[test]
    fn whatever_is_put_anywhere_is_compiled_or_refused_by_path(
        place in 0_usize..400, which in any::<bool>(), value in 0_usize..14,
    ) {
        let values = [
            json!(null), json!(true), json!(0), json!(-1), json!(1e300), json!(1.5), json!(""), json!("sonnet"),
            json!("cap:"), json!([]), json!({}), json!(["x"]), json!({"x": 1}), json!("2026-11-25"),
        ];
        let (mut matrix, mut policies) = (matrix(), policies());
        let document = if which { &mut matrix } else { &mut policies };
        let mut left = place;
        put(document, &mut left, &values[value]);
        if let Err(faults) = compile(&matrix, &policies) {
            prop_assert!(!faults.is_empty());
            for fault in faults {
                prop_assert!(!fault.path.is_empty() && !fault.message.is_empty(), "{fault:?}");
            }
        }
    }
}

/// Puts `value` at the place that is so many steps into the document.
fn put(document: &mut Value, left: &mut usize, value: &Value) -> bool {
    if *left == 0 {
        *document = value.clone();
        return true;
    }
    *left -= 1;
    match document {
        Value::Object(map) => map.values_mut().any(|child| put(child, left, value)),
        Value::Array(list) => list.iter_mut().any(|child| put(child, left, value)),
        _ => false,
    }
}
