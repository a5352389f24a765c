use std::sync::Arc;

use pas_types::event::{CallUsage, CostState, UsageSource};
use pas_types::registry::{ServiceType, Status};
use pas_types::routing::{DataPolicy, Locality, Tier};

use super::*;
use crate::price::Price;
use crate::sample::{adapters, fleet, service};

fn only(service: Service) -> Candidate {
    let fleet = fleet(vec![service]);
    assert_eq!(fleet.candidates().len(), 1);
    fleet.candidates()[0].clone()
}

fn caps(fleet: &Fleet, place: usize) -> Vec<&str> {
    fleet.dictionary.words(fleet.hot[place].caps).collect()
}

#[test]
fn a_candidate_is_a_service_and_a_model_of_it() {
    let fleet = fleet(adapters());
    let mut found: Vec<String> = fleet
        .candidates()
        .iter()
        .map(|it| format!("{} {} {}", it.service.name, it.model, it.model_id))
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            "anthropic haiku haiku",
            "anthropic sonnet sonnet",
            "ollama llama:latest llama",
            "openai gpt gpt",
            "openai mystery mystery",
            "own own own",
        ]
    );
    let names: Vec<String> = fleet.model_names().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["gpt", "haiku", "llama", "mystery", "own", "sonnet"]);
}

#[test]
fn what_the_matrix_knows_of_a_model_is_the_matrixs_and_the_rest_is_as_registered() {
    let registered = Service {
        caps: vec!["sing".to_owned()],
        ctx_limit: Some(1),
        cost_hint_usd_per_1k: Some(9.0),
        ..service("a", &[("models", "claude,unheard"), ("provider", "anthropic")])
    };
    let fleet = fleet(vec![registered]);
    let [known, unknown] = fleet.candidates() else { panic!("two candidates") };
    assert_eq!((&*known.model, &*known.model_id, known.ctx_limit), ("claude", "sonnet", Some(200_000)));
    assert_eq!(
        (known.max_output, known.tier, known.data),
        (Some(64_000), Some(Tier::Strong), DataPolicy::NoTraining)
    );
    assert!(matches!(known.price, Price::Listed(_)));
    assert_eq!(caps(&fleet, 0), ["chat", "plan", "vision", "tools"]);
    assert_eq!((unknown.ctx_limit, unknown.max_output, unknown.tier), (Some(1), None, None));
    assert_eq!((unknown.price, unknown.data), (Price::Hint(9_000_000_000_000), DataPolicy::Unknown));
    assert_eq!(caps(&fleet, 1), ["sing"]);
}

#[test]
fn no_model_is_given_more_than_its_server_says_that_it_has() {
    let limits = "llama:latest=8192,unheard=4096,other";
    let labels = &[("models", "llama:latest,unheard,other"), ("provider", "ollama"), ("ctx_limits", limits)];
    let fleet = fleet(vec![Service { ctx_limit: Some(1_000), ..service("a", labels) }]);
    let known: Vec<_> = fleet.candidates().iter().map(|it| (&*it.model, it.ctx_limit)).collect();
    let wanted = [("llama:latest", Some(8_192)), ("unheard", Some(4_096)), ("other", Some(1_000))];
    assert_eq!(known, wanted);
    let more = &[("models", "llama"), ("provider", "ollama"), ("ctx_limits", "llama=131072")];
    assert_eq!(only(service("a", more)).ctx_limit, Some(32_000));
}

#[test]
fn a_model_that_is_said_to_be_of_another_provider_or_elsewhere_has_only_the_name() {
    let of_another =
        only(service("a", &[("models", "sonnet"), ("provider", "acme"), ("locality", "external")]));
    assert_eq!(
        (&*of_another.model_id, of_another.price, of_another.ctx_limit),
        ("sonnet", Price::Unknown, None)
    );
    let at_home = only(service("a", &[("models", "sonnet"), ("locality", "local")]));
    assert_eq!((at_home.price, at_home.data), (Price::Free, DataPolicy::Stays));
}

#[test]
fn a_service_is_where_it_says_or_where_its_provider_is_or_where_its_address_leads() {
    let at = |url: &str, labels: &[(&str, &str)]| {
        only(Service { url: Some(url.to_owned()), ..service("a", labels) }).locality
    };
    for url in ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "http://127.9.9.9"] {
        assert_eq!(at(url, &[]), Locality::Local, "{url}");
    }
    for url in ["http://10.0.0.1", "https://example.org", "http://localhost.example.org", "nonsense"] {
        assert_eq!(at(url, &[]), Locality::External, "{url}");
    }
    // An adapter stands on this machine, and what it is a door to doesn't.
    assert_eq!(at("http://127.0.0.1:8101", &[("provider", "anthropic")]), Locality::External);
    assert_eq!(at("http://127.0.0.1:8101", &[("models", "sonnet")]), Locality::External);
    assert_eq!(at("http://127.0.0.1:8101", &[("locality", "external")]), Locality::External);
    assert_eq!(at("http://10.0.0.1", &[("locality", "local")]), Locality::Local);
}

