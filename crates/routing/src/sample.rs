//! What the tests of this crate choose from.

use std::sync::Arc;

use pas_types::id::ServiceId;
use pas_types::registry::{Role, ServiceType, Status};
use serde_json::{Value, json};

use crate::{Fault, Fleet, Matrix, Policies, Service, Table};

/// A matrix of three providers.
pub(crate) fn matrix() -> Value {
    let source = "https://example.org/models";
    let prices = |input: f64, output: f64| {
        json!({
            "usd_per_million": {"input": input, "output": output, "cache_read": input / 10.0},
            "source": source, "date": "2026-11-25",
        })
    };
    json!({
        "providers": [
            {"name": "anthropic", "locality": "external",
             "data": {"policy": "no_training", "source": source, "date": "2026-11-25"},
             "models": [
                {"id": "sonnet", "aliases": ["claude"], "caps": ["chat", "plan", "tools", "vision"], "ctx_limit": 200_000,
                 "max_output": 64_000, "tier": "strong", "prices": prices(3.0, 15.0), "source": source},
                {"id": "haiku", "caps": ["chat", "plan", "tools"], "ctx_limit": 200_000, "tier": "standard",
                 "prices": prices(1.0, 5.0), "timeouts": {"first_token_s": 20, "call_s": 100}, "source": source},
            ]},
            {"name": "openai", "locality": "external", "models": [
                {"id": "gpt", "aliases": ["openai-gpt"], "caps": ["chat", "plan", "tools"], "ctx_limit": 128_000,
                 "tier": "standard", "prices": prices(2.0, 8.0), "source": source},
                {"id": "mystery", "caps": ["chat"], "tier": "light", "prices": null, "source": source},
            ]},
            {"name": "ollama", "locality": "local", "models": [
                {"id": "llama", "aliases": ["llama:latest"], "caps": ["chat", "plan"], "ctx_limit": 32_000, "tier": "light",
                 "prices": null, "source": source},
            ]},
        ],
        "routes": [
            {"name": "auto", "require_caps": ["chat"]},
            {"name": "cheap", "policy": "cheapest", "require_caps": ["chat"]},
            {"name": "pair", "models": ["sonnet", "gpt"], "timeouts": {"call_s": 50}},
        ],
    })
}

/// Policies for it.
pub(crate) fn policies() -> Value {
    json!({
        "default": "balanced",
        "policies": {
            "balanced": {"weights": {"latency": 3, "price": 3, "locality": 1, "load": 2, "quality": 3, "dialect": 1}},
            "local": {"weights": {"locality": 12, "latency": 1, "load": 2}},
            "cheapest": {"weights": {"price": 1}, "tie": 0},
            "fastest": {"weights": {"latency": 8, "load": 2}},
            "best": {"weights": {"quality": 12, "latency": 1}},
            "resilient": {"weights": {"latency": 1}, "providers": ["anthropic", "ollama"], "handling": {"delivery": "atomic"}},
            "private": {"weights": {"latency": 1}, "locality": "local"},
            "careful": {"weights": {"latency": 1}, "data": "no_training", "max_cost_usd": 0.01},
        },
        "defaults": {"handling": {"canary_share": 0.1}},
        "fallbacks": {"sonnet": ["haiku"], "haiku": ["gpt"], "pair": ["llama"]},
    })
}

/// What both compile to.
pub(crate) fn compile(matrix: &Value, policies: &Value) -> Result<Table, Vec<Fault>> {
    let matrix = Matrix::read(matrix.to_string().as_bytes()).map_err(|fault| vec![fault])?;
    let policies = Policies::read(policies.to_string().as_bytes()).map_err(|fault| vec![fault])?;
    Table::compile(&matrix, &policies)
}

/// The table of the samples.
pub(crate) fn table() -> Arc<Table> {
    Arc::new(compile(&matrix(), &policies()).unwrap())
}

/// A model in production that is well, and answers in half a second. Its id is made of its name.
pub(crate) fn service(name: &str, labels: &[(&str, &str)]) -> Service {
    let mut id = [0; 16];
    for (place, byte) in name.bytes().enumerate() {
        id[place % 16] ^= byte.rotate_left((place / 16) as u32);
    }
    Service {
        service_id: ServiceId(uuid::Uuid::from_bytes(id)),
        name: name.to_owned(),
        service_type: ServiceType::Model,
        role: Role::Production,
        url: Some("http://127.0.0.1:9000".to_owned()),
        caps: Vec::new(),
        labels: labels.iter().map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned()))).collect(),
        ctx_limit: None,
        cost_hint_usd_per_1k: None,
        status: Status::Ok,
        status_reasons: Vec::new(),
        paused: false,
        verified: true,
        p95_ms: Some(500.0),
        queue_depth: None,
        load: None,
    }
}

/// The adapters of the three providers, and a local server that the matrix doesn't know.
pub(crate) fn adapters() -> Vec<Service> {
    let adapter = |name: &str, dialects: &str, models: &str| {
        service(name, &[("provider", name), ("dialects", dialects), ("models", models)])
    };
    let own = Service {
        caps: vec!["chat".to_owned(), "sing".to_owned()],
        ctx_limit: Some(8_000),
        cost_hint_usd_per_1k: Some(0.002),
        ..service("own", &[("dialects", "openai.chat"), ("locality", "external")])
    };
    vec![
        adapter("anthropic", "anthropic.messages", "sonnet,haiku"),
        adapter("openai", "openai.chat,openai.responses", "gpt,mystery"),
        adapter("ollama", "openai.chat", "llama:latest"),
        own,
    ]
}

/// The fleet of these services.
pub(crate) fn fleet(services: Vec<Service>) -> Fleet {
    Fleet::build(table(), services.into_iter().map(Arc::new).collect())
}
