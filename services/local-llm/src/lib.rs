#![doc = include_str!("../README.md")]

use pas_adapter::Profile;
use pas_adapter::profile::{Listing, Pinned, Route, Scheme, Server, openai_page};
use pas_types::catalog;
use pas_types::catalog::Entry;
use pas_types::routing::{Dialect, Locality};
use serde_json::Value;

/// Llama 3.1 with eight billion parameters.
pub static LLAMA: Profile = profile(
    catalog::LLAMA,
    "llama3.1:8b",
    "start a server that has it (`ollama pull llama3.1:8b`), or set PAS_LLAMA_BASE_URL in .env and `model` in config/pas.yaml",
);

/// TinyLlama.
pub static TINYLLAMA: Profile = profile(
    catalog::TINYLLAMA,
    "tinyllama",
    "start a server that has it (`ollama pull tinyllama`), or set PAS_TINYLLAMA_BASE_URL in .env and `model` in config/pas.yaml",
);

/// Every profile, in the order of their ports.
pub const PROFILES: [&Profile; 2] = [&LLAMA, &TINYLLAMA];

const fn profile(entry: Entry, model: &'static str, remedy: &'static str) -> Profile {
    Profile {
        entry,
        // The server may be any; that the model is known by its name is enough.
        provider: None,
        title: entry.name,
        locality: Locality::Local,
        base_url: "http://127.0.0.1:11434",
        scheme: Scheme::Bearer,
        needs_credential: false,
        dialects: &[Dialect::OpenaiChat],
        routes: ROUTES,
        caps: &["infer", "chat", "summarize", "classify", "classify_light"],
        listings: LISTINGS,
        headers: &[],
        withheld: &[],
        remedy,
        pinned: Some(Pinned { name: entry.name, model }),
    }
}

const ROUTES: &[Route] = &[
    Route::turn("/v1/chat/completions", Dialect::OpenaiChat),
    Route::list("/v1/models", Dialect::OpenaiChat),
];

/// Whatever serves: those that say more than OpenAI's list does are asked first.
const LISTINGS: &[Listing] = &[
    Listing::Local(Server::Ollama),
    Listing::Local(Server::LlamaCpp),
    Listing::Local(Server::LmStudio),
    Listing::Pages {
        path: "/v1/models",
        read: |value| openai_page(value, context, |_| true),
        is_private: true,
    },
];

/// What vLLM says: <https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html>.
fn context(model: &Value) -> Option<u64> {
    model["max_model_len"].as_u64()
}