#[test]
fn a_price_is_the_matrixs_else_a_hint_else_nothing_at_home_and_unknown_elsewhere() {
    let usage = CallUsage {
        input: 1_000_000,
        output: 100_000,
        cache_read: 0,
        cache_write: 0,
        reasoning: 100_000,
        source: UsageSource::Provider,
    };
    let cost = |service: Service, usage: &CallUsage| {
        let cost = only(service).price.cost(usage);
        (cost.usd.map(|usd| usd.to_string()), cost.state)
    };
    let listed = || service("a", &[("models", "sonnet"), ("provider", "anthropic")]);
    assert_eq!(cost(listed(), &usage), (Some("6.00".to_owned()), CostState::Confirmed));
    let estimated = CallUsage { source: UsageSource::Estimated, ..usage };
    assert_eq!(cost(listed(), &estimated), (Some("6.00".to_owned()), CostState::Estimated));
    // A kind of token without a price.
    let written = CallUsage { cache_write: 1, ..usage };
    assert_eq!(cost(listed(), &written), (None, CostState::Unknown));
    let hinted =
        |hint| Service { cost_hint_usd_per_1k: Some(hint), ..service("a", &[("locality", "external")]) };
    assert_eq!(cost(hinted(0.001), &usage), (Some("1.20".to_owned()), CostState::Estimated));
    assert_eq!(cost(hinted(-1.0), &usage), (None, CostState::Unknown));
    assert_eq!(cost(service("a", &[]), &usage), (Some("0.00".to_owned()), CostState::Confirmed));
    assert_eq!(cost(service("a", &[("locality", "external")]), &usage), (None, CostState::Unknown));
    // The matrix knows the model, and doesn't know what it costs: a hint would contradict it.
    let mystery = service("a", &[("models", "mystery"), ("provider", "openai")]);
    let mystery = Service { cost_hint_usd_per_1k: Some(1.0), ..mystery };
    assert_eq!(cost(mystery, &usage), (None, CostState::Unknown));
}

#[test]
fn whoever_has_a_key_has_the_same_in_every_fleet() {
    let keys = |mut services: Vec<Service>, turn: usize| {
        services.rotate_left(turn);
        let fleet = fleet(services);
        let mut keys: Vec<(String, u64)> =
            fleet.candidates().iter().map(|it| (it.model.to_string(), it.key)).collect();
        keys.sort();
        keys
    };
    let all = keys(adapters(), 0);
    assert_eq!(all, keys(adapters(), 2));
    let different: std::collections::BTreeSet<u64> = all.iter().map(|(_, key)| *key).collect();
    assert_eq!(different.len(), all.len());
}

#[test]
fn parts_of_pas_are_nobodys_target_and_the_rest_is_found_by_type_and_name() {
    let of = |name: &str, service_type| Service { service_type, ..service(name, &[]) };
    let fleet = fleet(vec![
        of("registry", ServiceType::Service),
        of("search", ServiceType::Tool),
        of("coder", ServiceType::Agent),
        of("search", ServiceType::Model),
    ]);
    let names = |places: std::ops::Range<u32>| {
        places.map(|place| fleet.candidate(place).unwrap().service.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(fleet.of_type(TargetType::Model)), ["search"]);
    assert_eq!(names(fleet.of_type(TargetType::Tool)), ["search"]);
    assert_eq!(names(fleet.of_type(TargetType::Agent)), ["coder"]);
    assert_eq!(fleet.named("search").len(), 2);
    assert!(fleet.named("registry").is_empty());
}

#[test]
fn capabilities_beyond_those_with_a_bit_are_found_too() {
    let words: Vec<String> = (0..300).map(|number| format!("word{number}")).collect();
    let fleet = fleet(vec![Service { caps: words, ..service("a", &[]) }, service("b", &[])]);
    let number = fleet.dictionary.number("word299").unwrap();
    assert!(number >= crate::caps::BITS);
    let having = fleet.having(number);
    assert_eq!(having.len(), 1);
    assert_eq!(fleet.candidate(having[0]).unwrap().service.name, "a");
}

#[test]
fn what_a_service_says_of_itself_may_be_anything() {
    for measure in [f64::NAN, f64::INFINITY, -1.0, 1e308, 0.0] {
        let odd = Service {
            p95_ms: Some(measure),
            load: Some(measure),
            cost_hint_usd_per_1k: Some(measure),
            queue_depth: Some(u64::MAX),
            ctx_limit: Some(u64::MAX),
            status: Status::Degraded,
            verified: false,
            ..service("a", &[("models", ",, ,x,x"), ("weight", "-3"), ("dialects", ","), ("tier", "?")])
        };
        let fleet = fleet(vec![odd]);
        let hot = fleet.hot[0];
        assert!([hot.latency, hot.load, hot.health].iter().all(|part| (0.0..=1.0).contains(part)), "{hot:?}");
        assert_eq!((fleet.candidates().len(), fleet.candidates()[0].weight), (1, 1));
    }
}

#[test]
fn a_long_request_has_the_prices_of_long_ones() {
    let mut matrix = crate::sample::matrix();
    matrix["providers"][0]["models"][0]["prices"]["above"] =
        serde_json::json!({"input_tokens": 200_000, "usd_per_million": {"input": 6, "output": 22.5}});
    let table = crate::sample::compile(&matrix, &crate::sample::policies()).unwrap();
    let adapter = service("a", &[("models", "sonnet"), ("provider", "anthropic")]);
    let fleet = Fleet::build(Arc::new(table), vec![Arc::new(adapter)]);
    let price = fleet.candidates()[0].price;
    let usd = |input| price.estimate(input, 0).usd.unwrap().to_string();
    assert_eq!((usd(200_000).as_str(), usd(200_001).as_str()), ("0.60", "1.200006"));
}
