//! What a choice costs: `cargo bench -p pas-routing`. Each figure is the median of 5 runs of many choices, with the slowest
//! of the runs beside it; the two that have a bar fail it by exit code.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a bench fails by panicking")]

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use pas_routing::{
    Ask, Candidate, Fleet, Held, Matrix, Plan, Policies, Rules, Scratch, Service, Speaks, Table, explain,
    plan, resolve,
};
use pas_types::routing::{Dialect, Exclusion};

const RUNS: usize = 5;

fn table() -> Arc<Table> {
    let source = "https://example.org/";
    let matrix = serde_json::json!({"providers": [
        {"name": "here", "locality": "local", "models": [
            {"id": "model", "aliases": ["alias"], "caps": ["chat", "tools"], "ctx_limit": 128_000, "tier": "standard",
             "prices": null, "source": source}]},
        {"name": "there", "locality": "external", "models": [
            {"id": "other", "caps": ["chat", "tools"], "ctx_limit": 128_000, "tier": "strong", "source": source,
             "prices": {"usd_per_million": {"input": 3, "output": 15}, "source": source, "date": "2026-11-25"}}]},
    ]});
    let weights =
        serde_json::json!({"latency": 3, "price": 3, "locality": 1, "load": 2, "quality": 3, "dialect": 1});
    let names = ["balanced", "local", "cheapest", "fastest", "best"];
    let policies: serde_json::Map<_, _> =
        names.into_iter().map(|name| (name.to_owned(), serde_json::json!({"weights": weights}))).collect();
    let policies = serde_json::json!({"default": "balanced", "policies": policies});
    let matrix = Matrix::read(matrix.to_string().as_bytes()).unwrap();
    let policies = Policies::read(policies.to_string().as_bytes()).unwrap();
    Arc::new(Table::compile(&matrix, &policies).unwrap())
}

/// So many services; each of the two models of the table is served by half of them, and what each measures differs.
fn fleet(table: &Arc<Table>, count: usize) -> Fleet {
    let service = |number: usize| {
        let model = if number.is_multiple_of(2) { "model" } else { "other" };
        let text = serde_json::json!({
            "service_id": format!("0193a0f2-7c3e-7a51-8b1d-{number:012x}"), "name": format!("service-{number}"),
            "type": "model", "role": "production", "url": "http://127.0.0.1:9000", "status": "ok", "verified": true,
            "labels": {"models": model, "dialects": "openai.chat"},
            "p95_ms": 100.0 + (number * 7919 % 1000) as f64, "load": (number % 10) as f64 / 10.0,
        });
        Arc::new(serde_json::from_value::<Service>(text).unwrap())
    };
    Fleet::build(Arc::clone(table), (0..count).map(service).collect())
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn timed(times: u32, mut choose: impl FnMut() -> Plan) -> Duration {
    let begin = std::time::Instant::now();
    for _ in 0..times {
        black_box(choose());
    }
    begin.elapsed() / times
}

/// Prints the figure; answers whether it is under its bar.
#[expect(clippy::disallowed_macros, reason = "a bench speaks to the terminal")]
fn report(what: &str, times: u32, bar: Option<Duration>, mut choose: impl FnMut() -> Plan) -> bool {
    timed(times, &mut choose);
    let mut runs: Vec<Duration> = (0..RUNS).map(|_| timed(times, &mut choose)).collect();
    runs.sort_unstable();
    let (median, slowest) = (runs[RUNS / 2], *runs.last().expect("there are runs"));
    let bar_in_words = bar.map_or_else(String::new, |bar| format!(", bar {bar:?}"));
    println!("{what}: median {median:?}, slowest {slowest:?}{bar_in_words}");
    bar.is_none_or(|bar| median < bar)
}

fn main() -> ExitCode {
    let table = table();
    let (few, many) = (fleet(&table, 4), fleet(&table, 1_000));
    let mut scratch = Scratch::default();
    let ask = |model: &'static str| Ask {
        speaks: Speaks::Dialect(Dialect::OpenaiChat),
        input_tokens: 2_000,
        deadline: Some(Duration::from_secs(30)),
        ..Ask::of(resolve(&table, model).unwrap())
    };
    let rules: Rules = table.rules(None, &ask("model")).unwrap();
    // As a gateway asks: it looks at something of its own for each that is left.
    let open = vec![false; 1_000];
    let held = |index: u32, _: &Candidate| {
        open[index as usize].then_some(Held { code: Exclusion::Breaker, until: None })
    };
    let mut well = true;
    report("4 candidates, by model", 200_000, None, || {
        plan(&few, &ask("model"), &rules, &held, &mut scratch)
    });
    report("4 candidates, by alias, resolved and with its rules", 200_000, None, || {
        let ask = ask("alias");
        let rules = table.rules(None, &ask).unwrap();
        plan(&few, &ask, &rules, &held, &mut scratch)
    });
    let bar = Some(Duration::from_micros(20));
    let any = ask("cap:chat,tools");
    well &= report("1,000 candidates, all of which will do", 5_000, bar, || {
        plan(&many, &any, &rules, &held, &mut scratch)
    });
    report("1,000 candidates, by model (500 of them)", 5_000, None, || {
        plan(&many, &ask("model"), &rules, &held, &mut scratch)
    });
    let bar = Some(Duration::from_micros(200));
    well &= report("1,000 candidates, explained", 5_000, bar, || {
        explain(&many, &any, &rules, &held, &mut scratch)
    });
    let long = Ask { input_tokens: 1_000_000, ..any };
    well &= report("1,000 candidates, none of which will do, explained", 5_000, bar, || {
        explain(&many, &long, &rules, &held, &mut scratch)
    });
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
